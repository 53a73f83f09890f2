"""Hears of flow runs that are to be run from Prefect's events, so that nobody waits for the next poll.

Events are a hint: the poll of the worker goes on, and finds what was missed while the events were not heard.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID

from prefect.events.clients import get_events_subscriber
from prefect.events.filters import EventAnyResourceFilter, EventFilter, EventNameFilter
from prefect.logging import get_logger

log = get_logger("etappe.warm")

TO_BE_RUN = ["prefect.flow-run.Scheduled", "prefect.flow-run.Resuming", "prefect.flow-run.AwaitingRetry"]
LOOK_AGAIN_SECONDS = (0.05, 0.2)
"""An event is sent just before its change is committed, so the first look may come too early."""
PAUSE_SECONDS = 2.0
"""How long to wait before listening again after that has failed."""


class Wakes:
    """Calls `look` soon after something has come to be run; many at once are one call."""

    def __init__(self, look: Callable[[], Awaitable[object]], work_pool: Callable[[], UUID | None]) -> None:
        """`work_pool` is the id of the pool whose flow runs are listened for, None while it is not known."""
        self._look, self._work_pool = look, work_pool
        self._something = asyncio.Event()

    def now(self) -> None:
        """Have `look` called as soon as possible."""
        self._something.set()

    async def follow(self) -> None:
        """Look whenever something is heard of, until cancelled."""
        pauses: tuple[float, ...] = ()
        while True:
            try:
                async with asyncio.timeout(pauses[0] if pauses else None):
                    await self._something.wait()
                self._something.clear()
                pauses = LOOK_AGAIN_SECONDS
            except TimeoutError:
                pauses = pauses[1:]
            await self._look_once()

    async def listen(self) -> None:
        """Listen to Prefect's events, until cancelled; again and again when that fails."""
        while True:
            try:
                if pool := self._work_pool():
                    await self._listen(pool)
            except Exception as error:  # noqa: BLE001 - whatever it is, the poll goes on, and listening is tried again
                log.debug("events are not heard: %s", error)
            await asyncio.sleep(PAUSE_SECONDS)

    async def _listen(self, pool: UUID) -> None:
        wanted = EventFilter(
            event=EventNameFilter(name=TO_BE_RUN),
            any_resource=EventAnyResourceFilter(id=[f"prefect.work-pool.{pool}"]),
        )
        async with get_events_subscriber(filter=wanted) as events:
            async for _ in events:
                self.now()

    async def _look_once(self) -> None:
        try:
            await self._look()
        except Exception as error:  # noqa: BLE001 - the worker's own poll says what is wrong, and slows down
            log.debug("looking for flow runs failed: %s", error)
