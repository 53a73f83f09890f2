"""Passing a question on, and asking for one more approval: nobody names themself, and nobody gets a second voice."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.eligibility import Separation, Voice, why_may_not_speak
from domain.reassignment import Table, why_may_not_bring_instead, why_may_not_join, why_may_not_take_over

ANNA, BEN, CARLA, LEA, HUGO, OWNER = "anna", "ben", "carla", "lea", "hugo", "owner"
EVERYBODY = frozenset({ANNA, BEN, CARLA, LEA, HUGO, OWNER})
BOARD = frozenset({ANNA, BEN})
TABLE = Table(BOARD, Separation(excluded=frozenset({LEA})), (), EVERYBODY)


def spoken(*voices: Voice) -> Table:
    return Table(BOARD, TABLE.separation, voices, EVERYBODY)


@pytest.mark.parametrize(
    ("person", "by", "table", "because"),
    [
        (HUGO, OWNER, TABLE, None),
        (HUGO, HUGO, TABLE, "Nobody can name themself"),
        ("guest", OWNER, TABLE, "not in the directory"),
        (BEN, OWNER, TABLE, "decides here already"),
        (LEA, OWNER, TABLE, "the plan excludes them"),
        (HUGO, OWNER, spoken(Voice(ANNA, HUGO)), "One person is one voice"),
        (HUGO, OWNER, spoken(Voice(ANNA, CARLA)), None),
        (CARLA, OWNER, Table(BOARD, Separation(decided_elsewhere=frozenset({CARLA})), (), EVERYBODY), "other people"),
        (CARLA, OWNER, Table(BOARD, Separation(only=BOARD), (), EVERYBODY), "Only those who approved"),
    ],
)
def test_who_may_join(person: str, by: str, table: Table, because: str | None) -> None:
    reason = why_may_not_join(person, by, table)
    assert (reason is None) if because is None else because in str(reason)


@pytest.mark.parametrize(
    ("left_by", "person", "may_be_lent", "held", "table", "because"),
    [
        (ANNA, HUGO, True, [], TABLE, None),
        (ANNA, HUGO, False, [], TABLE, "only who holds “board” may take over"),
        (ANNA, HUGO, False, ["board"], TABLE, None),
        (ANNA, ANNA, True, [], TABLE, "is asked here already"),
        (CARLA, HUGO, True, [], TABLE, "carla is not asked here"),
        (ANNA, HUGO, True, [], spoken(Voice(ANNA, ANNA)), "has answered here already"),
        (ANNA, HUGO, True, [], spoken(Voice(ANNA, CARLA)), "has answered here already"),
        (ANNA, BEN, True, [], TABLE, "decides here already"),
    ],
)
def test_who_may_take_over(
    left_by: str, person: str, may_be_lent: bool, held: list[str], table: Table, because: str | None
) -> None:
    reason = why_may_not_take_over(person, left_by, OWNER, table, may_be_lent, ["board"], held)
    assert (reason is None) if because is None else because in str(reason)


@pytest.mark.parametrize(
    ("left_by", "person", "by", "because"),
    [
        (LEA, HUGO, OWNER, None),
        (LEA, OWNER, OWNER, "Nobody can name themself"),
        (LEA, "guest", OWNER, "not in the directory"),
        (LEA, CARLA, OWNER, "is asked here already"),
        (LEA, ANNA, OWNER, "decides here on what is brought"),
        (HUGO, LEA, OWNER, "hugo is not asked here"),
    ],
)
def test_who_may_bring_something_instead(left_by: str, person: str, by: str, because: str | None) -> None:
    reason = why_may_not_bring_instead(person, left_by, by, TABLE, [LEA, CARLA])
    assert (reason is None) if because is None else because in str(reason)


PEOPLE = st.sampled_from(sorted(EVERYBODY))
SETS = st.frozensets(PEOPLE, max_size=4)
VOICES = st.lists(st.builds(Voice, PEOPLE, PEOPLE), max_size=3).map(tuple)
SEPARATIONS = st.builds(Separation, SETS, SETS, st.none() | SETS)


@given(PEOPLE, PEOPLE, SETS, SEPARATIONS, VOICES)
def test_whoever_may_join_could_speak_at_once_and_has_no_voice_there_yet(
    person: str, by: str, members: frozenset[str], separation: Separation, voices: tuple[Voice, ...]
) -> None:
    table = Table(members, separation, voices, EVERYBODY)
    if why_may_not_join(person, by, table) is None:
        assert person != by
        assert person not in members
        assert all(person not in voice.people for voice in voices if voice.principal != person)
        assert why_may_not_speak(Voice(person, person), members | {person}, separation, voices) is None
