"""What a calendar comes to, as a digest: it is another one as soon as a day off or a change of the clocks is.

A newer list of holidays or of time zones, another closure of the company: whatever was reckoned before is then reckoned
anew (operations/follow_calendar.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from domain import days_off
from domain.evidence import digest
from domain.plan_words import Calendar

_YEARS = range(2024, 2041)
_ONE_DAY = timedelta(days=1)


@lru_cache(maxsize=256)
def digest_of(calendar: Calendar) -> str:
    """Return the digest of a calendar: of how it is written, its days off and its changes of the clocks, 2024 to 2040.

    Two calendars that are written differently never share one. It holds for as long as the process runs, since so do
    the lists of holidays and zones that were read.
    """
    holidays = () if calendar.holidays is None else _holidays(calendar.holidays)
    zone = [[at.isoformat(), str(offset)] for at, offset in _changes(calendar.time_zone)]
    return digest([calendar.model_dump(mode="json"), [day.isoformat() for day in holidays], zone])


def _changes(time_zone: str) -> Iterator[tuple[datetime, timedelta]]:
    """Yield when a zone's offset from UTC changes (aware, in UTC) and to what, the one it begins with first."""
    zone = ZoneInfo(time_zone)
    day, end = datetime(_YEARS.start, 1, 1, tzinfo=UTC), datetime(_YEARS.stop, 1, 1, tzinfo=UTC)
    yield day, _offset(day, zone)
    while day < end:
        if _offset(day, zone) != _offset(day + _ONE_DAY, zone):
            at = _first_change(day, zone)
            yield at, _offset(at, zone)
        day += _ONE_DAY


def _first_change(day: datetime, zone: ZoneInfo) -> datetime:
    """Return the second of a day (24 hours from `day` on) from which the offset is the one that the day ends with."""
    before, after = 0, 24 * 60 * 60
    while after - before > 1:
        middle = (before + after) // 2
        is_before = _offset(day + timedelta(seconds=middle), zone) == _offset(day, zone)
        before, after = (middle, after) if is_before else (before, middle)
    return day + timedelta(seconds=after)


def _offset(at: datetime, zone: ZoneInfo) -> timedelta:
    return at.astimezone(zone).utcoffset() or timedelta()


def _holidays(name: str) -> list[date]:
    return sorted(day for year in _YEARS for day in days_off.in_year(name, year))
