"""Ask a gate again that has passed, because the plan says how often; what has passed holds on while it is asked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from domain import renewal
from domain.states import ENDED
from models.database import Database
from models.gates import GateRow
from operations.clock import set_renewal_deadline
from operations.progress import progress
from operations.rounds import new_gate_round
from operations.workspace import Workspace, locked


def renew_gate(db: Database, keys: Sequence[bytes], rollout_id: str, gate_id: int, now: datetime) -> list[str]:
    """Ask a gate again when its renewal is due and return what was done: renewed.

    However many renewals were missed, and however many call this, it is asked once.
    """
    with locked(db, keys, rollout_id, now) as ws:
        gate = ws.session.get_one(GateRow, gate_id, populate_existing=True)
        if ws.rollout.state in ENDED or not gate.current or not renewal.is_due(gate.state, gate.renew_at, now):
            return []
        _ask_again(ws, gate)
        progress(ws)
        return ["renewed"]


def _ask_again(ws: Workspace, gate: GateRow) -> None:
    fresh = new_gate_round(ws, gate, ws.stage_of(gate), renewal=True)
    fresh.clock_from = ws.now
    set_renewal_deadline(ws, fresh)
    holds_since = gate.settled_at.isoformat() if gate.settled_at else ""
    ws.note("gate.renewal-due", gate=fresh, facts={"holds_since": holds_since})
