"""Every change of the clocks in every zone, 2024 to 2029, with four kinds of deadlines that fall into it.

The oracle reads the wall minute by minute around the change: a deadline is reached at the first minute that shows its
time, or, where a gap leaves that out, at the minute that shows it later by the length of the gap.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

import holidays

from domain.deadlines import due_at
from domain.durations import Duration, Unit, WeekMoment
from domain.plan import Calendar

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
BEGIN, END = datetime(2024, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC)
WEEKENDS = (None, "JO", "IR", "IL", "EG", "VE", "HK")
"""Calendars by which Friday, Saturday or Sunday is a business day: clocks mostly change on a Sunday."""


@dataclass(frozen=True)
class Change:
    """A change of the clocks: its first minute, and by how much the wall jumps."""

    zone: ZoneInfo
    at: datetime
    jump: timedelta

    @property
    def wall(self) -> datetime:
        """A time that the wall does not show, or shows twice."""
        return (_wall(self.at, self.zone) - self.jump / 2).replace(second=0)

    def reached_at(self, wanted: datetime) -> datetime:
        """Read the wall, minute by minute."""
        minutes = [self.at + number * MINUTE for number in range(-125, 126)]
        shown = {(shown := _wall(minute, self.zone)): minute for minute in reversed(minutes)}
        return shown[wanted] if wanted in shown else shown[wanted + self.jump]


def _wall(at: datetime, zone: ZoneInfo) -> datetime:
    return at.astimezone(zone).replace(tzinfo=None, fold=0)


def _offset(at: datetime, zone: ZoneInfo) -> timedelta:
    offset = at.astimezone(zone).utcoffset()
    assert offset is not None
    return offset


@cache
def changes() -> list[Change]:
    return [change for name in sorted(available_timezones()) for change in _changes_in(ZoneInfo(name))]


def _changes_in(zone: ZoneInfo) -> Iterator[Change]:
    week = 4 * DAY
    at = BEGIN
    while at < END:
        if (before := _offset(at, zone)) != (after := _offset(at + week, zone)):
            first, last = 0, int(week / MINUTE)
            while last - first > 1:
                middle = (first + last) // 2
                first, last = (middle, last) if _offset(at + middle * MINUTE, zone) == before else (first, middle)
            yield Change(zone, at + last * MINUTE, after - before)
        at += week


def _works_on(name: str | None, day: date) -> bool:
    """Whether a calendar has a business day, as the package sees it."""
    if name is None:
        return day.isoweekday() < 6
    return bool(holidays.country_holidays(name, years=day.year).is_working_day(day))


def _at(day: date, clock: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, clock, tzinfo=zone).astimezone(UTC)


def test_there_are_as_many_changes_as_there_should_be() -> None:
    assert 4 * len(changes()) > 9_000
    assert {change.jump > timedelta() for change in changes()} == {True, False}


def test_elapsed_hours_are_reached_after_exactly_so_many_minutes() -> None:
    for change in changes():
        calendar = Calendar(time_zone=change.zone.key)
        for before in range(0, 180, 30):
            start = change.at - before * MINUTE
            assert due_at(start, Duration(2, Unit.HOUR), calendar) == start + 120 * MINUTE, change


def test_a_day_is_reached_when_the_wall_first_shows_its_time() -> None:
    for change in changes():
        calendar, wanted = Calendar(time_zone=change.zone.key), change.wall
        start = _at(wanted.date() - DAY, wanted.time(), change.zone)
        assert due_at(start, Duration(1, Unit.DAY), calendar) == change.reached_at(wanted), change


def test_a_business_day_is_reached_when_the_wall_first_shows_its_time() -> None:
    for change in changes():
        wanted = change.wall
        name = next(name for name in WEEKENDS if _works_on(name, wanted.date()))
        calendar, day = Calendar(holidays=name, time_zone=change.zone.key), wanted.date() - DAY
        while not _works_on(name, day):
            day -= DAY
        start = _at(day, wanted.time(), change.zone)
        assert due_at(start, Duration(1, Unit.BUSINESS_DAY), calendar) == change.reached_at(wanted), change


def test_a_moment_of_the_week_is_reached_once_and_never_early() -> None:
    """Whenever the clock began: before it is reached it is this one, from then on the one a week later."""
    for change in changes():
        calendar, wanted = Calendar(time_zone=change.zone.key), change.wall
        moment = WeekMoment(wanted.weekday(), wanted.time())
        reached = change.reached_at(wanted)
        for before in (1, 30, 61, 24 * 60, 6 * 24 * 60):
            assert due_at(reached - before * MINUTE, moment, calendar) == reached, change
        for later in (0, 1, 30, 61, 24 * 60):
            following = due_at(reached + later * MINUTE, moment, calendar)
            assert timedelta(days=6, hours=20) < following - reached < timedelta(days=7, hours=4), change
