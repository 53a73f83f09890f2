"""When a mail goes out: at once, when its reader's quiet hours are over, or on their next morning (ADR 11).

Times of the day are those of the reader's own zone, and business days those of their own holidays. Moments are aware
and come out in UTC.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from domain.deadlines import is_business_day, start_of_day
from domain.durations import Unit
from domain.plan import Calendar, Gate

MORNING = time(8)
"""When the daily digest goes out to whoever has named no other time."""
EVENING = time(20)
"""From then until their morning, nothing that comes by the clock alone reaches whoever has named no quiet hours."""
APART = timedelta(hours=1)
"""Mails that come by the clock alone are at least this far apart for one person."""
PUNCTUAL = timedelta(seconds=5)
"""What goes out within this of being written was not held up."""
_LONGEST_WAIT = 366  # days; nobody is free for longer, and what is told too early is better than never
_ONE_DAY = timedelta(days=1)
_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d", re.ASCII)


class Occasion(StrEnum):
    """Why a mail is written, as far as that says when it goes out."""

    ANSWER = "answer"  # to what its reader did just now: a receipt, a new code
    EVENT = "event"  # somebody is asked, or something has just happened
    PRESSING = "pressing"  # by the clock alone, and tomorrow would be too late
    MORNING = "morning"  # by the clock alone: it waits for the reader's morning, and for company

    @property
    def by_the_clock(self) -> bool:
        """Whether nothing but time that has gone by is the reason."""
        return self in (Occasion.PRESSING, Occasion.MORNING)


@dataclass(frozen=True)
class Quiet:
    """Hours of the day without mail, from `begins` until `ends` (not included), also over midnight."""

    begins: time
    ends: time

    @classmethod
    def parse(cls, text: str) -> Quiet:
        """Read “19:00-07:00”. Raises ValueError with what to write instead."""
        begins, _, ends = text.partition("-")
        if not _CLOCK.fullmatch(begins) or not _CLOCK.fullmatch(ends) or begins == ends:
            raise ValueError(f"“{text}” is not a span of hours; write two times of the day, such as “19:00-07:00”")
        return cls(time.fromisoformat(begins), time.fromisoformat(ends))

    def covers(self, clock: time) -> bool:
        """Whether a time of the day lies in these hours."""
        if self.begins <= self.ends:
            return self.begins <= clock < self.ends
        return clock >= self.begins or clock < self.ends


def parse_clock(text: str) -> time:
    """Read a time of the day, “07:30”. Raises ValueError with what to write instead."""
    if not _CLOCK.fullmatch(text):
        raise ValueError(f"“{text}” is not a time of the day; write it like “07:30”")
    return time.fromisoformat(text)


@dataclass(frozen=True)
class Hours:
    """When somebody is written to: their zone and holidays with the company's closures, and what they have named."""

    calendar: Calendar
    morning: time = MORNING
    quiet: Quiet | None = None

    def are_on(self, day: date) -> bool:
        """Whether a day is a business day of theirs."""
        return is_business_day(day, self.calendar)


def due_at(occasion: Occasion, hours: Hours, now: datetime, *, urgent: bool = False) -> datetime:
    """Return when a mail that is written `now` (aware) goes out, in UTC; `urgent` is what its gate says in the plan.

    Whoever has quiet hours is spared in them, on weekends and on holidays. Nobody else is, but what comes by the clock
    alone keeps everybody's nights and free days. Neither holds back what is urgent, or answers what was done just now.
    """
    if urgent or occasion is Occasion.ANSWER:
        return now.astimezone(UTC)
    if occasion is Occasion.MORNING:
        return _spared(hours, _next_morning(hours, now), hours.quiet)
    night = Quiet(EVENING, hours.morning) if occasion is Occasion.PRESSING else None
    return _spared(hours, now, hours.quiet or night)


def due_again_at(occasion: Occasion, hours: Hours, at: datetime, *, urgent: bool = False) -> datetime:
    """Return when a mail goes out that was held up until `at`: not in quiet hours, and on no other morning."""
    return due_at(Occasion.PRESSING if occasion is Occasion.MORNING else occasion, hours, at, urgent=urgent)


def was_held_up(written: datetime, now: datetime) -> bool:
    """Return whether a mail goes out so long after it was written that its reader may get none by now."""
    return now - written > PUNCTUAL


def next_by_the_clock(last: datetime | None, now: datetime) -> datetime:
    """Return when a mail by the clock that is due `now` may go out, when the `last` one to the same person was then."""
    return now if last is None else max(now, last + APART)


def occasion_of_reminder(gate: Gate) -> Occasion:
    """Return how a gate reminds: who writes “every 4 hours” into a plan does not mean tomorrow."""
    pauses = gate.remind.pauses if gate.remind else ()
    by_the_hour = any(pause.unit in (Unit.MINUTE, Unit.HOUR) for pause in pauses)
    return Occasion.PRESSING if gate.urgent or by_the_hour else Occasion.MORNING


def _next_morning(hours: Hours, now: datetime) -> datetime:
    """Return the first morning of a business day that is not before `now`."""
    morning = _next_at(hours.morning, now, hours.calendar)
    for _ in range(_LONGEST_WAIT):
        if hours.are_on(_wall(morning, hours.calendar).date()):
            break
        morning = _next_at(hours.morning, morning + timedelta(seconds=1), hours.calendar)
    return morning


def _spared(hours: Hours, at: datetime, quiet: Quiet | None) -> datetime:
    """Return the first moment from `at` on that is neither in quiet hours nor on a free day."""
    at = at.astimezone(UTC)
    if quiet is None:
        return at
    for _ in range(2 * _LONGEST_WAIT):
        wall = _wall(at, hours.calendar)
        if not hours.are_on(wall.date()):
            at = start_of_day(wall.date() + _ONE_DAY, hours.calendar)
        elif quiet.covers(wall.time()):
            at = _next_at(quiet.ends, at, hours.calendar)
        else:
            break
    return at


def _next_at(clock: time, at: datetime, calendar: Calendar) -> datetime:
    """Return the first moment from `at` on at which it is that time of the day.

    A time that comes twice counts twice, one that is left out moves forward (RFC 5545, 3.3.5).
    """
    zone, today = ZoneInfo(calendar.time_zone), _wall(at, calendar).date()
    moments = (
        datetime.combine(today + days * _ONE_DAY, clock.replace(fold=fold), zone).astimezone(UTC)
        for days in range(3)
        for fold in (0, 1)
    )
    return next(moment for moment in moments if moment >= at)


def _wall(at: datetime, calendar: Calendar) -> datetime:
    return at.astimezone(ZoneInfo(calendar.time_zone))
