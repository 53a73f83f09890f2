"""A renewal that was not answered in time: it escalates once, and where the plan says so, no further stage opens."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from domain import renewal
from domain.reasons import Reason
from domain.states import GateState
from models.database import Database
from models.gates import GateRow
from operations.escalating import escalate
from operations.naming import names_of
from operations.progress import progress
from operations.question import waiting_for
from operations.renewals import blocking_renewals
from operations.telling import inform
from operations.workspace import Workspace, locked


def chase_renewal(
    db: Database, keys: Sequence[bytes], rollout_id: str, gate_id: int, now: datetime, believed: datetime
) -> list[str]:
    """Write down that a renewal is overdue at `believed` (domain/check_clock.py), once; returns what was done: overdue.

    The plan's next escalation is taken at once; where there is none left, those who look after the rollout are told.
    """
    with locked(db, keys, rollout_id, now) as ws:
        gate = ws.session.get_one(GateRow, gate_id, populate_existing=True)
        is_late = gate.current and renewal.is_overdue(gate.state, gate.renewal_due_at, believed)
        if not is_late or gate.overdue_at is not None or gate.paused_at is not None:
            return []
        _chase(ws, gate)
        progress(ws)
        return ["overdue"]


def _chase(ws: Workspace, gate: GateRow) -> None:
    gate.overdue_at = ws.now
    ws.session.flush()
    ws.note("gate.overdue", gate=gate, facts={"waiting_for": waiting_for(ws, gate)})
    steps_left = gate.escalation_level < len(ws.planned_gate(gate).escalate)
    can_escalate = gate.state is GateState.OPEN and steps_left  # nobody can be asked instead at one that waits
    if not can_escalate or gate in blocking_renewals(ws):
        _tell(ws, gate)
    if can_escalate:
        escalate(ws, gate)


def _tell(ws: Workspace, gate: GateRow) -> None:
    stage = ws.stage_of(gate)
    facts: dict[str, str | int] = {
        "gate": ws.planned_gate(gate).title.in_language(ws.rollout.language),
        "people": names_of(ws, waiting_for(ws, gate)),
        "rollout": ws.rollout.id,
    }
    inform(
        ws,
        [ws.rollout.owner, *ws.directory.resolve(ws.planned_stage(stage).owner), ws.rollout.requester],
        Reason("The renewal of “{gate}” is overdue", facts),
        [_who_is_silent(gate, facts), _what_it_means(ws, gate)],
        [Reason("To see who is waited for: etappe rollout show {rollout}", facts)],
        gate=gate,
    )


def _who_is_silent(gate: GateRow, facts: dict[str, str | int]) -> Reason:
    if gate.problem:
        return Reason("Nobody can be asked: {problem}", {"problem": gate.problem})
    if not facts["people"]:
        return Reason("Nobody has been asked yet, because other gates come first.")
    return Reason("These were asked again and have not answered in time: {people}", facts)


def _what_it_means(ws: Workspace, gate: GateRow) -> Reason:
    if gate in blocking_renewals(ws):
        return Reason("Until it is answered no further stage opens. Those that are open go on.")
    return Reason("What has passed holds on until it is answered.")
