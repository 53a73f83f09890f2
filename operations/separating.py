"""Separation of duties after a decision: who has spoken at one gate is no longer asked at those kept apart from it."""

from __future__ import annotations

from domain.separation import separated_from
from domain.states import GateState
from models.gates import GateRow
from models.requests import Purpose, VoidReason
from operations.asking import open_requests, void
from operations.voices import separation_at
from operations.workspace import Workspace


def separate(ws: Workspace, gate: GateRow) -> None:
    """Take back the questions that somebody may no longer answer because of what was decided at `gate`."""
    if gate.condition_id is not None:
        return
    apart = separated_from(ws.plan, gate.key)
    for other in ws.gates(GateState.OPEN) if apart else []:
        if other.key in apart:
            decided = separation_at(ws, other.key).decided_elsewhere
            asked = open_requests(ws, other, [Purpose.DECIDE])
            void(ws, [row for row in asked if decided & {row.person, row.voice}], VoidReason.SEPARATED)
