"""Escalate a gate now: the plan's next level is taken at once, instead of when its time has come."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from domain.errors import InvalidInput, RolloutEnded
from domain.escalation import why_cannot_be_escalated
from domain.reasons import Reason
from domain.states import ENDED
from models.database import Database
from models.gates import GateRow
from operations.escalating import escalate
from operations.progress import progress
from operations.seats import reason_given
from operations.workspace import Actor, Workspace, locked


def escalate_gate(
    db: Database, keys: Sequence[bytes], rollout_id: str, gate_key: str, reason: str, actor: Actor, now: datetime
) -> None:
    """Take the next level of escalation that the plan names for a gate; the levels after it keep their times.

    Raises UnknownRollout, NotFound for an unknown gate, NotAllowed for whoever does not look after the stage,
    RolloutEnded, and InvalidInput without a reason, or when there is nothing to escalate.
    """
    words = reason_given(reason, "Escalating needs a reason.")
    with locked(db, keys, rollout_id, now, actor) as ws:
        gate = ws.gate_called(gate_key)
        ws.refuse_strangers(ws.stage_of(gate), requester_may=False)
        if ws.rollout.state in ENDED:
            raise RolloutEnded(f"The rollout is {ws.rollout.state}; nobody is asked any more.")
        if why := why_not_escalated(ws, gate):
            raise InvalidInput(why)
        escalate(ws, gate, words)
        progress(ws)  # somebody who decides alone from now on may have decided already


def why_not_escalated(ws: Workspace, gate: GateRow) -> Reason | None:
    """Return why a gate cannot be escalated now, or None when it can."""
    left = len(ws.planned_gate(gate).escalate) - gate.escalation_level
    return why_cannot_be_escalated(gate.state, left, paused=gate.paused_at is not None)
