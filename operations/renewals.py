"""Renewals as they stand: which keep further stages closed, and what they renew. Read only."""

from __future__ import annotations

from domain.reasons import Reason
from domain.renewal import keeps_stages_closed
from domain.states import LETS_PASS, GateState
from models.gates import GateRow, gate_in_round
from operations.workspace import Workspace


def blocking_renewals(ws: Workspace) -> list[GateRow]:
    """Return the overdue renewals that keep further stages closed until they are answered."""
    overdue = [gate for gate in ws.gates() if gate.renewal and gate.overdue_at is not None]
    return [gate for gate in overdue if keeps_stages_closed(ws.planned_gate(gate), gate.state, gate.overdue_at)]


def renewed_round(ws: Workspace, gate: GateRow) -> GateRow | None:
    """Return the round whose approval a renewal renews; None for a gate that is no renewal."""
    row: GateRow | None = gate
    while row is not None and row.renewal and (row is gate or row.state not in LETS_PASS):
        row = ws.session.scalars(gate_in_round(gate.rollout_id, gate.key, row.round - 1)).first()
    return row if row is not gate else None


def what_is_renewed(ws: Workspace, gate: GateRow) -> Reason | None:
    """Return in words what a renewal renews, and since when that holds; None for a gate that is no renewal."""
    before = renewed_round(ws, gate)
    if before is None or before.settled_at is None:
        return None
    facts = {"moment": before.settled_at}
    if before.state is GateState.WAIVED:
        return Reason("This is a renewal: the gate was waived on {moment}, and the plan has it asked again.", facts)
    return Reason(
        "This is a renewal: the gate passed on {moment}, and the plan has it asked again. What has passed holds on "
        "while you are asked.",
        facts,
    )
