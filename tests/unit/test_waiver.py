"""Who may waive a gate, when, and whom a waiver passes over."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.eligibility import Separation, Voice
from domain.states import GateState, StageState
from domain.waiver import passed_over, why_cannot_be_waived, why_may_not_waive

ANNA, BEN, CARLA = "anna@example.com", "ben@example.com", "carla@example.com"

CAN_BE_WAIVED = {
    (GateState.WAITING, StageState.OPEN, False),
    (GateState.WAITING, StageState.OPEN, True),
    (GateState.WAITING, StageState.PASSED, True),
    (GateState.WAITING, StageState.HELD, True),
    (GateState.WAITING, StageState.WAITING, True),  # never there: a renewal's stage has been open
    (GateState.WAITING, StageState.FAILED, True),  # never there: a rollout that ends withdraws what waits
    (GateState.WAITING, StageState.SKIPPED, True),  # never there, as above
    (GateState.REJECTED, StageState.HELD, False),
    (GateState.REJECTED, StageState.HELD, True),
    (GateState.EXPIRED, StageState.HELD, False),
    (GateState.EXPIRED, StageState.HELD, True),
    *((GateState.OPEN, stage, renewal) for stage in StageState for renewal in (False, True)),
}


@pytest.mark.parametrize("renewal", [False, True])
@pytest.mark.parametrize("stage", StageState)
@pytest.mark.parametrize("gate", GateState)
def test_what_can_be_waived(gate: GateState, stage: StageState, renewal: bool) -> None:
    why = why_cannot_be_waived(gate, stage, renewal=renewal)
    assert (why is None) is ((gate, stage, renewal) in CAN_BE_WAIVED)


@pytest.mark.parametrize(
    ("gate", "stage", "sentence"),
    [
        (GateState.PASSED, StageState.OPEN, "The gate has passed; there is nothing to waive."),
        (GateState.WAIVED, StageState.PASSED, "The gate was waived already."),
        (GateState.WITHDRAWN, StageState.SKIPPED, "The question was withdrawn; there is nothing left to waive."),
        (GateState.WAITING, StageState.WAITING, "The stage of this gate is not open yet"),
        (GateState.WAITING, StageState.HELD, "The stage of this gate is on hold"),
        (GateState.REJECTED, StageState.WAITING, "not open yet"),
        (GateState.REJECTED, StageState.OPEN, "does not wait for it"),
        (GateState.WAITING, StageState.SKIPPED, "does not wait for it"),
    ],
)
def test_what_cannot_be_waived_is_said_why(gate: GateState, stage: StageState, sentence: str) -> None:
    assert sentence in str(why_cannot_be_waived(gate, stage))


def test_whoever_is_named_may_waive() -> None:
    assert why_may_not_waive(ANNA, [ANNA, BEN], Separation()) is None


@pytest.mark.parametrize(
    ("person", "named", "separation", "sentence"),
    [
        ("operator", [ANNA], Separation(), "say who with --by"),
        ("etappe", ["etappe"], Separation(), "say who with --by"),
        (ANNA, [], Separation(), "names nobody who may waive"),
        (CARLA, [BEN, ANNA], Separation(), f"the plan names {ANNA}, {BEN}"),
        (ANNA, [ANNA], Separation(excluded=frozenset({ANNA})), "keeps them from deciding it"),
        (ANNA, [ANNA], Separation(decided_elsewhere=frozenset({ANNA})), "has decided at a gate"),
    ],
)
def test_whoever_may_not_waive_hears_why(person: str, named: list[str], separation: Separation, sentence: str) -> None:
    assert sentence in str(why_may_not_waive(person, named, separation))


def test_being_kept_to_those_who_approved_before_is_for_deciders_alone() -> None:
    """`same_person_as` says who decides; the waiver's role is another one."""
    assert why_may_not_waive(ANNA, [ANNA], Separation(only=frozenset({BEN}))) is None


@pytest.mark.parametrize(
    ("asked", "to_be_asked", "approved", "skipped"),
    [
        ([ANNA, BEN], [], [ANNA], [BEN]),
        ([ANNA], [BEN, CARLA], [ANNA], [BEN, CARLA]),
        ([ANNA, BEN], [], [ANNA, BEN], []),
        ([ANNA, ANNA], [ANNA], [], [ANNA]),
    ],
)
def test_whose_approval_does_not_count_is_passed_over(
    asked: Iterable[str], to_be_asked: list[str], approved: list[str], skipped: list[str]
) -> None:
    assert passed_over([Voice(person, person) for person in asked], to_be_asked, approved) == skipped


def test_of_a_voice_that_was_lent_both_are_passed_over() -> None:
    lent = Voice(principal=ANNA, person=BEN)
    assert passed_over([lent], [], []) == [BEN, ANNA]
    assert passed_over([lent], [ANNA], [ANNA]) == []


PEOPLE = st.sampled_from([ANNA, BEN, CARLA])


@given(st.lists(st.builds(Voice, PEOPLE, PEOPLE)), st.lists(PEOPLE), st.sets(PEOPLE))
def test_nobody_is_passed_over_twice_and_nobody_is_forgotten(
    asked: list[Voice], to_be_asked: list[str], approved: set[str]
) -> None:
    skipped = passed_over(asked, to_be_asked, approved)
    assert len(skipped) == len(set(skipped))
    forgotten = {voice.principal for voice in asked} | set(to_be_asked)
    assert set(skipped) >= forgotten - approved
    for person in set(skipped) & approved:  # who has said yes for themselves may still give another one's voice
        assert any(voice.person == person and voice.principal not in approved for voice in asked)
