"""Look after open gates whose time has come: remind, escalate, or let them expire."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from domain.check_clock import is_over
from domain.states import GateState
from models.database import Database
from models.gates import GateRow, gates_with_stages
from models.outbox import told_already
from models.requests import Purpose
from notifications import dedup
from operations.absences import away_now
from operations.asking import open_requests
from operations.clock import begins_anew_later, next_reminder
from operations.escalating import escalate
from operations.expiring import expire
from operations.progress import progress
from operations.telling import remind
from operations.workspace import Workspace, locked


def attend_gates(
    db: Database, keys: Sequence[bytes], rollout_id: str, gate_ids: Sequence[int], now: datetime, believed: datetime
) -> list[str]:
    """Do what is due at gates of one rollout and return what was done, one word each: expired, escalated, reminded.

    Each happens at most once per due date, however often and by however many this is called. Reminders and escalations
    go by `now`; time is up only at `believed` (domain/check_clock.py), since that cannot be undone.
    """
    with locked(db, keys, rollout_id, now) as ws:
        found = ws.session.execute(gates_with_stages(gate_ids)).all()
        return [done for gate, _ in found for done in _attend(ws, gate, believed)]


def _attend(ws: Workspace, gate: GateRow, believed: datetime) -> list[str]:
    done: list[str] = []
    if gate.state is not GateState.OPEN:
        return done
    if is_over(gate.expires_at, believed) and not begins_anew_later(ws, gate):
        expire(ws, gate)
        return ["expired"]
    while gate.state is GateState.OPEN and is_over(gate.escalate_at, ws.now):
        escalate(ws, gate)
        progress(ws)  # somebody who decides alone from now on may have decided already
        done.append("escalated")
    if is_over(gate.remind_at, ws.now):
        _remind(ws, gate)
        done.append("reminded")
    return done


def _remind(ws: Workspace, gate: GateRow) -> None:
    """While the clock stands still, whoever was asked for changes is waited for, and nobody else."""
    due, again_at = gate.remind_at, next_reminder(ws, gate)
    if due is not None and again_at is not None:
        _remind_of(ws, gate, due)
    gate.remind_at = again_at


def _remind_of(ws: Workspace, gate: GateRow, due: datetime) -> None:
    """Once for each due date, also when it comes again because a clock was ahead, and times were set anew since.

    Whoever is away is reminded when they are back (operations/notice_absences.py).
    """
    waited_for = [Purpose.RESPOND] if gate.paused_at else [one for one in Purpose if one is not Purpose.RESPOND]
    waiting = {dedup.reminder(row.id, due): row for row in open_requests(ws, gate, waited_for) if row.created_at < due}
    before = set(ws.session.scalars(told_already(waiting)))
    asked = [row for key, row in waiting.items() if key not in before]
    away = away_now(ws.session, [row.person for row in asked], ws.now)
    there = [row for row in asked if row.person not in away]
    remind(ws, gate, there, due)
    if asked:
        spared = {"away": sorted(away)} if away else {}
        ws.note("gate.reminded", gate=gate, facts={"people": [row.person for row in there], **spared})
