"""Every pair of state and event is in the table, or refused with both named."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

import pytest

from domain.errors import TransitionNotAllowed
from domain.states import (
    ENDED,
    GATE_TRANSITIONS,
    LETS_PASS,
    ROLLOUT_TRANSITIONS,
    STAGE_TRANSITIONS,
    DecisionKind,
    Event,
    GateState,
    RolloutState,
    StageState,
    advance_gate,
    advance_rollout,
    advance_stage,
)

MACHINES: list[tuple[str, type[StrEnum], Mapping[Any, Any], Callable[[Any, Event], Any]]] = [
    ("rollout", RolloutState, ROLLOUT_TRANSITIONS, advance_rollout),
    ("stage", StageState, STAGE_TRANSITIONS, advance_stage),
    ("gate", GateState, GATE_TRANSITIONS, advance_gate),
]
PAIRS = [
    pytest.param(subject, state, event, table, advance, id=f"{subject}-{state}-{event}")
    for subject, states, table, advance in MACHINES
    for state in states
    for event in Event
]


@pytest.mark.parametrize(("subject", "state", "event", "table", "advance"), PAIRS)
def test_a_pair_is_listed_or_refused(
    subject: str, state: StrEnum, event: Event, table: Mapping[Any, Any], advance: Callable[[Any, Event], Any]
) -> None:
    if (state, event) in table:
        assert advance(state, event) is table[state, event]
        return
    with pytest.raises(TransitionNotAllowed) as refused:
        advance(state, event)
    assert (refused.value.subject, refused.value.state, refused.value.event) == (subject, state, event)
    assert str(state) in refused.value.sentence
    assert str(event) in refused.value.sentence


def test_nothing_leads_out_of_an_end() -> None:
    ends: list[tuple[Mapping[Any, Any], set[Any]]] = [
        (ROLLOUT_TRANSITIONS, set(ENDED)),
        (STAGE_TRANSITIONS, {StageState.PASSED, StageState.FAILED, StageState.SKIPPED}),
        (GATE_TRANSITIONS, set(GateState) - {GateState.WAITING, GateState.OPEN}),
    ]
    for table, ended in ends:
        assert not {state for state, _ in table} & ended


@pytest.mark.parametrize(
    ("states", "table"), [(states, table) for _, states, table, _ in MACHINES], ids=["rollout", "stage", "gate"]
)
def test_every_state_can_be_reached_from_waiting(states: type[StrEnum], table: Mapping[Any, Any]) -> None:
    reached = {states("waiting")}
    for _ in states:
        reached |= {after for (before, _), after in table.items() if before in reached}
    assert reached == set(states)


def test_only_a_gate_that_passed_or_was_waived_lets_its_stage_pass() -> None:
    assert set(LETS_PASS) == {GateState.PASSED, GateState.WAIVED}


def test_an_approval_with_conditions_is_an_approval() -> None:
    assert {kind for kind in DecisionKind if kind.is_approval} == {"approve", "approve-with-conditions"}


def test_only_a_request_for_changes_is_not_final() -> None:
    assert {kind for kind in DecisionKind if not kind.is_final} == {"request-changes"}
