"""When something is due: elapsed time, wall time, business days, a moment of the week; when a reminder comes again.

Times are aware and come out in UTC. A wall time in a gap moves forward by the gap, one in a fold takes the first
(RFC 5545, 3.3.5).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from domain import days_off
from domain.durations import Deadline, Rhythm, Unit, WeekMoment
from domain.nearest import instead_of
from domain.plan_words import Calendar

_ELAPSED = {Unit.MINUTE: timedelta(minutes=1), Unit.HOUR: timedelta(hours=1)}
_WALL = {Unit.DAY: timedelta(days=1), Unit.WEEK: timedelta(weeks=1)}
_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Pause:
    """While a clock stood still. Both moments are aware."""

    began_at: datetime
    ended_at: datetime


def due_at(start: datetime, deadline: Deadline, calendar: Calendar) -> datetime:
    """Return when something is due by a clock that began at `start` (aware), in UTC.

    Minutes and hours are elapsed time. Days, weeks and business days keep the time of day in the calendar's zone;
    weekends, holidays and closures are not counted as business days. A moment of the week is the first one that is
    later than `start`. Raises ValueError when `start` has no zone.
    """
    if isinstance(deadline, WeekMoment):
        return _next_in_week(start, deadline, calendar)
    return _due_after(start, deadline.amount, deadline.unit, calendar)


def due_after_pauses(start: datetime, deadline: Deadline, calendar: Calendar, pauses: Iterable[Pause]) -> datetime:
    """Return when something is due by a clock that stood still during `pauses` (in their order), in UTC.

    What was left of a span when a pause began is left when it ends. Of business days, only time on business days is
    left, 24 hours a day; of everything else, elapsed time. A moment of the week that came within a pause is the first
    one after it. What was over when a pause began stays as it was.
    """
    due = due_at(start, deadline, calendar)
    for pause in pauses:
        if pause.began_at < due:
            due = _after_pause(due, deadline, calendar, pause)
    return due


def next_reminder(asked_at: datetime, rhythm: Rhythm, calendar: Calendar, after: datetime) -> datetime:
    """Return the first reminder since `asked_at` that is strictly later than `after`, in UTC.

    The last pause of the rhythm comes again and again. Reminders that were missed meanwhile are skipped. Raises
    ValueError when a time has no zone.
    """
    *first, last = rhythm.pauses
    for pause in first:
        asked_at = due_at(asked_at, pause, calendar)
        if asked_at > _aware(after):
            return asked_at
    rounds = max(1, _spans_between(asked_at, after, last.unit, calendar) // last.amount - 1)
    while (due := _due_after(asked_at, rounds * last.amount, last.unit, calendar)) <= after:
        rounds += 1
    return due


def is_business_day(day: date, calendar: Calendar) -> bool:
    """Whether this is neither a weekend nor a holiday of the calendar, and the company is not closed."""
    if any(closure.first <= day <= closure.last for closure in calendar.closures):
        return False
    if calendar.holidays is None:
        return day.weekday() < 5
    return day not in days_off.in_year(calendar.holidays, day.year)


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
    of_holidays = [] if calendar.holidays is None else days_off.problems(calendar.holidays)
    return [*_zone_problems(calendar.time_zone), *of_holidays]


def _next_in_week(start: datetime, moment: WeekMoment, calendar: Calendar) -> datetime:
    """The moment itself is compared and not the wall, so that one which a gap has moved forward is not passed over."""
    yesterday = _wall_time(start, calendar).date() - _ONE_DAY
    days = (day for day in _days(yesterday, yesterday + 9 * _ONE_DAY) if day.weekday() == moment.weekday)
    moments = (_in_utc(datetime.combine(day, moment.at), calendar) for day in days)
    return next(at for at in moments if at > start)


def _after_pause(due: datetime, deadline: Deadline, calendar: Calendar, pause: Pause) -> datetime:
    if isinstance(deadline, WeekMoment):
        return due if pause.ended_at < due else due_at(pause.ended_at, deadline, calendar)
    if deadline.unit is not Unit.BUSINESS_DAY:
        return due + (pause.ended_at - pause.began_at)
    left = _business_time(_wall_time(pause.began_at, calendar), _wall_time(due, calendar), calendar)
    return _in_utc(_after_business_time(_wall_time(pause.ended_at, calendar), left, calendar), calendar)


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


@lru_cache(maxsize=1)
def _known_zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _zone_problems(name: str) -> list[str]:
    if name in _known_zones():
        return []
    return [f"“{name}” is not a time zone; {instead_of(name, _known_zones(), 'Europe/Zurich')}."]
