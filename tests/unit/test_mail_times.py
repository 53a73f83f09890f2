"""When a mail goes out. The company's year is 2026: March 2 is a Monday, Easter is April 5."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.mail_times import (
    APART,
    EVENING,
    Hours,
    Occasion,
    Quiet,
    due_again_at,
    due_at,
    next_by_the_clock,
    occasion_of_reminder,
    was_held_up,
)
from domain.plan import Calendar, Closure
from plans.reading import read_plan
from tests.unit.plan_texts import GOOD

ZURICH = Calendar(holidays="CH-ZH", time_zone="Europe/Zurich")
PLAIN = Hours(ZURICH)
SPARED = Hours(ZURICH, quiet=Quiet.parse("19:00-07:00"))
CLOSED = Closure(first=date(2026, 3, 4), last=date(2026, 3, 5))
FAIR = Hours(ZURICH.model_copy(update={"closures": (CLOSED,)}), time(6, 30))
ASKED, REMINDED, HOURLY = Occasion.EVENT, Occasion.MORNING, Occasion.PRESSING


def at(text: str, zone: str = "Europe/Zurich") -> datetime:
    """A moment by the clock on the wall, such as “03-02 10:00”."""
    return datetime.fromisoformat(f"2026-{text}").replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


@pytest.mark.parametrize(
    ("occasion", "hours", "written", "goes_out"),
    [
        (ASKED, PLAIN, "03-07 23:00", "03-07 23:00"),  # mail is no telephone
        (ASKED, SPARED, "03-02 18:59", "03-02 18:59"),
        (ASKED, SPARED, "03-02 19:00", "03-03 07:00"),
        (ASKED, SPARED, "03-03 06:59", "03-03 07:00"),
        (ASKED, SPARED, "03-06 19:00", "03-09 07:00"),  # a Friday evening
        (ASKED, SPARED, "03-07 12:00", "03-09 07:00"),
        (ASKED, SPARED, "04-02 20:00", "04-07 07:00"),  # over Easter
        (REMINDED, PLAIN, "03-02 07:59", "03-02 08:00"),
        (REMINDED, PLAIN, "03-02 08:00", "03-02 08:00"),
        (REMINDED, PLAIN, "03-02 08:01", "03-03 08:00"),
        (REMINDED, PLAIN, "03-06 09:00", "03-09 08:00"),
        (REMINDED, PLAIN, "04-02 09:00", "04-07 08:00"),
        (REMINDED, FAIR, "03-03 07:00", "03-06 06:30"),  # the company is closed for two days
        (REMINDED, Hours(ZURICH, quiet=Quiet.parse("19:00-09:30")), "03-02 10:00", "03-03 09:30"),
        (REMINDED, PLAIN, "03-28 12:00", "03-30 08:00"),  # the clocks go forward in the night
        (HOURLY, PLAIN, "03-02 19:59", "03-02 19:59"),
        (HOURLY, PLAIN, "03-02 20:00", "03-03 08:00"),
        (HOURLY, PLAIN, "03-06 20:00", "03-09 08:00"),
        (HOURLY, SPARED, "03-03 07:15", "03-03 07:15"),  # their own hours take the place of everybody's night
    ],
)
def test_when_it_goes_out(occasion: Occasion, hours: Hours, written: str, goes_out: str) -> None:
    assert due_at(occasion, hours, at(written)) == at(goes_out)


@pytest.mark.parametrize("occasion", Occasion)
def test_what_is_urgent_comes_at_any_hour_and_so_does_the_answer_to_what_was_done_just_now(occasion: Occasion) -> None:
    night = at("03-07 03:00")
    assert due_at(occasion, SPARED, night, urgent=True) == night
    assert due_at(Occasion.ANSWER, SPARED, night) == night


def test_a_morning_is_the_readers_own_wherever_they_live() -> None:
    tokyo = Hours(Calendar(holidays="JP", time_zone="Asia/Tokyo"))
    assert due_at(REMINDED, tokyo, at("05-01 12:00")) == at("05-07 08:00", "Asia/Tokyo")  # after the golden week
    assert due_at(REMINDED, PLAIN, at("05-01 12:00")) == at("05-04 08:00")


HOURS = st.builds(
    Hours,
    st.builds(
        Calendar,
        holidays=st.sampled_from([None, "CH-ZH", "DE-BY", "JP"]),
        time_zone=st.sampled_from(["Europe/Zurich", "America/St_Johns", "Australia/Lord_Howe", "Africa/Cairo", "UTC"]),
        closures=st.just((Closure(first=date(2026, 12, 24), last=date(2027, 1, 3)),)),
    ),
    st.times().map(lambda clock: clock.replace(second=0, microsecond=0)),
    st.none() | st.builds(Quiet, *[st.times().map(lambda clock: clock.replace(second=0, microsecond=0))] * 2),
)
MOMENTS = st.integers(0, 365 * 24 * 4).map(lambda quarters: at("01-01 00:00") + timedelta(minutes=15 * quarters))


def is_spared(hours: Hours, moment: datetime, quiet: Quiet | None) -> bool:
    wall = moment.astimezone(ZoneInfo(hours.calendar.time_zone))
    return quiet is not None and (quiet.covers(wall.time()) or not hours.are_on(wall.date()))


@given(HOURS, MOMENTS, st.sampled_from([ASKED, HOURLY]))
def test_it_goes_out_at_the_first_moment_that_is_not_quiet(hours: Hours, now: datetime, occasion: Occasion) -> None:
    quiet = hours.quiet or (Quiet(EVENING, hours.morning) if occasion is HOURLY else None)
    due = due_at(occasion, hours, now)
    assert due >= now
    assert not is_spared(hours, due, quiet)
    waited = [now + timedelta(minutes=15 * step) for step in range((due - now) // timedelta(minutes=15) + 1)]
    assert all(is_spared(hours, moment, quiet) for moment in waited if moment < due)


@given(HOURS, MOMENTS)
def test_what_comes_by_the_clock_waits_for_a_business_day_and_never_for_two(hours: Hours, now: datetime) -> None:
    due = due_at(REMINDED, hours, now)
    zone = ZoneInfo(hours.calendar.time_zone)
    assert due >= now
    assert hours.are_on(due.astimezone(zone).date())
    assert not is_spared(hours, due, hours.quiet)
    if hours.quiet is None:
        between = (due.astimezone(zone).date() - now.astimezone(zone).date()).days
        whole_days = [now.astimezone(zone).date() + timedelta(days=day) for day in range(1, between)]
        assert not any(hours.are_on(day) for day in whole_days)


def test_what_was_held_up_comes_as_soon_as_it_may_and_no_morning_is_waited_for() -> None:
    assert due_again_at(REMINDED, PLAIN, at("03-02 11:00")) == at("03-02 11:00")
    assert due_again_at(REMINDED, PLAIN, at("03-02 21:00")) == at("03-03 08:00")
    assert due_again_at(ASKED, SPARED, at("03-02 21:00")) == at("03-03 07:00")
    assert due_again_at(ASKED, SPARED, at("03-02 21:00"), urgent=True) == at("03-02 21:00")


def test_mails_by_the_clock_are_an_hour_apart() -> None:
    noon = at("03-02 12:00")
    assert next_by_the_clock(None, noon) == noon
    assert next_by_the_clock(noon - APART, noon) == noon
    assert next_by_the_clock(noon - timedelta(minutes=1), noon) == noon + timedelta(minutes=59)


@pytest.mark.parametrize(
    ("keys", "occasion"),
    [
        ("remind: every 2 business days", REMINDED),
        ("remind: every 4 hours", HOURLY),
        ("remind: every 90 minutes", HOURLY),
        ("remind: every 2 business days\n        urgent: true", HOURLY),
    ],
)
def test_who_writes_hours_into_a_plan_does_not_mean_tomorrow(keys: str, occasion: Occasion) -> None:
    gate = read_plan(GOOD + f"        {keys}\n", "small.yaml").stages[1].gates[0]
    assert occasion_of_reminder(gate) is occasion


@pytest.mark.parametrize("text", ["19:00", "19:00-", "7:00-19:00", "19:00-24:00", "08:00-08:00", "19.00-07.00", ""])
def test_hours_that_are_none_are_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(ValueError, match="19:00-07:00"):
        Quiet.parse(text)


@pytest.mark.parametrize(("seconds", "held_up"), [(0, False), (5, False), (5.1, True), (86_400, True)])
def test_what_goes_out_within_seconds_of_being_written_was_not_held_up(seconds: float, held_up: bool) -> None:
    written = datetime(2026, 3, 2, 9, tzinfo=UTC)
    assert was_held_up(written, written + timedelta(seconds=seconds)) is held_up
