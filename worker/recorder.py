"""Prefect's recorder of task runs, made to write many of them at once and still within moments.

As it comes, that of 3.8.8 writes each event by itself, which is three times the work of one among twenty; told to write
more at once, it waits for whole seconds until there are so many (`flush_interval`, cut to an integer). Each of Etappe's
decisions is some such events (worker/bars.py). Without this, they are written all the same.
"""

from __future__ import annotations

from typing import Any

MOST_AT_ONCE = 100
WITHIN_SECONDS = 0.02


def write_together() -> None:
    """Have the recorder of this process write every 20 ms what has come by then, 100 at most, in one transaction."""
    from prefect.server.services import task_run_recorder as recorder
    from sqlalchemy.exc import IntegrityError

    consume, record = recorder.consumer, recorder.record_bulk_task_run_events

    def consume_soon(write_batch_size: int, flush_every: float, **more: Any) -> Any:
        return consume(write_batch_size=max(write_batch_size, MOST_AT_ONCE), flush_every=WITHIN_SECONDS, **more)  # type: ignore[arg-type]

    async def record_what_can_be(events: list[Any]) -> None:
        """One of a flow run that was deleted meanwhile is passed over, and takes none of the others with it."""
        try:
            await record(events)
        except IntegrityError:
            if len(events) == 1:
                raise
            for event in events:
                await recorder.record_task_run_event(event)

    recorder.consumer = consume_soon  # type: ignore[assignment]
    recorder.record_bulk_task_run_events = record_what_can_be
