"""The clock of a gate, or a stage: what is due by it, and standing still while the owner is asked for changes."""

from __future__ import annotations

from datetime import datetime

from domain import deadlines
from domain.calendar_digest import digest_of
from domain.deadlines import Pause
from domain.durations import Deadline
from domain.renewal import renew_at, rule_of
from domain.states import Outcome
from models.gates import GateRow
from models.rollouts import StageRow
from operations.workspace import Workspace


def due_at(ws: Workspace, gate: GateRow, deadline: Deadline) -> datetime:
    """Return when something is due by the gate's clock; the pauses so far are left out."""
    pauses = [Pause(*map(datetime.fromisoformat, pause)) for pause in gate.pauses or []]
    return deadlines.due_after_pauses(gate.clock_from or ws.now, deadline, ws.calendar, pauses)


def next_reminder(ws: Workspace, gate: GateRow) -> datetime | None:
    """Return when those who are waited for are reminded next, counted from when they were last asked."""
    rhythm = ws.planned_gate(gate).remind
    if rhythm is None:
        return None
    answered = datetime.fromisoformat(gate.pauses[-1][1]) if gate.pauses else None
    asked_at = gate.paused_at or answered or gate.clock_from or ws.now
    return deadlines.next_reminder(asked_at, rhythm, ws.calendar, ws.now)


def set_deadlines(ws: Workspace, gate: GateRow) -> None:
    """Say when a gate is reminded of, escalated and expires; while its clock stands still, its owner is reminded."""
    gate.remind_at = next_reminder(ws, gate)
    gate.escalate_at = next_escalation(ws, gate)
    gate.expires_at = _expiry(ws, gate)
    set_renewal_deadline(ws, gate)


def set_renewal_deadline(ws: Workspace, gate: GateRow) -> None:
    """Say by when a renewal is to be answered; its time runs also while it waits to be asked."""
    gate.calendar = digest_of(ws.calendar)
    gate.renewal_due_at = _renewal_due(ws, gate)


def begin_anew(ws: Workspace, gate: GateRow) -> None:
    """Let the clock begin now: what follows is counted from here. The next reminder stays, and what is overdue."""
    gate.clock_from, gate.pauses = ws.now, []
    gate.escalate_at = next_escalation(ws, gate)
    gate.expires_at = _expiry(ws, gate)
    if gate.overdue_at is None:
        gate.renewal_due_at = _renewal_due(ws, gate)


def next_escalation(ws: Workspace, gate: GateRow) -> datetime | None:
    """Return when the plan's next step of escalation is taken; None when none is left, or the clock stands still."""
    left = ws.planned_gate(gate).escalate[gate.escalation_level :]
    return due_at(ws, gate, left[0].after) if left and gate.paused_at is None else None


def begins_anew_later(ws: Workspace, gate: GateRow) -> list[Deadline]:
    """Return when each escalation that is still to come starts the clock anew, counted from the one before."""
    left = ws.planned_gate(gate).escalate[gate.escalation_level :]
    return [level.after for level in left if level.restart_clock]


def watch_stage(ws: Workspace, stage: StageRow) -> None:
    """Say when a stage will count as stalled."""
    after = ws.planned_stage(stage).stalled_after
    stage.calendar, stage.stalled_since = digest_of(ws.calendar), None
    stage.stalled_at = deadlines.due_at(stage.clock_from or ws.now, after, ws.calendar) if after else None


def set_renewal(ws: Workspace, gate: GateRow) -> None:
    """Say when a gate that is settled is asked again: when it has passed, and the plan says so."""
    passed_at = gate.settled_at if gate.outcome is Outcome.GO else None
    gate.renew_at = renew_at(ws.planned_gate(gate), passed_at, ws.calendar) if passed_at else None
    gate.calendar = digest_of(ws.calendar) if gate.renew_at else None


def end_pause(ws: Workspace, gate: GateRow) -> None:
    """Let the clock go on; what is due by it has to be set again (operations/opening.py)."""
    if gate.paused_at is not None:
        began_at = max(gate.paused_at, gate.clock_from or gate.paused_at)  # the clock may have begun anew meanwhile
        gate.pauses = [*(gate.pauses or []), [began_at.isoformat(), ws.now.isoformat()]]
        gate.paused_at = None


def _expiry(ws: Workspace, gate: GateRow) -> datetime | None:
    """A condition is due on its day. A renewal does not expire: what has passed holds on."""
    expires = ws.planned_gate(gate).expires
    if gate.paused_at is not None or gate.renewal or expires is None:
        return None
    if condition := ws.condition_of(gate):
        return deadlines.end_of_day(condition.due_on, ws.calendar)
    first, *others = [*begins_anew_later(ws, gate), expires.after]
    due = due_at(ws, gate, first)
    for after in others:
        due = deadlines.due_at(due, after, ws.calendar)
    return due


def _renewal_due(ws: Workspace, gate: GateRow) -> datetime | None:
    renew = rule_of(ws.planned_gate(gate)) if gate.renewal else None
    return due_at(ws, gate, renew.within) if renew and gate.paused_at is None else None
