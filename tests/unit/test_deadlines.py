"""Deadlines: elapsed time, wall time over gaps and folds, business days against a day-by-day oracle."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import holidays
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import calendar_digest, days_off
from domain.calendar_digest import digest_of
from domain.deadlines import (
    Pause,
    check_calendar,
    due_after_pauses,
    due_at,
    is_business_day,
    next_reminder,
    start_of_day,
)
from domain.durations import Duration, Rhythm, Unit, read_deadline
from domain.plan import Calendar, Closure

ZURICH = ZoneInfo("Europe/Zurich")
CH_ZH = Calendar(holidays="CH-ZH", time_zone="Europe/Zurich")
NO_HOLIDAYS = Calendar(holidays=None, time_zone="Europe/Zurich")
CALENDARS = st.sampled_from(
    [
        CH_ZH,
        NO_HOLIDAYS,
        Calendar(holidays="DE-BY", time_zone="Europe/Berlin"),
        Calendar(holidays="US", time_zone="America/New_York"),
        Calendar(holidays=None, time_zone="Australia/Lord_Howe"),
    ]
)
MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2028, 12, 31), timezones=st.just(UTC))


def zurich(text: str, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZURICH, fold=fold)


def due(start: datetime, span: str, calendar: Calendar = CH_ZH) -> datetime:
    return due_at(start, Duration.parse(span), calendar)


def every(amount: int, unit: Unit) -> Rhythm:
    return Rhythm((Duration(amount, unit),))


@given(MOMENTS, st.integers(1, 500), CALENDARS)
def test_minutes_and_hours_are_elapsed_time(start: datetime, amount: int, calendar: Calendar) -> None:
    assert due_at(start, Duration(amount, Unit.HOUR), calendar) - start == timedelta(hours=amount)
    assert due_at(start, Duration(amount, Unit.MINUTE), calendar) - start == timedelta(minutes=amount)


def test_48_hours_over_the_change_to_summer_time_end_an_hour_later_by_the_clock() -> None:
    assert due(zurich("2026-03-28T09:00"), "48 hours") == zurich("2026-03-30T10:00")


@pytest.mark.parametrize("change", ["2026-03-28", "2026-10-24"])
def test_days_and_weeks_keep_the_time_of_day_over_a_change_of_the_clock(change: str) -> None:
    start = zurich(f"{change}T09:00")
    assert due(start, "2 days").astimezone(ZURICH).time() == start.time()
    assert due(start, "1 week").astimezone(ZURICH).date() == start.date() + timedelta(days=7)
    assert due(start, "1 week").astimezone(ZURICH).time() == start.time()


@pytest.mark.parametrize(("span", "start"), [("1 day", "2026-03-28T02:30"), ("1 week", "2026-03-22T02:30")])
def test_a_time_in_the_gap_moves_forward(span: str, start: str) -> None:
    """On 29 March 2026 the clock goes from 02:00 to 03:00; there is no 02:30."""
    assert due(zurich(start), span) == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    assert due(zurich(start), span).astimezone(ZURICH).isoformat() == "2026-03-29T03:30:00+02:00"


@pytest.mark.parametrize(("span", "start"), [("1 day", "2026-10-24T02:30"), ("1 week", "2026-10-18T02:30")])
def test_a_time_in_the_fold_takes_the_first(span: str, start: str) -> None:
    """On 25 October 2026 the clock goes back from 03:00 to 02:00; 02:30 comes twice."""
    assert due(zurich(start), span) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_a_start_in_the_second_half_of_a_fold_keeps_its_time_of_day() -> None:
    assert due(zurich("2026-10-25T02:30", fold=1), "1 day") == zurich("2026-10-26T02:30")


def test_a_start_in_the_second_half_of_a_fold_does_not_turn_a_gap_around() -> None:
    """In Amman midnight of 29 October 2021 came twice, and that of 25 February 2022, 85 weekdays later, not at all."""
    amman = Calendar(holidays=None, time_zone="Asia/Amman")
    start = datetime(2021, 10, 29, 0, 30, fold=1, tzinfo=ZoneInfo("Asia/Amman"))
    due_there = due(start, "85 business days", amman).astimezone(ZoneInfo("Asia/Amman"))
    assert due_there.replace(tzinfo=None) == datetime(2022, 2, 25, 1, 30)


def test_the_day_is_the_calendars_and_not_the_servers() -> None:
    """22:30 UTC on Friday is already Saturday in Zurich: Monday is the first business day, at 00:30."""
    start = datetime(2026, 7, 3, 22, 30, tzinfo=UTC)
    assert due(start, "1 business day") == zurich("2026-07-06T00:30")
    assert due(start, "1 business day", Calendar(holidays=None, time_zone="UTC")) == start + timedelta(days=3)


@pytest.mark.parametrize(
    ("start", "span", "expected"),
    [
        ("2026-07-06T08:00", "1 business day", "2026-07-07T08:00"),
        ("2026-07-10T08:00", "1 business day", "2026-07-13T08:00"),
        ("2026-07-11T08:00", "1 business day", "2026-07-13T08:00"),
        ("2026-07-12T08:00", "1 business day", "2026-07-13T08:00"),
        ("2026-07-06T08:00", "5 business days", "2026-07-13T08:00"),
        ("2026-04-02T08:00", "1 business day", "2026-04-07T08:00"),  # over Good Friday and Easter Monday
        ("2026-12-24T17:00", "2 business days", "2026-12-29T17:00"),  # over Christmas and St Stephen's, a Saturday
    ],
)
def test_weekends_and_holidays_do_not_count(start: str, span: str, expected: str) -> None:
    assert due(zurich(start), span) == zurich(expected)


def test_without_holidays_only_weekends_do_not_count() -> None:
    assert due(zurich("2026-04-02T08:00"), "1 business day", NO_HOLIDAYS) == zurich("2026-04-03T08:00")


def test_a_holiday_of_one_part_of_the_country_counts_in_another() -> None:
    corpus_christi = date(2026, 6, 4)
    assert not is_business_day(corpus_christi, Calendar(holidays="CH-LU"))
    assert is_business_day(corpus_christi, CH_ZH)


@given(MOMENTS, st.integers(1, 60))
def test_business_days_agree_with_counting_day_by_day(start: datetime, amount: int) -> None:
    closed = holidays.country_holidays("CH", subdiv="ZH")
    local = start.astimezone(ZURICH)
    day, left = local.date(), amount
    while left > 0:
        day = day + timedelta(days=1)
        if day.isoweekday() not in (6, 7) and day not in closed:
            left -= 1
    result = due_at(start, Duration(amount, Unit.BUSINESS_DAY), CH_ZH).astimezone(ZURICH)
    assert result.date() == day
    if not 1 < local.hour < 4:
        assert result.time() == local.time()


@given(MOMENTS, st.integers(1, 40), st.sampled_from(Unit), CALENDARS)
def test_a_deadline_is_in_utc_and_later_than_its_start(
    start: datetime, amount: int, unit: Unit, calendar: Calendar
) -> None:
    result = due_at(start, Duration(amount, unit), calendar)
    assert result.utcoffset() == timedelta()
    assert result.tzinfo is UTC
    assert result > start


@given(MOMENTS, st.integers(1, 40), st.sampled_from(Unit), st.integers(-12, 14))
def test_only_the_moment_matters_and_not_the_zone_it_is_written_in(
    start: datetime, amount: int, unit: Unit, hours: int
) -> None:
    elsewhere = start.astimezone(timezone(timedelta(hours=hours)))
    assert due_at(elsewhere, Duration(amount, unit), CH_ZH) == due_at(start, Duration(amount, unit), CH_ZH)


@pytest.mark.parametrize("unit", Unit)
def test_a_time_without_a_zone_is_refused(unit: Unit) -> None:
    naive, aware = datetime(2026, 7, 6, 8), datetime(2026, 7, 6, 8, tzinfo=UTC)
    with pytest.raises(ValueError, match="has no time zone"):
        due_at(naive, Duration(1, unit), CH_ZH)
    with pytest.raises(ValueError, match="has no time zone"):
        next_reminder(aware, every(1, unit), CH_ZH, naive)


@given(
    MOMENTS,
    st.integers(1, 5),
    st.sampled_from([Unit.HOUR, Unit.DAY, Unit.WEEK, Unit.BUSINESS_DAY]),
    CALENDARS,
    st.timedeltas(timedelta(days=-3), timedelta(days=40)),
)
def test_a_reminder_is_the_first_multiple_after_the_moment(
    opened: datetime, amount: int, unit: Unit, calendar: Calendar, later: timedelta
) -> None:
    after, rounds = opened + later, 1
    while due_at(opened, Duration(rounds * amount, unit), calendar) <= after:
        rounds += 1
    expected = due_at(opened, Duration(rounds * amount, unit), calendar)
    assert next_reminder(opened, every(amount, unit), calendar, after) == expected


@pytest.mark.parametrize("every", ["every 2 business days", "every 3 days", "every 1 week", "every 48 hours"])
def test_exactly_when_one_is_due_the_next_one_follows(every: str) -> None:
    opened, repetition = zurich("2026-07-06T08:00"), Rhythm.parse(every)
    first = next_reminder(opened, repetition, CH_ZH, opened)
    assert first == due_at(opened, repetition.pauses[0], CH_ZH)
    assert next_reminder(opened, repetition, CH_ZH, first - timedelta(microseconds=1)) == first
    assert next_reminder(opened, repetition, CH_ZH, first) > first


@pytest.mark.parametrize("unit", Unit)
def test_half_a_century_later_the_next_reminder_is_one_and_near(unit: Unit) -> None:
    """Trying every multiple would go through 26 million minutes."""
    opened, after = zurich("2026-07-06T08:00"), zurich("2076-07-06T08:00")
    following = next_reminder(opened, every(1, unit), CH_ZH, after)
    assert timedelta() < following - after <= timedelta(days=8)


def test_a_day_begins_at_midnight_of_its_zone() -> None:
    assert start_of_day(date(2026, 7, 6), CH_ZH) == datetime(2026, 7, 5, 22, tzinfo=UTC)
    assert start_of_day(date(2026, 1, 6), CH_ZH) == datetime(2026, 1, 5, 23, tzinfo=UTC)


def test_a_day_without_a_midnight_begins_when_its_gap_is_over() -> None:
    cairo = Calendar(holidays=None, time_zone="Africa/Cairo")
    assert start_of_day(date(2024, 4, 26), cairo).astimezone(ZoneInfo("Africa/Cairo")).hour == 1


@pytest.mark.parametrize(
    "calendar",
    [
        CH_ZH,
        NO_HOLIDAYS,
        Calendar(holidays="CH"),
        Calendar(holidays="DE-BY", time_zone="UTC"),
        Calendar(holidays="CH-ZH+half_day+optional"),
    ],
)
def test_a_calendar_that_is_known_has_no_problems(calendar: Calendar) -> None:
    assert check_calendar(calendar) == []


@pytest.mark.parametrize(
    ("calendar", "instead"),
    [
        (Calendar(time_zone="Europe/Zürich"), "Europe/Zurich"),
        (Calendar(time_zone="zurich"), "Europe/Zurich"),
        (Calendar(time_zone="europe/berlin"), "Europe/Berlin"),
        (Calendar(time_zone=""), "Europe/Zurich"),
        (Calendar(time_zone="../../etc/passwd"), "Europe/Zurich"),
        (Calendar(time_zone="Europe"), "write "),
        (Calendar(holidays="ch-zh"), "CH-ZH"),
        (Calendar(holidays="CH-ZZ"), "write CH-ZH"),
        (Calendar(holidays="CH-"), "CH-"),
        (Calendar(holidays="DE-BX"), "write DE-"),
        (Calendar(holidays="QQ"), "CH-ZH"),
        (Calendar(holidays=""), "CH-ZH"),
        (Calendar(holidays="DE-BY+katholisch"), "those are catholic, school"),
        (Calendar(holidays="DE-BY+catholic+half_day"), "“half_day” is not a category of holidays of DE"),
        (Calendar(holidays="DE-BY+"), "those are catholic, school"),
        (Calendar(holidays="GB+bank"), "it has none beside the public holidays"),
        (Calendar(holidays="DE-BX+catholic"), "write DE-"),
    ],
)
def test_one_that_is_not_known_is_named_with_what_to_write_instead(calendar: Calendar, instead: str) -> None:
    problems = check_calendar(calendar)
    assert len(problems) == 1
    assert instead in problems[0]
    assert problems[0].endswith(".")


def test_both_problems_of_a_calendar_are_named() -> None:
    assert len(check_calendar(Calendar(holidays="QQ", time_zone="Nowhere"))) == 2


def after_pause(start: datetime, span: str, began: datetime, ended: datetime, calendar: Calendar = CH_ZH) -> datetime:
    return due_after_pauses(start, Duration.parse(span), calendar, [Pause(began, ended)])


@given(MOMENTS, st.integers(1, 400), st.sampled_from(["minute", "hour", "day", "week"]), CALENDARS, st.data())
def test_a_pause_moves_what_is_due_by_exactly_its_length(
    start: datetime, amount: int, unit: str, calendar: Calendar, data: st.DataObject
) -> None:
    span = f"{amount} {unit}s"
    due_before = due(start, span, calendar)
    began = data.draw(st.datetimes(start.replace(tzinfo=None), due_before.replace(tzinfo=None), timezones=st.just(UTC)))
    pause = data.draw(st.timedeltas(timedelta(), timedelta(days=60)))
    moved = after_pause(start, span, began, began + pause, calendar)
    assert moved - due_before == (pause if began < due_before else timedelta())


@pytest.mark.parametrize(
    ("began", "ended", "over"),
    [
        ("2026-03-06T09:00", "2026-03-09T09:00", "2026-03-10T09:00"),  # Friday to Monday: one business day was left
        ("2026-03-03T09:00", "2026-03-06T09:00", "2026-03-12T09:00"),  # three of business days, and a weekend follows
        ("2026-03-07T12:00", "2026-03-08T12:00", "2026-03-09T09:00"),  # within the weekend: no business day is lost
        ("2026-03-09T08:00", "2026-03-11T08:00", "2026-03-11T09:00"),  # an hour before its end: an hour is left
        ("2026-03-06T17:00", "2026-03-07T17:00", "2026-03-09T16:00"),  # ends on a Saturday: goes on on Monday, at 00:00
        ("2026-03-09T09:00", "2026-03-20T09:00", "2026-03-09T09:00"),  # it was over already
    ],
)
def test_of_business_days_a_pause_leaves_what_was_left_of_business_days(began: str, ended: str, over: str) -> None:
    """Opened on Monday, 2 March, at 09:00 for 5 business days, so due on Monday, 9 March, at 09:00."""
    moved = after_pause(zurich("2026-03-02T09:00"), "5 business days", zurich(began), zurich(ended))
    assert moved == zurich(over)


HOUR = timedelta(hours=1)
FULL_HOURS = st.builds(lambda hours: datetime(2026, 3, 23, tzinfo=UTC) + hours * HOUR, st.integers(0, 24 * 30))
UTC_CALENDAR = Calendar(holidays="CH-ZH", time_zone="UTC")


def business_hours(start: datetime, end: datetime) -> int:
    """Count the hours on business days, one by one."""
    hours = (start + number * HOUR for number in range(int((end - start) / HOUR)))
    return sum(is_business_day(hour.date(), UTC_CALENDAR) for hour in hours)


@given(FULL_HOURS, st.integers(1, 12), st.integers(0, 24 * 30), st.integers(0, 24 * 20), st.integers(0, 24 * 20))
def test_as_many_business_hours_are_left_after_a_pause_as_were_before_it(
    start: datetime, days: int, into: int, first_pause: int, second_pause: int
) -> None:
    """Over Easter and its holidays, with two pauses, against counting hours."""
    began = start + into * HOUR
    ended = began + first_pause * HOUR
    span = Duration(days, Unit.BUSINESS_DAY)
    before = due_at(start, span, UTC_CALENDAR)
    pauses = [Pause(began, ended), Pause(ended, ended + second_pause * HOUR)]
    moved = due_after_pauses(start, span, UTC_CALENDAR, pauses)
    if began >= before:
        assert moved == before
    else:
        assert business_hours(pauses[-1].ended_at, moved) == business_hours(began, before)
        assert moved >= before


def by_deadline(start: str, deadline: str, *pauses: tuple[str, str]) -> datetime:
    stood_still = [Pause(zurich(began), zurich(ended)) for began, ended in pauses]
    return due_after_pauses(zurich(start), read_deadline(deadline), CH_ZH, stood_still)


@pytest.mark.parametrize(
    ("start", "over"),
    [
        ("2026-03-02T09:00", "2026-03-06T12:00"),
        ("2026-03-06T11:59", "2026-03-06T12:00"),
        ("2026-03-06T12:00", "2026-03-13T12:00"),  # strictly after the clock began
        ("2026-03-07T00:00", "2026-03-13T12:00"),
    ],
)
def test_a_moment_of_the_week_is_the_first_one_after_the_clock_began(start: str, over: str) -> None:
    assert by_deadline(start, "Friday 12:00") == zurich(over)


@pytest.mark.parametrize(
    ("began", "ended", "over"),
    [
        ("2026-03-03T09:00", "2026-03-05T09:00", "2026-03-06T12:00"),  # it is still to come
        ("2026-03-05T09:00", "2026-03-06T12:00", "2026-03-13T12:00"),  # it came within the pause
        ("2026-03-05T09:00", "2026-03-18T09:00", "2026-03-20T12:00"),  # the first one after the answer
        ("2026-03-06T12:00", "2026-03-18T09:00", "2026-03-06T12:00"),  # it was over already
    ],
)
def test_a_moment_of_the_week_stays_unless_it_came_within_a_pause(began: str, ended: str, over: str) -> None:
    assert by_deadline("2026-03-02T09:00", "Friday 12:00", (began, ended)) == zurich(over)


def test_a_moment_of_a_day_that_a_zone_leaves_out_comes_a_day_later() -> None:
    """Samoa had no 30 December 2011, a Friday."""
    samoa = Calendar(time_zone="Pacific/Apia")
    start = datetime(2011, 12, 29, 12, tzinfo=ZoneInfo("Pacific/Apia"))
    reached = due_at(start, read_deadline("Friday 12:00"), samoa)
    assert reached.astimezone(ZoneInfo("Pacific/Apia")).isoformat() == "2011-12-31T12:00:00+14:00"


class TestDigest:
    def test_it_is_the_same_for_the_same_calendar(self) -> None:
        assert digest_of(CH_ZH) == digest_of(Calendar(holidays="CH-ZH", time_zone="Europe/Zurich"))

    def test_a_closure_another_category_or_zone_makes_it_another_one(self) -> None:
        a_day = Closure(first=date(2026, 5, 15), last=date(2026, 5, 15))
        others = [
            CH_ZH.model_copy(update={"closures": (a_day,)}),
            Calendar(holidays="CH-ZH+half_day"),
            Calendar(holidays="CH-ZH", time_zone="Europe/Berlin"),
            NO_HOLIDAYS,
        ]
        assert len({digest_of(calendar) for calendar in (CH_ZH, *others)}) == 5

    @pytest.mark.parametrize("change", ["newer holidays", "newer zones"])
    def test_newer_lists_make_it_another_one(self, change: str, monkeypatch: pytest.MonkeyPatch) -> None:
        before = digest_of(CH_ZH)
        if change == "newer holidays":
            monkeypatch.setattr(days_off, "in_year", lambda name, year: frozenset({date(year, 7, 1)}))
        else:
            monkeypatch.setattr(calendar_digest, "ZoneInfo", lambda name: ZoneInfo("Africa/Tunis"))
        digest_of.cache_clear()
        after = digest_of(CH_ZH)
        digest_of.cache_clear()
        assert after != before
