"""Renewal: what has passed is asked again while the rollout runs, and holds on while it is asked.

Only a no undoes it. Silence escalates once, at the deadline, and where the plan says so keeps further stages closed.
"""

from __future__ import annotations

from datetime import datetime

from domain import deadlines
from domain.check_clock import is_over
from domain.plan import Calendar, Gate, Renewal
from domain.states import LETS_PASS, GateState, StageState

BEING_ASKED = frozenset({GateState.WAITING, GateState.OPEN})
"""A gate that is not settled."""
_HAS_BEEN_OPEN = frozenset({StageState.OPEN, StageState.HELD, StageState.PASSED})


def rule_of(gate: Gate) -> Renewal | None:
    """Return what the plan says about asking this gate again; None when it says nothing."""
    renew: Renewal | None = getattr(gate, "renew", None)
    return renew


def renew_at(gate: Gate, passed_at: datetime, calendar: Calendar) -> datetime | None:
    """Return when a gate that passed, or was renewed, at `passed_at` is asked again (UTC); None for never."""
    rule = rule_of(gate)
    return deadlines.due_at(passed_at, rule.every, calendar) if rule else None


def is_due(state: GateState, at: datetime | None, now: datetime) -> bool:
    """Whether a gate is to be asked again: it has passed or was waived, and its time has come."""
    return state in LETS_PASS and at is not None and at <= now


def is_overdue(state: GateState, answer_due: datetime | None, now: datetime) -> bool:
    """Whether a renewal was not answered before its deadline. Whoever answers later still counts."""
    return state in BEING_ASKED and is_over(answer_due, now)


def lets_pass(state: GateState, *, renewal: bool) -> bool:
    """Whether a gate does not stand in the way of its stage: a renewal that is asked does not undo what has passed."""
    return state in LETS_PASS or (renewal and state in BEING_ASKED)


def may_be_asked(stage: StageState, *, renewal: bool) -> bool:
    """Whether a waiting gate may be asked: when its stage is open; a renewal also when it is on hold or has passed."""
    return stage is StageState.OPEN or (renewal and stage in _HAS_BEEN_OPEN)


def keeps_stages_closed(gate: Gate, state: GateState, overdue_at: datetime | None) -> bool:
    """Whether no further stage opens because this renewal is overdue. Those that are open go on."""
    rule = rule_of(gate)
    return rule is not None and rule.blocks_new_stages and state in BEING_ASKED and overdue_at is not None
