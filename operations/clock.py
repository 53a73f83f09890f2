"""A gate's clock: when something is due by it, and standing still while the owner is asked for changes."""

from __future__ import annotations

from datetime import datetime

from domain import deadlines
from domain.deadlines import Pause
from domain.durations import Duration
from domain.renewal import rule_of
from models.gates import GateRow
from operations.workspace import Workspace


def due_at(ws: Workspace, gate: GateRow, span: Duration) -> datetime:
    """Return when a span by the gate's clock is over; the pauses so far are left out."""
    pauses = [Pause(*map(datetime.fromisoformat, pause)) for pause in gate.pauses or []]
    return deadlines.due_after_pauses(gate.clock_from or ws.now, span, ws.plan.calendar, pauses)


def next_reminder(ws: Workspace, gate: GateRow) -> datetime | None:
    """Return when those who are waited for are reminded next, counted from when they were last asked."""
    every = ws.planned_gate(gate).remind
    if every is None:
        return None
    answered = datetime.fromisoformat(gate.pauses[-1][1]) if gate.pauses else None
    asked_at = gate.paused_at or answered or gate.clock_from or ws.now
    return deadlines.next_reminder(asked_at, every, ws.plan.calendar, ws.now)


def set_deadlines(ws: Workspace, gate: GateRow) -> None:
    """Say when a gate is reminded of, escalated and expires; while its clock stands still, its owner is reminded.

    A renewal does not expire, since what has passed holds on: it is overdue, by the same clock.
    """
    planned, runs = ws.planned_gate(gate), gate.paused_at is None
    left = planned.escalate[gate.escalation_level :]
    gate.remind_at = next_reminder(ws, gate)
    gate.escalate_at = due_at(ws, gate, left[0].after) if left and runs else None
    expires, renew = (planned.expires, None) if not gate.renewal else (None, rule_of(planned))
    gate.expires_at = due_at(ws, gate, expires.after) if expires and runs else None
    gate.renewal_due_at = due_at(ws, gate, renew.within) if renew and runs else None
    if runs and (condition := ws.condition_of(gate)):
        gate.expires_at = deadlines.end_of_day(condition.due_on, ws.plan.calendar)


def end_pause(ws: Workspace, gate: GateRow) -> None:
    """Let the clock go on; what is due by it has to be set again (operations/opening.py)."""
    if gate.paused_at is not None:
        began_at = max(gate.paused_at, gate.clock_from or gate.paused_at)  # the clock may have begun anew meanwhile
        gate.pauses = [*(gate.pauses or []), [began_at.isoformat(), ws.now.isoformat()]]
        gate.paused_at = None
