"""The time to object, where silence counts as consent: everybody has all of it, about what holds now."""

from __future__ import annotations

from domain.states import GateState
from models.gates import GateRow
from operations.clock import set_deadlines
from operations.evidence import pinned_now
from operations.workspace import Workspace


def begin_time_to_object(ws: Workspace, gate: GateRow) -> None:
    """Let the time to object begin now, and remember what it is about; nothing where silence never counts.

    Somebody is asked now who was not asked before, or about something else: nobody consents by having had no time.
    """
    if gate.state is not GateState.OPEN or not silence_counts(ws, gate):
        return
    gate.pinned = pinned_now(ws, gate)
    if gate.clock_from != ws.now:
        gate.clock_from, gate.pauses = ws.now, []
        set_deadlines(ws, gate)
        ws.note("gate.time-began-anew", gate=gate)


def silence_counts(ws: Workspace, gate: GateRow) -> bool:
    """Whether the plan takes silence as consent at a gate; never when it asks again what has passed before."""
    return not gate.renewal and bool(getattr(ws.planned_gate(gate), "silence_is_consent", False))
