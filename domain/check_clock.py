"""The clock of the scheduled check: how much of what it shows may be believed. When it is late: domain/lateness.py.

Nothing here reads a clock: every moment is an argument, aware.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

READINGS = 8
"""How many runs back the clocks of other checkers count. One that has run for the last time is waited for so long."""
_LONGEST_WAIT = timedelta(hours=1)
_LONG_AGO = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True)
class Reading:
    """What a checker's clock showed when one of its runs began."""

    checker: str
    at: datetime


def believed(now: datetime, checker: str, readings: Sequence[Reading]) -> datetime:
    """Return the moment until which deadlines are over beyond doubt: long ago when there is nothing to compare with.

    `readings` are those of the runs before, newest first; the first READINGS of them count. It is the earliest of this
    run's clock, of the same checker's the run before, and of the last one that every other checker has shown. So one
    clock that is wrong, for a run or for good, lets nothing expire early as long as another reading is right; and a
    right clock that nobody contradicts is believed within two runs.
    """
    newest: dict[str, datetime] = {}
    for reading in readings[:READINGS]:
        newest.setdefault(reading.checker, reading.at)
    return min(now, *newest.values()) if newest else _LONG_AGO


def is_over(at: datetime | None, moment: datetime) -> bool:
    """Whether the time until `at` is over at a moment; None never is."""
    return at is not None and at <= moment


def expiries_wait(moment: datetime, now: datetime) -> bool:
    """Whether what came due lately does not expire yet: after a gap or a jump, or while checkers' clocks disagree."""
    return now - moment > _LONGEST_WAIT
