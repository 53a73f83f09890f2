"""Bringing a rollout's stages and gates in line with a newer version of its plan. Part of migrating a rollout."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from domain.migration import Fate, GateFate
from domain.plan import Gate, Plan
from domain.reasons import Reason
from domain.renewal import rule_of
from domain.states import LETS_PASS, Event, GateState, StageState
from models.gates import GateRow, all_gates, newest_round_of_gate
from models.requests import VoidReason
from models.rollouts import PlanVersion, StageRow, all_stages, newest_round_of_stage
from operations.asking import open_requests
from operations.clock import set_deadlines, set_renewal, watch_stage
from operations.exclusive import follow_resources
from operations.lapsing import lapse_what_changed, record_lapse
from operations.migration import Move, counting_decisions, gates_of, planned_gates
from operations.opening import reopen_stage
from operations.progress import release
from operations.rebanding import apply_bands
from operations.resume_rollout import stopping_gates
from operations.rounds import close_stage, new_gate_round, reopen_passed, withdraw_gate
from operations.telling import inform
from operations.withdraw_conditions import withdraw_conditions_of
from operations.workspace import LIVING_STAGES, Workspace


def follow(ws: Workspace, move: Move, version: PlanVersion) -> None:
    """Lay stages and gates out anew where that is needed; what stays keeps its rows, requests, links and decisions.

    Raises InvalidInput when an open stage would use a resource that others use, QuorumImpossible or RoleNotHeld when
    nobody could decide a gate by the bands that an input now calls for.
    """
    former = ws.rollout.plan_version_id
    gates, stages = planned_gates(ws), {stage.key: stage for stage in ws.stages()}
    stopped = [stage for stage in stages.values() if stage.state is StageState.HELD and stopping_gates(ws, stage)]
    for fate in move.migration.gates(Fate.AGAIN, Fate.GONE):
        _take_back(ws, gates[fate.id], fate)
    for stage in move.migration.stages:
        if stage.fate is Fate.GONE:
            _take_away(ws, stages[stage.id])
    ws.go_over(version, dict(move.inputs))
    _lay_out(ws, move, stages, gates)
    for stage in move.migration.stages:
        if stage.fate is Fate.AGAIN:
            reopen_passed(ws, stages[stage.id])
    _keep_the_version(ws, former)
    _go_on(ws, stopped)
    _follow_deadlines(ws, move.old)
    follow_resources(ws)
    apply_bands(ws)
    lapse_what_changed(ws)


def _take_back(ws: Workspace, gate: GateRow, fate: GateFate) -> None:
    if fate.fate is Fate.AGAIN:
        gone = counting_decisions(ws, gate)
        for decision in gone:
            record_lapse(ws, gate, decision, gate.key, fate.because[0])
        withdraw_conditions_of(ws, {decision.id for decision in gone})
    if gate.state in (GateState.WAITING, GateState.OPEN):
        withdraw_gate(ws, gate, VoidReason.WITHDRAWN)
    gate.renew_at = None
    gate.current = fate.fate is Fate.AGAIN  # a new round takes its place


def _take_away(ws: Workspace, stage: StageRow) -> None:
    if stage.state in LIVING_STAGES or stage.state is StageState.WAITING:
        close_stage(ws, stage, Event.SKIPPED)
    stage.current = False
    for gate in ws.gates():
        if gate.stage_id == stage.id and gate.condition_id is not None:  # those that are not met were refused before
            gate.current = False


def _lay_out(ws: Workspace, move: Move, stages: dict[str, StageRow], gates: Mapping[str, GateRow]) -> None:
    for position, planned in enumerate(ws.plan.stages):
        if planned.id not in stages:
            stages[planned.id] = _new_stage(ws, planned.id)
        stage = stages[planned.id]
        stage.position = position
        for place, gate in enumerate(planned.gates):
            row = _row(ws, stage, gate, move.migration.of_gate(gate.id).fate, gates)
            row.stage_id, row.position, row.kind = stage.id, place, gate.kind
    ws.session.flush()


def _row(ws: Workspace, stage: StageRow, gate: Gate, fate: Fate, rows: Mapping[str, GateRow]) -> GateRow:
    if fate is Fate.NEW:
        return _new_gate(ws, stage, gate)
    return new_gate_round(ws, rows[gate.id], stage) if fate is Fate.AGAIN else rows[gate.id]


def _new_stage(ws: Workspace, key: str) -> StageRow:
    """A stage that an earlier version had as well comes back in a new round."""
    newest = ws.session.scalar(newest_round_of_stage(ws.rollout.id, key)) or 0
    stage = StageRow(rollout_id=ws.rollout.id, key=key, position=0, round=newest + 1, current=True,
                     state=StageState.WAITING)  # fmt: skip
    ws.session.add(stage)
    ws.session.flush()
    return stage


def _new_gate(ws: Workspace, stage: StageRow, planned: Gate) -> GateRow:
    newest = ws.session.scalar(newest_round_of_gate(ws.rollout.id, planned.id)) or 0
    gate = GateRow(rollout_id=ws.rollout.id, stage_id=stage.id, key=planned.id, kind=planned.kind, position=0,
                   round=newest + 1, current=True, state=GateState.WAITING)  # fmt: skip
    ws.session.add(gate)
    ws.session.flush()
    return gate


def _keep_the_version(ws: Workspace, former: int) -> None:
    """What is over by now was asked under the earlier version, and is shown by it from now on."""
    rows: list[StageRow | GateRow] = [
        *ws.read(all_stages, ws.rollout.id),
        *ws.read(all_gates, ws.rollout.id),
    ]
    for row in rows:
        if not row.current and row.plan_version_id is None:
            row.plan_version_id = former
    ws.session.flush()


def _go_on(ws: Workspace, stopped: Iterable[StageRow]) -> None:
    for stage in stopped:
        if stage.current and not stopping_gates(ws, stage):
            reopen_stage(ws, stage)
    release(ws)


def _follow_deadlines(ws: Workspace, old: Plan) -> None:
    """What is open is due, what has passed is renewed, and stages stall by the newer version, counted from before."""
    moved_calendar = old.calendar != ws.plan.calendar
    gates = {gate.id: _deadlines(gate) for gate in gates_of(old)}
    for key, row in planned_gates(ws).items():
        changed = moved_calendar or gates.get(key) != _deadlines(ws.planned_gate(row))
        if row.state is GateState.OPEN and changed:
            _set_deadlines_anew(ws, row)
        if row.state in LETS_PASS and row.settled_at:
            set_renewal(ws, row)
    stages = {stage.id: stage.stalled_after for stage in old.stages}
    for stage in ws.stages():
        after = ws.planned_stage(stage).stalled_after
        if stage.state is StageState.OPEN and (moved_calendar or stages.get(stage.key, after) != after):
            watch_stage(ws, stage)


def _deadlines(gate: Gate) -> tuple[object, ...]:
    return gate.remind, gate.escalate, gate.expires, rule_of(gate)


def _set_deadlines_anew(ws: Workspace, gate: GateRow) -> None:
    due_before = gate.due_at
    set_deadlines(ws, gate)
    ws.note("gate.deadlines-changed", gate=gate)
    if gate.due_at != due_before:
        title: dict[str, str | int] = {"gate": ws.planned_gate(gate).title.in_language(ws.rollout.language)}
        inform(
            ws,
            [request.person for request in open_requests(ws, gate)],
            Reason("“{gate}” is to be decided by another date", title),
            [Reason("The plan has a newer version. Your link stays the same, and its page says by when.")],
            gate=gate,
        )
