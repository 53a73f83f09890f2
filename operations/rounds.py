"""Rounds: putting a stage or a gate in the place of one that was asked before, and taking questions back."""

from __future__ import annotations

from collections.abc import Collection

from domain.states import Event, GateState, StageState, advance_gate, advance_stage
from models.gates import GateRow
from models.measurements import newest_measurement
from models.requests import VoidReason
from models.rollouts import StageRow
from operations.asking import void_requests
from operations.exclusive import release_resource
from operations.opening import open_stage
from operations.workspace import LIVING_STAGES, Workspace


def new_round(ws: Workspace, stage: StageRow, gates: list[GateRow]) -> None:
    """Put a waiting stage, with waiting gates, in the place of one that was open; the old ones stay in the record."""
    fresh = _next_round(ws, stage)
    for gate in gates:
        new_gate_round(ws, gate, fresh)


def _next_round(ws: Workspace, stage: StageRow) -> StageRow:
    stage.current = False
    fresh = StageRow(rollout_id=stage.rollout_id, key=stage.key, position=stage.position, round=stage.round + 1,
                     current=True, state=StageState.WAITING)  # fmt: skip
    ws.session.add(fresh)
    ws.session.flush()
    return fresh


def new_gate_round(ws: Workspace, gate: GateRow, stage: StageRow, *, renewal: bool = False) -> GateRow:
    """Put a waiting gate in the place of one that was asked, and return it; what was decided stays in the record.

    `renewal`: it asks again what has passed, and does not undo it. Only that may belong to a stage that has passed.
    What was measured so far does not count again: a value that failed would send the rollout back for ever.
    """
    gate.current = False
    measured = ws.session.scalar(newest_measurement(gate.rollout_id))
    fresh = GateRow(
        rollout_id=gate.rollout_id,
        stage_id=stage.id,
        key=gate.key,
        kind=gate.kind,
        position=gate.position,
        round=gate.round + 1,
        current=True,
        state=GateState.WAITING,
        measured_after=measured or 0,
        renewal=renewal,
        condition_id=gate.condition_id,
    )
    ws.session.add(fresh)
    ws.session.flush()
    return fresh


def reopen_passed(ws: Workspace, stage: StageRow) -> StageRow:
    """Open a stage that has passed once more, in a new round; returns it.

    Its gates go along as they are: put a new round in the place of those that are to be asked again. Stages after it
    that are open go on; no further one opens until it has passed again (domain/stage_graph.py).

    An exclusive stage waits instead, as it did the first time: `progress` opens it, and its gates are asked, when
    everything before it has passed and its turn at its resource has come, since others may use that by now.
    """
    gates = [gate for gate in ws.gates() if gate.stage_id == stage.id]
    fresh = _next_round(ws, stage)
    for gate in gates:
        gate.stage_id = fresh.id
    if ws.planned_stage(fresh).exclusive is None:
        open_stage(ws, fresh)
    ws.session.flush()
    return fresh


def withdraw(ws: Workspace, stages: Collection[StageRow], reason: VoidReason) -> list[str]:
    """Close what is still open in these stages; links die. Returns who was being asked."""
    told: list[str] = []
    ids = {stage.id for stage in stages}
    for gate in ws.gates(GateState.WAITING, GateState.OPEN):
        if gate.stage_id in ids:
            told += withdraw_gate(ws, gate, reason)
    for stage in stages:
        if stage.state in LIVING_STAGES or stage.state is StageState.WAITING:
            close_stage(ws, stage, Event.SKIPPED)
    return told


def withdraw_gate(ws: Workspace, gate: GateRow, reason: VoidReason) -> list[str]:
    """Take a question back that is not settled. Returns who was being asked."""
    void = void_requests(ws, gate, reason)
    gate.state = advance_gate(gate.state, Event.WITHDRAWN)
    gate.settled_at = ws.now
    gate.remind_at = gate.escalate_at = gate.expires_at = gate.look_at = gate.renewal_due_at = None
    gate.paused_at = gate.problem = None
    ws.note("gate.withdrawn", gate=gate, facts={"because": reason})
    return [request.person for request in void]


def close_stage(ws: Workspace, stage: StageRow, event: Event) -> None:
    """End a stage in this round: passed, failed or skipped. What it used, or waited for, others may use from now on."""
    stage.state = advance_stage(stage.state, event)
    stage.closed_at, stage.stalled_at, stage.stalled_since = ws.now, None, None
    release_resource(ws, stage)
    ws.note(f"stage.{event}", stage=stage)
