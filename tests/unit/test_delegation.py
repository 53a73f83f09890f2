"""Lending a voice: the rules of giving it, when it holds, and that one person is never two voices, whatever happens.

The oracle plays every order of speaking by hand, with the rules of eligibility and quorum themselves; it knows nothing
of requests, and is slow and plainly right.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import combinations
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.authority import OPERATOR
from domain.delegation import (
    Loan,
    Term,
    problems,
    read_day,
    whole_days,
    why_may_not_act_for,
    why_not_bring_in_place,
    why_not_in_place,
)
from domain.eligibility import Separation, Voice, why_may_not_speak
from domain.quorum import Requirement, Standing, evaluate
from domain.states import DecisionKind

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)
ANNA, BEN, CARLA, HUGO, GINA = "anna", "ben", "carla", "hugo", "gina"
PRESENT = frozenset({ANNA, BEN, CARLA, HUGO, GINA})


def term(first: float, last: float) -> Term:
    return Term(NOW + first * DAY, NOW + last * DAY)


# --- who may give it ---


@pytest.mark.parametrize(
    ("by", "may"), [(ANNA, True), (HUGO, True), (GINA, True), (OPERATOR, True), (BEN, False), ("", False)]
)
def test_the_person_their_assistant_administrators_and_the_operator_may_act_for_them(by: str, may: bool) -> None:
    assert (why_may_not_act_for(ANNA, by, HUGO, {GINA}) is None) is may


def test_without_an_assistant_nobody_is_taken_for_one() -> None:
    assert why_may_not_act_for(ANNA, HUGO, None, set()) is not None


@pytest.mark.parametrize(
    ("delegate", "by", "lent_for", "field", "because"),
    [
        (HUGO, ANNA, term(0, 14), None, ""),
        (HUGO, ANNA, term(0, 366), None, ""),
        (HUGO, ANNA, term(0, 366.1), "until", "a year at most"),
        (HUGO, ANNA, term(2, 1), "until", "comes before the first"),
        (HUGO, ANNA, term(2, 2), "until", "comes before the first"),
        (HUGO, ANNA, term(-2, 0), "until", "over already"),
        (HUGO, ANNA, term(-2, 1e-6), None, ""),
        ("guest", ANNA, term(0, 1), "to", "guest is not in the directory"),
        (ANNA, ANNA, term(0, 1), "to", "to themself"),
        (HUGO, HUGO, term(0, 1), "to", "give themself the voice"),
        (HUGO, ANNA, term(14, 21), "from", "for some of these days already"),
        (HUGO, ANNA, term(20, 21), None, ""),
        (HUGO, ANNA, term(9, 10), None, ""),
    ],
)
def test_what_is_wrong_with_a_loan(delegate: str, by: str, lent_for: Term, field: str | None, because: str) -> None:
    """Anna's voice is lent already from the tenth day to the twentieth."""
    lent = [term(10, 20)] if lent_for.starts_at != NOW else []
    found = problems(Loan(ANNA, delegate, by, lent_for), PRESENT, lent, NOW)
    assert list(found) == ([field] if field else [])
    assert because in str(next(iter(found.values()), ""))


def test_somebody_outside_of_the_directory_lends_nothing() -> None:
    found = problems(Loan("guest", HUGO, GINA, term(0, 1)), PRESENT, [], NOW)
    assert str(found["to"]) == "guest is not in the directory."


# --- when it holds ---


def test_it_holds_from_its_beginning_until_just_before_its_end() -> None:
    instant, one = timedelta(microseconds=1), term(1, 3)
    moments = [one.starts_at - instant, one.starts_at, one.ends_at - instant, one.ends_at]
    assert [one.holds(at) for at in moments] == [False, True, True, False]


@pytest.mark.parametrize(
    ("first", "last", "zone", "starts", "ends"),
    [
        ("2026-03-02", "2026-03-06", "Europe/Zurich", "2026-03-01T23:00", "2026-03-06T23:00"),
        ("2026-03-28", "2026-03-29", "Europe/Zurich", "2026-03-27T23:00", "2026-03-29T22:00"),  # summer time begins
        ("2026-10-25", "2026-10-25", "Europe/Zurich", "2026-10-24T22:00", "2026-10-25T23:00"),  # and ends
        ("2026-09-06", "2026-09-06", "America/Santiago", "2026-09-06T04:00", "2026-09-07T03:00"),  # no midnight there
        ("2026-03-02", "2026-03-02", "UTC", "2026-03-02T00:00", "2026-03-03T00:00"),
    ],
)
def test_days_are_whole_days_where_the_delegator_lives(
    first: str, last: str, zone: str, starts: str, ends: str
) -> None:
    lent = whole_days(date.fromisoformat(first), date.fromisoformat(last), zone)
    assert [moment.strftime("%Y-%m-%dT%H:%M") for moment in (lent.starts_at, lent.ends_at)] == [starts, ends]
    assert lent.last_day(zone).isoformat() == last


@given(st.dates(date(1990, 1, 1), date(2080, 1, 1)), st.integers(0, 300),
       st.sampled_from(["UTC", "Europe/Zurich", "America/Santiago", "Asia/Kathmandu", "Pacific/Apia"]))  # fmt: skip
def test_every_day_has_its_own_term_and_they_follow_each_other_without_a_gap(first: date, days: int, zone: str) -> None:
    last = first + timedelta(days=days)
    lent, next_day = whole_days(first, last, zone), whole_days(last + DAY, last + DAY, zone)
    assert lent.ends_at == next_day.starts_at
    assert not lent.overlaps(next_day)
    assert lent.last_day(zone) in (last, last - DAY)  # a day that was skipped, as on Samoa in 2011, has no moment


@pytest.mark.parametrize(
    ("typed", "day"),
    [(" 2026-03-31 ", date(2026, 3, 31)), ("31.3.2026", None), ("", None), ("9999-12-31", None), ("0001-01-01", None)],
)
def test_a_day_is_read_as_an_iso_date(typed: str, day: date | None) -> None:
    assert read_day(typed) == day


TERMS = st.tuples(st.floats(-5, 5), st.floats(-5, 5)).map(lambda ends: term(*ends))


@given(TERMS, TERMS, st.lists(st.floats(-6, 6), max_size=30))
def test_two_terms_overlap_exactly_when_a_moment_is_in_both(one: Term, other: Term, days: list[float]) -> None:
    moments = [NOW + day * DAY for day in days] + [one.starts_at, other.starts_at]
    assert one.overlaps(other) is any(one.holds(at) and other.holds(at) for at in moments)


@given(st.lists(st.tuples(TERMS, st.floats(-5, 5)), max_size=8), st.floats(-6, 6))
def test_whatever_is_given_at_most_one_delegation_of_a_person_holds_at_a_time(
    asked: list[tuple[Term, float]], day: float
) -> None:
    """As `operations/delegate.py` gives them: what begins in the past begins now."""
    lent: list[Term] = []
    for wanted, at in sorted(asked, key=lambda pair: pair[1]):
        now = NOW + at * DAY
        cut = Term(max(wanted.starts_at, now), wanted.ends_at)
        if not problems(Loan(ANNA, HUGO, ANNA, cut), PRESENT, lent, now):
            lent.append(cut)
    assert sum(one.holds(NOW + day * DAY) for one in lent) <= 1


# --- where it can be given ---

BOARD = frozenset({ANNA, BEN, CARLA})


@pytest.mark.parametrize(
    ("delegate", "may_be_lent", "separation", "spoken", "because"),
    [
        (HUGO, True, Separation(), [], None),
        (HUGO, False, Separation(), [], "nobody can decide here for somebody else"),
        (BEN, True, Separation(), [], "has their own here"),
        (HUGO, True, Separation(excluded=frozenset({HUGO})), [], "excludes them"),
        (HUGO, True, Separation(decided_elsewhere=frozenset({HUGO})), [], "other people must decide"),
        (HUGO, True, Separation(), [Voice(BEN, HUGO)], "has spoken here already"),
        (HUGO, True, Separation(), [Voice(BEN, GINA)], None),
        (HUGO, True, Separation(only=frozenset({BEN})), [], "Only those who approved"),
    ],
)
def test_who_is_asked_to_decide_in_annas_place(
    delegate: str, may_be_lent: bool, separation: Separation, spoken: list[Voice], because: str | None
) -> None:
    reason = why_not_in_place(Voice(ANNA, delegate), may_be_lent, BOARD, separation, spoken)
    assert (reason is None) if because is None else because in str(reason)


@pytest.mark.parametrize(
    ("person", "may_be_lent", "because"),
    [
        (HUGO, True, None),
        (HUGO, False, "nobody can decide here for somebody else"),
        (BEN, True, "decides here on what is brought"),
        (GINA, True, "is asked here already"),
    ],
)
def test_who_is_asked_to_bring_something_in_annas_place(person: str, may_be_lent: bool, because: str | None) -> None:
    reason = why_not_bring_in_place(person, may_be_lent, BOARD, [ANNA, GINA])
    assert (reason is None) if because is None else because in str(reason)


# --- one voice ---

PEOPLE = st.sampled_from(sorted(PRESENT))
MEMBERS = st.frozensets(PEOPLE, min_size=1)
SEPARATIONS = st.builds(Separation, st.frozensets(PEOPLE, max_size=1), st.frozensets(PEOPLE, max_size=1))
KINDS = st.sampled_from([kind for kind in DecisionKind if kind.is_final])
ATTEMPTS = st.lists(st.tuples(st.builds(Voice, PEOPLE, PEOPLE), KINDS), max_size=9)
"""Somebody tries to speak, for themself or for another one, lent or not: who may is for the rules to say."""


def heard(
    attempts: Sequence[tuple[Voice, DecisionKind]], members: frozenset[str], separation: Separation
) -> dict[Voice, DecisionKind]:
    """Let everybody try in turn. A voice that was heard is not heard again; the rest is `why_may_not_speak`'s."""
    spoken: dict[Voice, DecisionKind] = {}
    for voice, kind in attempts:
        taken = voice.principal in {other.principal for other in spoken}
        if not taken and why_may_not_speak(voice, members, separation, list(spoken)) is None:
            spoken[voice] = kind
    return spoken


def most_apart(voices: Sequence[Voice]) -> int:
    """Return how many of these voices there can be of which no two have a person in common, by trying all."""
    sizes = range(len(voices), -1, -1)
    return next(size for size in sizes for some in combinations(voices, size) if _apart(some))


def _apart(voices: Sequence[Voice]) -> bool:
    return not any(one.people & other.people for one, other in combinations(voices, 2))


@given(ATTEMPTS, MEMBERS, SEPARATIONS)
def test_no_two_voices_that_are_heard_have_a_person_in_common(
    attempts: list[tuple[Voice, DecisionKind]], members: frozenset[str], separation: Separation
) -> None:
    spoken = list(heard(attempts, members, separation))
    assert _apart(spoken)
    assert len(spoken) == most_apart(spoken) <= len(frozenset[str]().union(*(voice.people for voice in spoken)))


@given(ATTEMPTS, MEMBERS, SEPARATIONS)
def test_nobody_who_is_kept_from_a_gate_has_a_part_in_a_voice_there(
    attempts: list[tuple[Voice, DecisionKind]], members: frozenset[str], separation: Separation
) -> None:
    for voice in heard(attempts, members, separation):
        assert not voice.people & (separation.excluded | separation.decided_elsewhere)
        assert voice.principal in members


@given(ATTEMPTS, MEMBERS, SEPARATIONS, st.data())
def test_the_voices_that_count_never_exceed_the_people_who_have_a_part_in_them(
    attempts: list[tuple[Voice, DecisionKind]], members: frozenset[str], separation: Separation, data: st.DataObject
) -> None:
    """By the quorum itself, with two groups that overlap: nobody is counted for two, lent voices included."""
    spoken = heard(attempts, members, separation)
    part = data.draw(st.frozensets(st.sampled_from(sorted(members)), min_size=1))
    needed = (Requirement("all", members, len(members)), Requirement("part", part, len(part)))
    words = {voice.principal: kind for voice, kind in spoken.items()}
    tally = evaluate(needed, words)
    approving = [voice for voice, kind in spoken.items() if kind.is_approval]
    people = frozenset[str]().union(*(voice.people for voice in approving))
    assert tally.counted == most_apart(approving) <= len(people)


@given(ATTEMPTS, MEMBERS, SEPARATIONS)
def test_the_quorum_is_open_exactly_while_those_who_can_still_speak_could_meet_it(
    attempts: list[tuple[Voice, DecisionKind]], members: frozenset[str], separation: Separation
) -> None:
    """Whoever has given another one's voice, or may not speak, is silenced; so nobody waits for what cannot come."""
    spoken = heard(attempts, members, separation)
    words = {voice.principal: kind for voice, kind in spoken.items()}
    lent = {voice.person for voice in spoken if voice.person != voice.principal}
    silenced = lent | separation.decided_elsewhere | separation.excluded
    tally = evaluate((Requirement("all", members, len(members)),), words, silenced=silenced)
    can_come = [
        person for person in members - words.keys()
        if why_may_not_speak(Voice(person, person), members, separation, list(spoken)) is None
    ]  # fmt: skip
    could_be_met = tally.counted + len(can_come) == len(members)
    assert (tally.standing is not Standing.OUT_OF_REACH) is could_be_met


@given(ATTEMPTS, MEMBERS, SEPARATIONS, st.randoms())
def test_lending_never_takes_the_last_word_from_a_delegator_who_has_not_spoken(
    attempts: list[tuple[Voice, DecisionKind]], members: frozenset[str], separation: Separation, order: Random
) -> None:
    """In whatever order: a member who has no part in a voice that was heard can still speak for themself."""
    order.shuffle(attempts)
    spoken = list(heard(attempts, members, separation))
    busy = frozenset[str]().union(*(voice.people for voice in spoken))
    for person in members - busy - separation.excluded - separation.decided_elsewhere:
        assert why_may_not_speak(Voice(person, person), members, separation, spoken) is None
