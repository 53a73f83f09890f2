"""When a window is open and when it opens next: against the clock on the wall, read minute by minute."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import holidays
import pytest
from hypothesis import given
from hypothesis import settings as budget
from hypothesis import strategies as st

from domain.plan import Calendar, Days, WindowGate
from domain.window import ever_opens, is_open, next_opening

ZURICH = Calendar(holidays="CH-ZH", time_zone="Europe/Zurich")
WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


def window(**rules: Any) -> WindowGate:
    return WindowGate.model_validate({"id": "window", "title": "Window", "kind": "window", **rules})


def at(text: str, zone: str = "Europe/Zurich") -> datetime:
    """A wall time such as 2026-03-02 09:00, the first of two; with “+” at its end, the second."""
    wall = datetime.fromisoformat(text.removesuffix("+")).replace(fold=int(text.endswith("+")))
    return wall.replace(tzinfo=ZoneInfo(zone))


def opening(gate: WindowGate, moment: str, calendar: Calendar = ZURICH) -> str | None:
    """When it opens next, on the wall."""
    found = next_opening(gate, at(moment, calendar.time_zone), calendar)
    return f"{found.astimezone(ZoneInfo(calendar.time_zone)):%a %Y-%m-%d %H:%M}" if found else None


OFFICE = window(weekdays=["monday", "tuesday"], hours="09:00-17:00")


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-03-02 08:59:59.999999", False),
        ("2026-03-02 09:00", True),
        ("2026-03-02 16:59:59.999999", True),
        ("2026-03-02 17:00", False),
        ("2026-03-03 12:00", True),
        ("2026-03-04 12:00", False),
    ],
)
def test_it_is_open_from_its_first_minute_until_before_its_last(moment: str, expected: bool) -> None:
    assert is_open(OFFICE, at(moment), ZURICH) is expected


def test_until_24_00_is_until_the_day_is_over() -> None:
    gate = window(hours="20:00-24:00")
    assert is_open(gate, at("2026-03-02 23:59:59"), ZURICH)
    assert not is_open(gate, at("2026-03-03 00:00"), ZURICH)


def test_the_next_opening_is_now_or_the_first_minute_of_the_next_one() -> None:
    assert opening(OFFICE, "2026-03-02 10:30") == "Mon 2026-03-02 10:30"
    assert opening(OFFICE, "2026-03-02 17:00") == "Tue 2026-03-03 09:00"
    assert opening(OFFICE, "2026-03-03 17:00") == "Mon 2026-03-09 09:00"


def test_holidays_and_freezes_are_passed_over() -> None:
    gate = window(business_days=True, freezes=[{"first": "2026-04-07", "last": "2026-04-10"}])
    assert opening(gate, "2026-04-03 08:00") == "Mon 2026-04-13 00:00"  # Good Friday, Easter Monday, then the freeze


def test_several_dates_open_each_on_its_own_days() -> None:
    dates = [{"first": "2026-05-04", "last": "2026-05-05"}, {"first": "2026-06-01", "last": "2026-06-01"}]
    gate = window(dates=dates, hours="08:00-10:00")
    assert opening(gate, "2026-03-02 09:00") == "Mon 2026-05-04 08:00"
    assert opening(gate, "2026-05-05 10:00") == "Mon 2026-06-01 08:00"
    assert opening(gate, "2026-06-01 10:00") is None


class TestNights:
    """Hours over midnight belong to the day on which they begin."""

    GATE = window(weekdays=["friday"], hours="22:00-04:00")

    def test_a_friday_night_ends_on_saturday(self) -> None:
        assert is_open(self.GATE, at("2026-03-06 22:00"), ZURICH)
        assert is_open(self.GATE, at("2026-03-07 03:59"), ZURICH)
        assert not is_open(self.GATE, at("2026-03-07 04:00"), ZURICH)
        assert not is_open(self.GATE, at("2026-03-06 03:00"), ZURICH)
        assert opening(self.GATE, "2026-03-07 04:00") == "Fri 2026-03-13 22:00"

    def test_a_freeze_closes_a_night_at_midnight(self) -> None:
        gate = window(hours="22:00-04:00", freezes=[{"first": "2026-03-07", "last": "2026-03-07"}])
        assert is_open(gate, at("2026-03-06 23:59"), ZURICH)
        assert not is_open(gate, at("2026-03-07 00:00"), ZURICH)
        assert opening(gate, "2026-03-07 00:00") == "Sun 2026-03-08 22:00"

    def test_until_00_00_is_until_the_day_is_over(self) -> None:
        gate = window(hours="22:00-00:00")
        assert is_open(gate, at("2026-03-06 23:59"), ZURICH)
        assert not is_open(gate, at("2026-03-07 00:00"), ZURICH)


class TestClocksThatChange:
    """In Zurich, 02:00 to 03:00 is left out on 29 March 2026, and comes twice on 25 October 2026."""

    def test_an_hour_that_is_left_out_is_not_open_that_day(self) -> None:
        assert opening(window(hours="02:15-02:45"), "2026-03-28 03:00") == "Mon 2026-03-30 02:15"

    def test_a_window_that_begins_in_it_opens_when_the_clocks_have_changed(self) -> None:
        assert opening(window(hours="02:30-05:00"), "2026-03-29 00:00") == "Sun 2026-03-29 03:00"

    def test_an_hour_that_comes_twice_is_open_twice(self) -> None:
        gate = window(hours="02:00-02:30")
        assert is_open(gate, at("2026-10-25 02:10"), ZURICH)
        assert is_open(gate, at("2026-10-25 02:10+"), ZURICH)
        again = next_opening(gate, at("2026-10-25 02:30"), ZURICH)
        assert again == at("2026-10-25 02:00+").astimezone(UTC)


def test_one_that_never_opens_again_says_so() -> None:
    assert next_opening(window(weekdays=["saturday"], business_days=True), at("2026-03-02 09:00"), ZURICH) is None
    past = window(dates=[{"first": "2026-01-05", "last": "2026-01-09"}])
    assert next_opening(past, at("2026-03-02 09:00"), ZURICH) is None


@pytest.mark.parametrize(
    ("rules", "opens"),
    [
        ({"dates": [{"first": "2024-01-05", "last": "2024-01-09"}]}, True),
        ({"weekdays": ["sunday"], "business_days": True}, False),
        ({"dates": [{"first": "2026-03-07", "last": "2026-03-08"}], "business_days": True}, False),
        ({"dates": [{"first": "2026-03-02", "last": "2026-03-02"}], "weekdays": ["tuesday"]}, False),
        (
            {
                "dates": [{"first": "2026-03-02", "last": "2026-03-03"}],
                "freezes": [{"first": "2026-03-01", "last": "2026-03-03"}],
            },
            False,
        ),
        ({"freezes": [{"first": "2026-01-01", "last": "2030-12-31"}]}, True),
    ],
)
def test_whether_it_ever_opens_does_not_depend_on_today(rules: dict[str, Any], opens: bool) -> None:
    assert ever_opens(window(**rules), ZURICH) is opens


FIRST = date(2026, 1, 1)
SPANS = st.lists(
    st.tuples(st.integers(0, 364), st.integers(0, 9)).map(
        lambda span: {
            "first": str(FIRST + timedelta(days=span[0])),
            "last": str(FIRST + timedelta(days=span[0] + span[1])),
        }
    ),
    max_size=3,
)
CLOCK = st.tuples(st.integers(0, 23), st.sampled_from([0, 1, 15, 30, 59]))
HOURS = st.one_of(
    st.none(),
    st.tuples(CLOCK, st.one_of(CLOCK, st.just((24, 0))))
    .filter(lambda pair: pair[0] != pair[1])
    .map(lambda pair: f"{pair[0][0]:02}:{pair[0][1]:02}-{pair[1][0]:02}:{pair[1][1]:02}"),
)
WINDOWS = st.builds(
    window,
    dates=st.one_of(st.just([]), SPANS),
    weekdays=st.lists(st.sampled_from(WEEKDAYS), max_size=3, unique=True),
    hours=HOURS,
    business_days=st.booleans(),
    freezes=SPANS,
)
CALENDARS = st.sampled_from(
    [
        Calendar(holidays=holidays, time_zone=zone)
        for holidays, zone in [
            ("CH-ZH", "Europe/Zurich"),
            ("US", "America/New_York"),
            (None, "America/Havana"),  # changes at midnight
            (None, "America/Santiago"),  # leaves midnight out
            (None, "Australia/Lord_Howe"),  # changes by half an hour
            (None, "Asia/Kathmandu"),
        ]
    ]
)
# Near the changes of the clocks of these zones in 2026, and anywhere in the year.
DAYS = st.one_of(
    st.sampled_from([date(2026, 3, 6), date(2026, 3, 27), date(2026, 4, 3), date(2026, 9, 4), date(2026, 10, 2),
                     date(2026, 10, 23), date(2026, 10, 30)]),
    st.integers(0, 360).map(lambda number: FIRST + timedelta(days=number)),
)  # fmt: skip


@cache
def days_off(name: str | None) -> frozenset[date]:
    """The holidays of three years, without the weekends."""
    country, _, part = (name or "").partition("-")
    years = [2025, 2026, 2027]
    return frozenset(holidays.country_holidays(country, subdiv=part or None, years=years)) if name else frozenset()


def on_the_wall(gate: WindowGate, calendar: Calendar) -> Callable[[datetime], bool]:
    """The same rules, written out another way: is there a day on which it opens, whose hours hold this moment?"""
    frozen = {day for span in gate.freezes for day in each_day(span)}
    listed = {day for span in gate.dates for day in each_day(span)}
    begin, end = 0, 24 * 60
    if gate.hours:
        begin, end = (int(part[:2]) * 60 + int(part[3:]) for part in gate.hours.split("-"))
        end += 24 * 60 if end <= begin else 0

    @cache
    def opens(day: date) -> bool:
        business = day.weekday() < 5 and day not in days_off(calendar.holidays)
        wanted = WEEKDAYS[day.weekday()] in (gate.weekdays or WEEKDAYS)
        return day in (listed or {day}) and wanted and (business or not gate.business_days) and day not in frozen

    def is_it(wall: datetime) -> bool:
        minute, yesterday = wall.hour * 60 + wall.minute, wall.date() - timedelta(days=1)
        if begin <= minute < end and opens(wall.date()):
            return True
        return begin <= minute + 24 * 60 < end and opens(yesterday) and wall.date() not in frozen

    return is_it


def each_day(span: Days) -> list[date]:
    return [span.first + timedelta(days=number) for number in range((span.last - span.first).days + 1)]


@budget(max_examples=60)
@given(gate=WINDOWS, calendar=CALENDARS, day=DAYS, minute=st.integers(0, 1439), seconds=st.sampled_from([0, 1, 59]))
def test_reading_the_clock_minute_by_minute_finds_the_same(
    gate: WindowGate, calendar: Calendar, day: date, minute: int, seconds: int
) -> None:
    zone, three_weeks = ZoneInfo(calendar.time_zone), 21 * 24 * 60
    start = datetime.combine(day, datetime.min.time(), UTC) + timedelta(minutes=minute, seconds=seconds)
    found = next_opening(gate, start, calendar)
    later = [start.replace(second=0) + timedelta(minutes=number) for number in range(1, three_weeks)]
    opened = on_the_wall(gate, calendar)
    wanted = next((one for one in (start, *later) if opened(one.astimezone(zone))), None)
    assert found == wanted if wanted else found is None or found > later[-1]
    assert is_open(gate, start, calendar) is (wanted == start)
    if found:
        assert is_open(gate, found, calendar)
