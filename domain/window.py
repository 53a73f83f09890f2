"""Whether a window is open, and when it opens next: dates, weekdays, hours, holidays of the plan's calendar, freezes.

A moment counts by the clock on the wall in the calendar's zone, so an hour that a change of the clocks leaves out is
never open, and one that comes twice is open twice. Hours such as 22:00-04:00 go over midnight: a night belongs to the
day on which it begins, and a freeze closes it at its own midnight.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from domain.deadlines import is_business_day, start_of_day
from domain.plan import Calendar, Days, WindowGate

_ONE_DAY = timedelta(days=1)
_ONE_MINUTE = timedelta(minutes=1)
_DAY_AND_NIGHT = timedelta(hours=50)  # a day and the one after it, were the clocks set back on both
_MIDNIGHT = time()
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
HORIZON = timedelta(days=3653)
"""How far ahead an opening is looked for: ten years."""


def is_open(gate: WindowGate, moment: datetime, calendar: Calendar) -> bool:
    """Whether the window is open at a moment (aware)."""
    wall = moment.astimezone(ZoneInfo(calendar.time_zone))
    begin, end = _hours(gate)
    day, clock = wall.date(), wall.time()
    if end is None or begin < end:
        return begin <= clock and (end is None or clock < end) and _is_a_day(gate, day, calendar)
    return _is_in_the_night(gate, day, clock, calendar)


def next_opening(gate: WindowGate, moment: datetime, calendar: Calendar) -> datetime | None:
    """Return when the window is open for the first time from `moment` (aware) on, in UTC: perhaps at once.

    None when that is not within ten years. Openings begin at whole minutes.
    """
    start = moment.astimezone(UTC)
    if is_open(gate, start, calendar):
        return start
    minute = start.replace(second=0, microsecond=0) + _ONE_MINUTE
    for day in _days_on(gate, minute.astimezone(ZoneInfo(calendar.time_zone)).date() - _ONE_DAY):
        if _is_a_day(gate, day, calendar) and (found := _first_minute(gate, day, minute, calendar)):
            return found
    return None


def ever_opens(gate: WindowGate, calendar: Calendar) -> bool:
    """Whether there is any moment at which the window is open, were it in the past or in the future."""
    first = min((days.first for days in gate.dates), default=date(2026, 1, 1))
    return next_opening(gate, datetime.combine(first, _MIDNIGHT, UTC) - 2 * _ONE_DAY, calendar) is not None


def _hours(gate: WindowGate) -> tuple[time, time | None]:
    """Return from when to when; None is the end of the day."""
    if gate.hours is None:
        return _MIDNIGHT, None
    begin, _, end = gate.hours.partition("-")
    return time.fromisoformat(begin), None if end in ("24:00", "00:00") else time.fromisoformat(end)


def _is_in_the_night(gate: WindowGate, day: date, clock: time, calendar: Calendar) -> bool:
    begin, end = _hours(gate)
    if clock >= begin:
        return _is_a_day(gate, day, calendar)
    return (
        end is not None and clock < end and not _is_in(gate.freezes, day) and _is_a_day(gate, day - _ONE_DAY, calendar)
    )


def _is_a_day(gate: WindowGate, day: date, calendar: Calendar) -> bool:
    """Whether the window opens on a day, whatever the hour."""
    if gate.dates and not _is_in(gate.dates, day):
        return False
    if gate.weekdays and _WEEKDAYS[day.weekday()] not in gate.weekdays:
        return False
    if gate.business_days and not is_business_day(day, calendar):
        return False
    return not _is_in(gate.freezes, day)


def _is_in(spans: list[Days], day: date) -> bool:
    return any(days.first <= day <= days.last for days in spans)


def _days_on(gate: WindowGate, first: date) -> Iterator[date]:
    """Yield the days from `first` on that are worth a look: past the dates and within ten years there are none."""
    last = min(max((days.last for days in gate.dates), default=date.max), first + HORIZON)
    return (first + timedelta(days=number) for number in range((last - first).days + 1))


def _first_minute(gate: WindowGate, day: date, not_before: datetime, calendar: Calendar) -> datetime | None:
    """Return the first open minute of a day, or of the night that begins on it."""
    begin = start_of_day(day, calendar)
    start = max(begin, not_before)
    minutes = (start + number * _ONE_MINUTE for number in range((begin + _DAY_AND_NIGHT - start) // _ONE_MINUTE))
    return next((minute for minute in minutes if is_open(gate, minute, calendar)), None)
