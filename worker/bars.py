"""Bars in Prefect's timeline, put there by the events with which Prefect's own engine reports its task runs.

Prefect's server writes such a task run as its event says, with the times that it says; nothing else lets a client say
when something was (docs/adr/0016). It takes events without a word about what becomes of them, so whoever sends them
looks whether the bars are there.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4, uuid5

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import State

MOST_AT_ONCE = 200
"""Task runs in one answer: Prefect gives no more."""
PATIENCE_SECONDS = 5.0
"""By when the server has written what it took. It takes some milliseconds, unless it has very much to do."""
PAUSES_SECONDS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32)
LONGEST_MESSAGE = 100_000
"""Letters of a state's message; Prefect's engine cuts there as well."""


@dataclass(frozen=True)
class DrawnBar:
    """A task run as it should look: from `began_at` to `ended_at` (None: it goes on), in `state` since `since`; UTC."""

    task_run_id: UUID
    flow_run_id: str
    task_key: str
    dynamic_key: str
    name: str
    state: State[Any]
    began_at: datetime
    ended_at: datetime | None
    since: datetime

    @property
    def state_id(self) -> UUID:
        """The id of its state: another one for each look, so that one can see whether Prefect shows this one."""
        state = (self.state.type.value, self.state.name, self.state.message)
        look = (self.name, *state, self.began_at, self.ended_at, self.since)
        return uuid5(self.task_run_id, json.dumps(look, default=str))


@dataclass(frozen=True)
class _Shown:
    """What Prefect shows of a bar."""

    state_id: UUID
    since: datetime


def send(client: SyncPrefectClient, bars: Sequence[DrawnBar]) -> None:
    """Have Prefect show these bars. Raises whatever Prefect's client raises when it does not take them."""
    for some in _portions(bars):
        client.request("POST", "/events", json=[_event(bar, bar.since) for bar in some])


def not_shown(client: SyncPrefectClient, bars: Sequence[DrawnBar]) -> set[UUID]:
    """Wait until Prefect shows these bars; return those that it does not show after PATIENCE_SECONDS.

    Prefect keeps a state that is not older than the one it is sent: a clock was set back, or somebody has set it by
    hand. Such a bar is sent once more, with the moment after.
    """
    until, pauses, sent_again = time.monotonic() + PATIENCE_SECONDS, iter(PAUSES_SECONDS), set[UUID]()
    missing = list(bars)
    while missing:
        shown = _shown(client, missing)
        missing = [bar for bar in missing if not _is_shown(bar, shown)]
        covered = [bar for bar in missing if bar.task_run_id not in sent_again and _is_covered(bar, shown)]
        for bar in covered:
            after = shown[bar.task_run_id].since + timedelta(microseconds=1)
            client.request("POST", "/events", json=[_event(bar, after)])
            sent_again.add(bar.task_run_id)
        if time.monotonic() >= until:
            break
        if missing:
            time.sleep(next(pauses, PAUSES_SECONDS[-1]))
    return {bar.task_run_id for bar in missing}


def _shown(client: SyncPrefectClient, bars: Sequence[DrawnBar]) -> dict[UUID, _Shown]:
    found: dict[UUID, _Shown] = {}
    for some in _portions(bars):
        wanted = {"task_runs": {"id": {"any_": [str(bar.task_run_id) for bar in some]}}, "limit": MOST_AT_ONCE}
        for run in client.request("POST", "/task_runs/filter", json=wanted).json():
            if state := run["state"]:
                since = datetime.fromisoformat(state["timestamp"])
                found[UUID(run["id"])] = _Shown(UUID(run["state_id"]), since)
    return found


def _is_shown(bar: DrawnBar, shown: dict[UUID, _Shown]) -> bool:
    there = shown.get(bar.task_run_id)
    return there is not None and there.state_id == bar.state_id


def _is_covered(bar: DrawnBar, shown: dict[UUID, _Shown]) -> bool:
    there = shown.get(bar.task_run_id)
    return there is not None and there.since >= bar.since


def _event(bar: DrawnBar, since: datetime) -> dict[str, Any]:
    """The event of a task run that its client has orchestrated, as Prefect's recorder reads it.

    Each has an id of its own: Prefect passes over one that it has seen in the last minutes, written or not. All have
    the same fields, so that the recorder writes them by one statement.
    """
    state, message = bar.state, (bar.state.message or "")[:LONGEST_MESSAGE] or None
    worked = (bar.ended_at or since) - bar.began_at
    return {
        "id": str(uuid4()),
        "occurred": since.isoformat(),
        "event": f"prefect.task-run.{state.name}",
        "resource": {
            "prefect.resource.id": f"prefect.task-run.{bar.task_run_id}",
            "prefect.resource.name": bar.name,
            "prefect.state-name": state.name,
            "prefect.state-type": state.type.value,
            "prefect.orchestration": "client",
        },
        "related": [
            {"prefect.resource.id": f"prefect.flow-run.{bar.flow_run_id}", "prefect.resource.role": "flow-run"}
        ],
        "payload": {
            "validated_state": {
                "id": str(bar.state_id),
                "type": state.type.value,
                "name": state.name,
                "message": message,
            },
            "task_run": {
                "name": bar.name,
                "task_key": bar.task_key,
                "dynamic_key": bar.dynamic_key,
                "run_count": 1,
                "expected_start_time": bar.began_at.isoformat(),
                "start_time": bar.began_at.isoformat(),
                "end_time": bar.ended_at.isoformat() if bar.ended_at else None,
                "total_run_time": max(0.0, worked.total_seconds()),
            },
        },
    }


def _portions(bars: Sequence[DrawnBar]) -> Iterator[Sequence[DrawnBar]]:
    for first in range(0, len(bars), MOST_AT_ONCE):
        yield bars[first : first + MOST_AT_ONCE]
