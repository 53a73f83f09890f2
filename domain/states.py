"""The states of rollout, stage and gate, and the only ways between them.

docs/states.md is generated from these tables. Unlisted means no.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from domain.errors import TransitionNotAllowed


class RolloutState(StrEnum):
    """Where a rollout stands."""

    WAITING = "waiting"  # started, but its start date has not come
    OPEN = "open"  # at least one stage is open or may open
    HELD = "held"  # a stage is held, until somebody resumes it or cancels the rollout
    COMPLETED = "completed"  # every stage passed
    KILLED = "killed"  # a gate said no, for good
    CANCELLED = "cancelled"  # somebody called it off


class StageState(StrEnum):
    """Where a stage stands."""

    WAITING = "waiting"  # a stage before it has not passed, or others use what it needs for itself
    OPEN = "open"  # its gates are asked
    PASSED = "passed"  # all its gates passed or were waived
    HELD = "held"  # a gate said "not now"
    FAILED = "failed"  # a gate said no, and that ended the rollout
    SKIPPED = "skipped"  # the rollout ended or went back before it was done, or its plan has it no more


class GateState(StrEnum):
    """Where a gate stands."""

    WAITING = "waiting"  # its stage is not open, or nobody can be asked yet
    OPEN = "open"  # people are asked
    PASSED = "passed"  # its quorum or condition was met
    REJECTED = "rejected"  # its quorum or condition can no longer be met
    EXPIRED = "expired"  # time was up
    WAIVED = "waived"  # an authorised person let it pass without its quorum
    WITHDRAWN = "withdrawn"  # the question went away: the rollout ended or went back, or its plan asks another one


class Outcome(StrEnum):
    """What a settled gate comes to, mildest first."""

    GO = "go"
    HOLD = "hold"
    RECYCLE = "recycle"
    KILL = "kill"


class DecisionKind(StrEnum):
    """One approver's word at one gate."""

    APPROVE = "approve"
    APPROVE_WITH_CONDITIONS = "approve-with-conditions"
    REJECT = "reject"
    REQUEST_CHANGES = "request-changes"  # not final: the same person is heard again
    ABSTAIN = "abstain"

    @property
    def is_approval(self) -> bool:
        """Whether it counts towards the quorum."""
        return self in (DecisionKind.APPROVE, DecisionKind.APPROVE_WITH_CONDITIONS)

    @property
    def is_final(self) -> bool:
        """Whether the person has had their say at this gate in this round."""
        return self is not DecisionKind.REQUEST_CHANGES


class Event(StrEnum):
    """What can happen to a rollout, a stage or a gate."""

    OPENED = "opened"
    PASSED = "passed"
    REJECTED = "rejected"
    EXPIRED = "expired"
    WAIVED = "waived"
    WITHDRAWN = "withdrawn"
    HELD = "held"
    RESUMED = "resumed"
    FAILED = "failed"
    SKIPPED = "skipped"
    COMPLETED = "completed"
    KILLED = "killed"
    CANCELLED = "cancelled"


_S = TypeVar("_S", RolloutState, StageState, GateState)

ROLLOUT_TRANSITIONS: Mapping[tuple[RolloutState, Event], RolloutState] = {
    (RolloutState.WAITING, Event.OPENED): RolloutState.OPEN,
    (RolloutState.WAITING, Event.CANCELLED): RolloutState.CANCELLED,
    (RolloutState.OPEN, Event.HELD): RolloutState.HELD,
    (RolloutState.OPEN, Event.COMPLETED): RolloutState.COMPLETED,
    (RolloutState.OPEN, Event.KILLED): RolloutState.KILLED,
    (RolloutState.OPEN, Event.CANCELLED): RolloutState.CANCELLED,
    (RolloutState.HELD, Event.RESUMED): RolloutState.OPEN,
    (RolloutState.HELD, Event.KILLED): RolloutState.KILLED,
    (RolloutState.HELD, Event.CANCELLED): RolloutState.CANCELLED,
}

STAGE_TRANSITIONS: Mapping[tuple[StageState, Event], StageState] = {
    (StageState.WAITING, Event.OPENED): StageState.OPEN,
    (StageState.WAITING, Event.SKIPPED): StageState.SKIPPED,
    (StageState.OPEN, Event.PASSED): StageState.PASSED,
    (StageState.OPEN, Event.HELD): StageState.HELD,
    (StageState.OPEN, Event.FAILED): StageState.FAILED,
    (StageState.OPEN, Event.SKIPPED): StageState.SKIPPED,
    (StageState.HELD, Event.RESUMED): StageState.OPEN,
    (StageState.HELD, Event.FAILED): StageState.FAILED,
    (StageState.HELD, Event.SKIPPED): StageState.SKIPPED,
}

GATE_TRANSITIONS: Mapping[tuple[GateState, Event], GateState] = {
    (GateState.WAITING, Event.OPENED): GateState.OPEN,
    (GateState.WAITING, Event.WAIVED): GateState.WAIVED,
    (GateState.WAITING, Event.WITHDRAWN): GateState.WITHDRAWN,
    (GateState.OPEN, Event.PASSED): GateState.PASSED,
    (GateState.OPEN, Event.REJECTED): GateState.REJECTED,
    (GateState.OPEN, Event.EXPIRED): GateState.EXPIRED,
    (GateState.OPEN, Event.WAIVED): GateState.WAIVED,
    (GateState.OPEN, Event.WITHDRAWN): GateState.WITHDRAWN,
}

ENDED = frozenset({RolloutState.COMPLETED, RolloutState.KILLED, RolloutState.CANCELLED})
LETS_PASS = frozenset({GateState.PASSED, GateState.WAIVED})
"""Gate states that do not stand in the way of their stage."""


def advance_rollout(state: RolloutState, event: Event) -> RolloutState:
    """Return the state after `event`. Raises TransitionNotAllowed when the table does not list it."""
    return _advance("rollout", ROLLOUT_TRANSITIONS, state, event)


def advance_stage(state: StageState, event: Event) -> StageState:
    """Return the state after `event`. Raises TransitionNotAllowed when the table does not list it."""
    return _advance("stage", STAGE_TRANSITIONS, state, event)


def advance_gate(state: GateState, event: Event) -> GateState:
    """Return the state after `event`. Raises TransitionNotAllowed when the table does not list it."""
    return _advance("gate", GATE_TRANSITIONS, state, event)


def _advance(subject: str, table: Mapping[tuple[_S, Event], _S], state: _S, event: Event) -> _S:
    try:
        return table[state, event]
    except KeyError:
        raise TransitionNotAllowed(subject, state, event) from None
