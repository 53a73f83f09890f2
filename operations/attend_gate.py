"""Look after one open gate whose time has come: remind, escalate, or let it expire."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from domain.states import GateState
from models.database import Database
from models.gates import GateRow, Purpose
from operations.absences import away_now
from operations.asking import open_requests
from operations.clock import begins_anew_later, next_reminder
from operations.escalating import escalate
from operations.expiring import expire
from operations.progress import progress
from operations.telling import remind
from operations.workspace import Workspace, locked


def attend_gate(
    db: Database, keys: Sequence[bytes], rollout_id: str, gate_id: int, now: datetime, *, may_expire: bool
) -> list[str]:
    """Do what is due at one gate and return what was done: expired, escalated, reminded.

    Each happens at most once per due date, however often and by however many this is called.
    """
    with locked(db, keys, rollout_id, now) as ws:
        gate = ws.session.get_one(GateRow, gate_id, populate_existing=True)
        done: list[str] = []
        if gate.state is not GateState.OPEN:
            return done
        if may_expire and _is_due(gate.expires_at, now) and not begins_anew_later(ws, gate):
            expire(ws, gate)
            return ["expired"]
        while gate.state is GateState.OPEN and _is_due(gate.escalate_at, now):
            escalate(ws, gate)
            progress(ws)  # somebody who decides alone from now on may have decided already
            done.append("escalated")
        if _is_due(gate.remind_at, now):
            _remind(ws, gate)
            done.append("reminded")
        return done


def _is_due(at: datetime | None, now: datetime) -> bool:
    return at is not None and at <= now


def _remind(ws: Workspace, gate: GateRow) -> None:
    """While the clock stands still, whoever was asked for changes is waited for, and nobody else.

    Whoever is away is reminded when they are back (operations/notice_absences.py).
    """
    due, gate.remind_at = gate.remind_at, next_reminder(ws, gate)
    if due is None or gate.remind_at is None:
        return
    waited_for = [Purpose.RESPOND] if gate.paused_at else [one for one in Purpose if one is not Purpose.RESPOND]
    asked = [request for request in open_requests(ws, gate, waited_for) if request.created_at < due]
    away = away_now(ws.session, [request.person for request in asked], ws.now)
    there = [request for request in asked if request.person not in away]
    remind(ws, gate, there, due)
    if asked:
        spared = {"away": sorted(away)} if away else {}
        ws.note("gate.reminded", gate=gate, facts={"people": [request.person for request in there], **spared})
