"""Being away: which days a calendar comes to, as looking at every minute finds them; who says so; who waits in vain."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.absence import (
    Days,
    days_away,
    is_busy,
    reread,
    waits_in_vain,
    why_may_not_enter,
    why_no_calendar,
    why_not,
)
from domain.delegation import Term
from domain.quorum import Requirement, evaluate
from domain.states import DecisionKind

ZONES = ("Europe/Zurich", "America/New_York", "Pacific/Auckland", "Asia/Kathmandu", "UTC")
WINDOW = Days(date(2026, 3, 18), date(2026, 4, 12))  # with changes of the clocks, north and south
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
BEGIN = datetime(2026, 3, 17, tzinfo=UTC)


def minute_by_minute(busy: Sequence[Term], time_zone: str) -> list[Days]:
    """The days as somebody finds them who looks at every minute of every working day, and knows nothing else."""
    zone = ZoneInfo(time_zone)
    days = [WINDOW.first + number * DAY for number in range((WINDOW.last - WINDOW.first).days + 1)]
    away = {day for day in days if all(any(term.holds(at) for term in busy) for at in _minutes(day, zone))}
    bridged = {day for day in days if day in away or (day.weekday() >= 5 and _between(day, away))}
    runs = [
        list(run) for _, run in groupby(sorted(bridged), key=lambda day: day.toordinal() - sorted(bridged).index(day))
    ]
    return [Days(run[0], run[-1]) for run in runs if any(day.weekday() < 5 for day in run)]


def _minutes(day: date, zone: ZoneInfo) -> list[datetime]:
    begins = datetime.combine(day, time(9), zone).astimezone(UTC)
    return [begins + number * MINUTE for number in range(8 * 60)]


def _between(day: date, away: set[date]) -> bool:
    """Whether this day of a weekend has a day that counts right before its weekend, or in it, and right after."""
    saturday = day - (day.weekday() - 5) * DAY
    return bool({saturday - DAY, saturday} & away - {day}) and bool({saturday + DAY, saturday + 2 * DAY} & away - {day})


@st.composite
def busy_times(draw: st.DrawFn) -> list[Term]:
    """Whole days, hours, minutes, one after the other or over each other."""
    quarters = st.integers(0, 26 * 24 * 4)
    starts = draw(st.lists(st.one_of(quarters, quarters.map(lambda each: each // 96 * 96)), max_size=12))
    lengths = st.sampled_from([0, 1, 31, 32, 33, 96, 97, 96 * 2, 96 * 5, 96 * 9])
    odd = st.sampled_from([0, 0, 0, 1, -1])
    return [
        Term(BEGIN + 15 * start * MINUTE, BEGIN + (15 * (start + draw(lengths)) + draw(odd)) * MINUTE)
        for start in starts
    ]


@given(busy_times(), st.sampled_from(ZONES))
def test_days_away_are_those_that_looking_at_every_minute_finds(busy: list[Term], zone: str) -> None:
    assert days_away(busy, zone, WINDOW) == minute_by_minute(busy, zone)


def zurich(day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=ZoneInfo("Europe/Zurich"))


def days(*busy: tuple[datetime, datetime]) -> list[tuple[int, int]]:
    window = Days(date(2026, 3, 1), date(2026, 3, 31))
    found = days_away([Term(*each) for each in busy], "Europe/Zurich", window)
    return [(each.first.day, each.last.day) for each in found]


@pytest.mark.parametrize(
    ("busy", "expected"),
    [
        ([(zurich(2, 9), zurich(2, 17))], [(2, 2)]),
        ([(zurich(2, 9), zurich(2, 16, 59))], []),
        ([(zurich(2, 8), zurich(2, 12)), (zurich(2, 12), zurich(2, 18))], [(2, 2)]),
        ([(zurich(2, 8), zurich(2, 12)), (zurich(2, 12, 30), zurich(2, 18))], []),
        ([(zurich(2), zurich(7)), (zurich(9), zurich(11))], [(2, 10)]),  # Monday to Friday, and on from Monday
        ([(zurich(2), zurich(9))], [(2, 8)]),  # the weekend at its end belongs to it
        ([(zurich(7), zurich(9))], []),  # a weekend by itself is none
        ([(zurich(3), zurich(4)), (zurich(5), zurich(6))], [(3, 3), (5, 5)]),
    ],
)
def test_a_day_counts_when_its_working_hours_are_busy(
    busy: list[tuple[datetime, datetime]], expected: list[tuple[int, int]]
) -> None:
    assert days(*busy) == expected


@pytest.mark.parametrize(
    ("status", "transparency", "busy_status", "expected"),
    [
        ("", "", "", True),
        ("CONFIRMED", "OPAQUE", "", True),
        ("", "TRANSPARENT", "", False),
        ("TENTATIVE", "OPAQUE", "", False),
        ("cancelled", "OPAQUE", "OOF", False),
        ("", "TRANSPARENT", "oof", True),
        ("", "OPAQUE", "WORKINGELSEWHERE", False),
        ("", "OPAQUE", "FREE", False),
    ],
)
def test_an_event_takes_its_time_unless_it_says_otherwise(
    status: str, transparency: str, busy_status: str, expected: bool
) -> None:
    assert is_busy(status, transparency, busy_status) is expected


NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


def term(first: float, last: float) -> Term:
    return Term(NOW + first * DAY, NOW + last * DAY)


def test_a_new_reading_keeps_what_goes_on_and_its_beginning() -> None:
    found = reread({1: term(-5, 3), 2: term(10, 12)}, [term(-0.4, 4), term(11, 20)], NOW)
    assert (found.kept, found.new, found.gone) == ({1: term(-5, 4), 2: term(11, 20)}, [], [])


def test_what_has_begun_is_not_the_same_as_what_is_still_to_come() -> None:
    found = reread({1: term(-5, 3), 2: term(10, 12)}, [term(1, 4), term(40, 50)], NOW)
    assert (found.kept, found.new, found.gone) == ({}, [term(1, 4), term(40, 50)], [1, 2])


PERIODS = st.lists(st.tuples(st.integers(-9, 99), st.integers(1, 9)), max_size=6).map(
    lambda pairs: [term(first, first + length) for first, length in pairs]
)


@given(PERIODS, PERIODS)
def test_reading_the_same_again_changes_nothing(known: list[Term], read: list[Term]) -> None:
    first = reread(dict(enumerate(known)), read, NOW)
    stored = {**first.kept, **{100 + number: each for number, each in enumerate(first.new)}}
    assert sorted(map(str, [each.ends_at for each in stored.values()])) == sorted(
        map(str, [each.ends_at for each in read])
    )
    assert set(first.kept) | set(first.gone) == set(range(len(known)))


def quorum_without(*absent: str, needed: int = 2, **said: DecisionKind) -> bool:
    """Whether two of Anna, Ben and Carla can wait for no longer, when these are away."""
    board = (Requirement("board", frozenset({"anna", "ben", "carla"}), needed),)
    return waits_in_vain({"anna", "ben", "carla"} - said.keys(), absent, evaluate(board, said, silenced=absent))


def test_a_gate_waits_in_vain_when_the_others_are_too_few() -> None:
    assert not quorum_without()
    assert not quorum_without("anna")
    assert quorum_without("anna", "ben")
    assert quorum_without("anna", needed=3)
    assert not quorum_without("anna", carla=DecisionKind.APPROVE)
    assert quorum_without("anna", ben=DecisionKind.ABSTAIN)


def test_where_one_answer_is_enough_it_waits_in_vain_when_all_who_are_asked_are_away() -> None:
    assert waits_in_vain({"anna", "ben"}, {"anna", "ben"}, None)
    assert not waits_in_vain({"anna", "ben"}, {"anna"}, None)
    assert not waits_in_vain(set(), set(), None)


@pytest.mark.parametrize(
    ("by", "may"), [("anna", True), ("fritz", True), ("gina", True), ("operator", True), ("ben", False)]
)
def test_who_may_say_that_somebody_is_away(by: str, may: bool) -> None:
    assert (why_may_not_enter("anna", by, "fritz", {"gina"}) is None) is may


@pytest.mark.parametrize(
    ("first", "last", "because"),
    [(0, 366, None), (-30, 1, None), (0, 367, "a year"), (2, 2, "before the first"), (3, 1, "before the first"),
     (-3, -1, "over already")],
)  # fmt: skip
def test_for_how_long(first: float, last: float, because: str | None) -> None:
    reason = why_not(term(first, last), NOW)
    assert reason is None if because is None else because in str(reason)


@pytest.mark.parametrize(
    ("address", "because"),
    [
        ("https://calendar.example.com/a%40b/private-1/basic.ics?x=1", None),
        ("webcal://calendar.example.com/a.ics", "begins with https"),
        ("http://calendar.example.com/a.ics", "begins with https"),
        ("https://me:secret@calendar.example.com/a.ics", "no user and no password"),
        ("https://" + "a" * 500 + ".example.com", "at most 500"),
        ("https:///a.ics", "host is missing"),
        ("https://calendar.example.com/a b.ics", "no blanks"),
    ],
)
def test_which_addresses_are_those_of_a_calendar(address: str, because: str | None) -> None:
    reason = why_no_calendar(address)
    assert reason is None if because is None else because in str(reason)
