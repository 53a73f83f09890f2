"""When something is due: elapsed time, wall time and business days, and when a reminder comes round again.

Times are aware and come out in UTC. A wall time in a gap moves forward by the gap, one in a fold takes the first
(RFC 5545, 3.3.5).
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from domain.durations import Duration, Every, Unit
from domain.plan import Calendar

_ELAPSED = {Unit.MINUTE: timedelta(minutes=1), Unit.HOUR: timedelta(hours=1)}
_WALL = {Unit.DAY: timedelta(days=1), Unit.WEEK: timedelta(weeks=1)}
_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Pause:
    """While a clock stood still. Both moments are aware."""

    began_at: datetime
    ended_at: datetime


def due_at(start: datetime, duration: Duration, calendar: Calendar) -> datetime:
    """Return when a span that begins at `start` (aware) is over, in UTC.

    Minutes and hours are elapsed time. Days, weeks and business days keep the time of day in the calendar's zone;
    weekends and holidays are not counted as business days. Raises ValueError when `start` has no zone.
    """
    return _due_after(start, duration.amount, duration.unit, calendar)


def due_after_pauses(start: datetime, duration: Duration, calendar: Calendar, pauses: Iterable[Pause]) -> datetime:
    """Return when a span is over whose clock stood still during `pauses` (in their order), in UTC.

    What was left when a pause began is left when it ends. Of business days, only time on business days is left, 24
    hours a day; of everything else, elapsed time. What was over when a pause began stays as it was.
    """
    due = due_at(start, duration, calendar)
    for pause in pauses:
        if pause.began_at >= due:
            continue
        if duration.unit is Unit.BUSINESS_DAY:
            left = _business_time(_wall_time(pause.began_at, calendar), _wall_time(due, calendar), calendar)
            due = _in_utc(_after_business_time(_wall_time(pause.ended_at, calendar), left, calendar), calendar)
        else:
            due += pause.ended_at - pause.began_at
    return due


def next_reminder(opened_at: datetime, every: Every, calendar: Calendar, after: datetime) -> datetime:
    """Return the first multiple of a repetition since `opened_at` that is strictly later than `after`, in UTC.

    Multiples that were missed meanwhile are skipped. Raises ValueError when a time has no zone.
    """
    rounds = max(1, _spans_between(opened_at, after, every.unit, calendar) // every.amount - 1)
    while (due := _due_after(opened_at, rounds * every.amount, every.unit, calendar)) <= after:
        rounds += 1
    return due


def is_business_day(day: date, calendar: Calendar) -> bool:
    """Whether this is neither a weekend nor a holiday of the calendar."""
    if calendar.holidays is None:
        return day.weekday() < 5
    return day not in _days_off(calendar.holidays, day.year)


def start_of_day(day: date, calendar: Calendar) -> datetime:
    """Return when a day begins in the calendar's zone, in UTC."""
    return _in_utc(datetime.combine(day, time()), calendar)


def end_of_day(day: date, calendar: Calendar) -> datetime:
    """Return the last second of a day in the calendar's zone, in UTC: a moment that reads as that day."""
    return start_of_day(day + _ONE_DAY, calendar) - timedelta(seconds=1)


def day_of(moment: datetime, calendar: Calendar) -> date:
    """Return the day that a moment (aware) falls on in the calendar's zone. Raises ValueError without a zone."""
    return _wall_time(moment, calendar).date()


def check_calendar(calendar: Calendar) -> list[str]:
    """Return a sentence for an unknown time zone and one for unknown holidays, each with the nearest known one."""
    return [*_zone_problems(calendar.time_zone), *_holiday_problems(calendar.holidays)]


def _due_after(start: datetime, amount: int, unit: Unit, calendar: Calendar) -> datetime:
    if unit in _ELAPSED:
        return _aware(start).astimezone(UTC) + amount * _ELAPSED[unit]
    wall = _wall_time(start, calendar)
    if unit in _WALL:
        return _in_utc(wall + amount * _WALL[unit], calendar)
    return _in_utc(datetime.combine(_business_day_after(wall.date(), amount, calendar), wall.time()), calendar)


def _spans_between(start: datetime, end: datetime, unit: Unit, calendar: Calendar) -> int:
    """Return about how many units lie between two times: never two more than there are."""
    if unit in _ELAPSED:
        return (_aware(end) - _aware(start)) // _ELAPSED[unit]
    first, last = _wall_time(start, calendar), _wall_time(end, calendar)
    if unit in _WALL:
        return (last - first) // _WALL[unit]
    return sum(is_business_day(day, calendar) for day in _days(first.date() + _ONE_DAY, last.date()))


def _business_day_after(day: date, amount: int, calendar: Calendar) -> date:
    while amount:
        day += _ONE_DAY
        amount -= is_business_day(day, calendar)
    return day


def _business_time(start: datetime, end: datetime, calendar: Calendar) -> timedelta:
    """Return how much of the time between two wall times lies on business days."""
    whole = sum(is_business_day(day, calendar) for day in _days(start.date(), end.date() - _ONE_DAY))
    return max(whole * _ONE_DAY + _time_of_business_day(end, calendar) - _time_of_business_day(start, calendar),
               timedelta())  # fmt: skip


def _time_of_business_day(wall: datetime, calendar: Calendar) -> timedelta:
    return wall - datetime.combine(wall.date(), time()) if is_business_day(wall.date(), calendar) else timedelta()


def _after_business_time(start: datetime, left: timedelta, calendar: Calendar) -> datetime:
    """Return the wall time at which so much time of business days has gone by since `start`."""
    first = start.date() if is_business_day(start.date(), calendar) else _business_day_after(start.date(), 1, calendar)
    days, rest = divmod(_time_of_business_day(start, calendar) + left, _ONE_DAY)
    return datetime.combine(_business_day_after(first, days, calendar), time()) + rest


def _days(first: date, last: date) -> Iterator[date]:
    return (first + timedelta(days=number) for number in range((last - first).days + 1))


def _aware(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError(f"{moment.isoformat()} has no time zone")
    return moment


def _wall_time(moment: datetime, calendar: Calendar) -> datetime:
    return _aware(moment).astimezone(ZoneInfo(calendar.time_zone)).replace(tzinfo=None, fold=0)


def _in_utc(wall: datetime, calendar: Calendar) -> datetime:
    """With fold=0 a gap counts by the offset before it, which moves forward, and a fold is its first (PEP 495)."""
    return wall.replace(tzinfo=ZoneInfo(calendar.time_zone)).astimezone(UTC)


@lru_cache(maxsize=1024)
def _days_off(name: str, year: int) -> frozenset[date]:
    """Return the weekends and holidays of a year for CH or CH-ZH.

    A whole year at once, from a calendar of its own: those of `holidays` fill up while they are read, and two threads
    that share one can miss a holiday.
    """
    import holidays  # slow to import, and most commands do without

    country, _, subdivision = name.partition("-")
    known = holidays.country_holidays(country, subdiv=subdivision or None, years=year)
    return frozenset(day for day in _days(date(year, 1, 1), date(year, 12, 31)) if not known.is_working_day(day))


@lru_cache(maxsize=1)
def _known_holidays() -> dict[str, list[str]]:
    import holidays  # slow to import, and most commands do without

    return dict(holidays.list_supported_countries())


@lru_cache(maxsize=1)
def _known_zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _zone_problems(name: str) -> list[str]:
    if name in _known_zones():
        return []
    return [f"“{name}” is not a time zone; {_instead(name, _known_zones(), 'Europe/Zurich')}."]


def _holiday_problems(name: str | None) -> list[str]:
    if name is None:
        return []
    country, dash, subdivision = name.partition("-")
    if country not in _known_holidays():
        return [f"“{country}” is not a country whose holidays are known; {_instead(name, _known_names(), 'CH-ZH')}."]
    if dash and subdivision not in _known_holidays()[country]:
        ours = [known for known in _known_names() if known.startswith(f"{country}-")]
        return [f"“{country}” has no part “{subdivision}” whose holidays are known; {_instead(name, ours, country)}."]
    return []


def _known_names() -> list[str]:
    return [
        name
        for country, parts in _known_holidays().items()
        for name in (country, *(f"{country}-{part}" for part in parts))
    ]


def _instead(name: str, known: Iterable[str], otherwise: str) -> str:
    by_small = {other.lower(): other for other in sorted(known)}
    nearest = difflib.get_close_matches(name.lower(), by_small, n=1)
    return f"write {by_small[nearest[0]]}" if nearest else f"write for instance {otherwise}"
