"""Ten calendars over six years, every day of them, against a list of working days that is written down day by day."""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import holidays
import pytest

from domain.deadlines import due_at, is_business_day, next_reminder
from domain.durations import Duration, Rhythm, Unit
from domain.plan import Calendar, Closure

DAY = timedelta(days=1)
FIRST, LAST = date(2024, 1, 1), date(2029, 12, 31)
SATURDAY, SUNDAY, FRIDAY = 6, 7, 5
OVER_CHRISTMAS = tuple(Closure(first=date(year, 12, 24), last=date(year + 1, 1, 2)) for year in range(2023, 2030))
A_BRIDGE = (Closure(first=date(2026, 5, 15), last=date(2026, 5, 15), title="Brücke"),)

Written = tuple[str, str | None, tuple[str, ...], str, tuple[Closure, ...], set[int]]
CALENDARS: dict[str, Written] = {
    "CH-ZH": ("CH", "ZH", ("public",), "Europe/Zurich", (), {SATURDAY, SUNDAY}),
    "CH-GE": ("CH", "GE", ("public",), "Europe/Zurich", OVER_CHRISTMAS, {SATURDAY, SUNDAY}),
    "CH-TI": ("CH", "TI", ("public",), "Europe/Zurich", A_BRIDGE, {SATURDAY, SUNDAY}),
    "DE-BY": ("DE", "BY", ("public",), "Europe/Berlin", (), {SATURDAY, SUNDAY}),
    "DE-BY+catholic": ("DE", "BY", ("public", "catholic"), "Europe/Berlin", OVER_CHRISTMAS, {SATURDAY, SUNDAY}),
    "AT": ("AT", None, ("public",), "Europe/Vienna", (), {SATURDAY, SUNDAY}),
    "FR": ("FR", None, ("public",), "Europe/Paris", A_BRIDGE, {SATURDAY, SUNDAY}),
    "GB-ENG": ("GB", "ENG", ("public",), "Europe/London", (), {SATURDAY, SUNDAY}),
    "US-NY": ("US", "NY", ("public",), "America/New_York", OVER_CHRISTMAS, {SATURDAY, SUNDAY}),
    "IL": ("IL", None, ("public",), "Asia/Jerusalem", (), {FRIDAY, SATURDAY}),
}


def calendar_of(name: str) -> Calendar:
    _, _, _, zone, closures, _ = CALENDARS[name]
    return Calendar(holidays=name, time_zone=zone, closures=closures)


def working_days(name: str) -> list[date]:
    """Write down the working days from before to after the six years, one by one."""
    country, part, categories, _, closures, weekend = CALENDARS[name]
    free = holidays.country_holidays(country, subdiv=part, years=range(2023, 2032), categories=categories)
    shut = {one.first + number * DAY for one in closures for number in range((one.last - one.first).days + 1)}
    days = (date(2023, 12, 1) + number * DAY for number in range(2700))
    return [day for day in days if day.isoweekday() not in weekend and day not in free and day not in shut]


@pytest.mark.parametrize("name", CALENDARS)
def test_every_day_of_six_years_is_counted_as_a_list_of_working_days_counts_it(name: str) -> None:
    calendar, working = calendar_of(name), working_days(name)
    zone, open_days = ZoneInfo(calendar.time_zone), set(working)
    for number in range((LAST - FIRST).days + 1):
        day = FIRST + number * DAY
        assert is_business_day(day, calendar) is (day in open_days), day
        start = datetime(day.year, day.month, day.day, 12, tzinfo=zone)
        later = bisect_right(working, day)
        for amount in (1, 2, 5, 20):
            due = due_at(start, Duration(amount, Unit.BUSINESS_DAY), calendar).astimezone(zone)
            assert (due.date(), due.hour) == (working[later + amount - 1], 12), (day, amount)


@pytest.mark.parametrize("name", CALENDARS)
def test_reminders_with_pauses_come_on_the_days_that_are_counted_off(name: str) -> None:
    calendar, working = calendar_of(name), working_days(name)
    zone, rhythm = ZoneInfo(calendar.time_zone), Rhythm.parse(["3 business days", "2 business days", "1 business day"])
    for number in range(0, (LAST - FIRST).days + 1, 7):
        day = FIRST + number * DAY
        start = datetime(day.year, day.month, day.day, 12, tzinfo=zone)
        expected = [working[bisect_right(working, day) + count - 1] for count in (3, 5, 6, 7, 8)]
        at, found = start.astimezone(UTC), []
        for _ in expected:
            at = next_reminder(start, rhythm, calendar, at)
            found.append(at.astimezone(zone).date())
        assert found == expected


def test_the_15_of_august_is_free_in_bavaria_only_where_most_are_catholic() -> None:
    assumption = date(2025, 8, 15)  # a Friday
    thursday = datetime(2025, 8, 14, 10, tzinfo=UTC)
    bavaria, catholic = Calendar(holidays="DE-BY"), Calendar(holidays="DE-BY+catholic")
    assert is_business_day(assumption, bavaria)
    assert not is_business_day(assumption, catholic)
    one = Duration(1, Unit.BUSINESS_DAY)
    assert (due_at(thursday, one, bavaria).day, due_at(thursday, one, catholic).day) == (15, 18)
