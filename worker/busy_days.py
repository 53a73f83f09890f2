"""Reading an iCalendar (RFC 5545): on which days its owner is away, and nothing else of it.

Whoever wrote it can be anybody, and one line can stand for more events than there is time for. So it is read by a
process of its own, with limits of time and memory and none of our secrets: `python -m worker.busy_days ZONE FIRST LAST`
reads the calendar and writes pairs of days as JSON.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from domain.absence import Days, days_away, is_busy
from domain.delegation import Term
from settings import CHECKOUT

SECONDS = 10
MEMORY = 1 << 30
_A_DAY = timedelta(days=1)
_BUSY = ("BUSY", "BUSY-UNAVAILABLE")  # of FBTYPE (RFC 5545, 3.2.9)


class NotRead(Exception):
    """It cannot be read as a calendar; why, in English, in small letters."""


def read_apart(content: bytes, time_zone: str, window: Days, seconds: float = SECONDS) -> list[Days]:
    """Return what `days_in` does, from a process that is ended when it takes too long. Raises NotRead."""
    days = (window.first.isoformat(), window.last.isoformat())
    try:
        done = subprocess.run(
            [sys.executable, "-m", "worker.busy_days", time_zone, *days],
            input=content, capture_output=True, timeout=seconds, cwd=CHECKOUT, env={}, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise NotRead("it takes too long to read; are there events that repeat every second?") from None
    if done.returncode:
        raise NotRead("it cannot be read as a calendar (text/calendar)")
    return [Days(*map(date.fromisoformat, pair)) for pair in json.loads(done.stdout)]


def days_in(content: bytes, time_zone: str, window: Days) -> list[Days]:
    """Return the days of a window on which a calendar shows its owner as away, in an IANA zone.

    Times without a zone, or with one that nobody knows, are meant in the owner's. Raises whatever the reading raises.
    """
    from icalendar import Calendar  # only the process that reads needs it

    calendar = Calendar.from_ical(content)
    if calendar.name != "VCALENDAR":
        raise ValueError("not a calendar")
    zone = ZoneInfo(time_zone)
    return days_away([*_events(calendar, zone, window), *_busy_times(calendar, zone)], time_zone, window)


def _events(calendar: Any, zone: ZoneInfo, window: Days) -> Iterator[Term]:
    import recurring_ical_events  # type: ignore[import-untyped]  # it says nothing of its types

    query = recurring_ical_events.of(calendar, skip_bad_series=True)
    for event in query.between(window.first - _A_DAY, window.last + 2 * _A_DAY):  # whatever zone they are in
        said = (str(event.get(name, "")) for name in ("STATUS", "TRANSP", "X-MICROSOFT-CDO-BUSYSTATUS"))
        if is_busy(*said):
            yield Term(_moment(event.start, zone), _moment(event.end, zone))


def _busy_times(calendar: Any, zone: ZoneInfo) -> Iterator[Term]:
    for component in calendar.walk("VFREEBUSY"):
        given = component.get("FREEBUSY", [])
        for period in given if isinstance(given, list) else [given]:
            if period.params.get("FBTYPE", "BUSY").upper() in _BUSY:
                yield Term(_moment(period.start, zone), _moment(period.end, zone))


def _moment(at: date, zone: ZoneInfo) -> datetime:
    """A day begins where the owner lives; the end of an event is not included (RFC 5545, 3.6.1)."""
    wall = at if isinstance(at, datetime) else datetime.combine(at, time())
    aware = wall if wall.tzinfo else wall.replace(tzinfo=zone)
    return aware.astimezone(UTC)


def main(time_zone: str, first: str, last: str) -> None:
    """Read a calendar from the standard input, and write the days."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))  # also when nobody waits for it any more
    window = Days(date.fromisoformat(first), date.fromisoformat(last))
    found = days_in(sys.stdin.buffer.read(), time_zone, window)
    sys.stdout.write(json.dumps([(days.first.isoformat(), days.last.isoformat()) for days in found]))


if __name__ == "__main__":
    main(*sys.argv[1:])
