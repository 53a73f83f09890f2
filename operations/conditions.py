"""Conditions of approvals: kept with the decision, made gates of later stages once its gate has passed, and dropped."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from domain import conditions, deadlines
from domain.conditions import Promise, TypedCondition
from domain.reasons import Fact, Reason
from domain.states import DecisionKind, GateState
from models.conditions import Condition, conditions_made_at
from models.gates import GateRow
from models.requests import Decision, VoidReason
from models.rollouts import StageRow
from operations.choosing import stages_for
from operations.naming import name_of
from operations.rounds import withdraw_gate
from operations.telling import inform
from operations.voices import latest_decisions, members
from operations.workspace import Workspace


def read(ws: Workspace, gate: GateRow, typed: Sequence[TypedCondition]) -> list[Promise]:
    """Return the conditions that were typed at a gate. Raises InvalidInput with the fields."""
    return conditions.read(typed, deadlines.day_of(ws.now, ws.calendar), stages_for(ws, gate))


def keep(ws: Workspace, decision: Decision, promises: Sequence[Promise]) -> None:
    """Keep the conditions of a decision that was just recorded."""
    today = deadlines.day_of(ws.now, ws.calendar)
    ws.session.add_all(
        Condition(
            rollout_id=ws.rollout.id,
            gate_id=decision.gate_id,
            decision_id=decision.id,
            what=promise.what,
            who=promise.who,
            due_on=promise.due_on,
            days=(promise.due_on - today).days,
            stage=promise.stage,
        )
        for promise in promises
    )


def make_gates(ws: Workspace, gate: GateRow) -> None:
    """Turn the conditions of the approvals that count at a gate that has passed into gates of later stages."""
    heard = members(gate)
    counting = {
        word.id
        for voice, word in latest_decisions(ws, gate).items()
        if voice in heard and word.decision is DecisionKind.APPROVE_WITH_CONDITIONS
    }
    for condition in ws.read(conditions_made_at, gate.id):
        if condition.decision_id in counting:
            _make_gate(ws, gate, condition)


def _make_gate(ws: Workspace, gate: GateRow, condition: Condition) -> None:
    """Its stage may have passed since it was named, while a stage before was asked again: then the next one holds."""
    stages = stages_for(ws, gate)
    if not stages:
        _say_that_nothing_holds(ws, gate, condition)
        return
    if condition.stage not in stages:
        condition.stage = stages[0]
    stage = next(stage for stage in ws.stages() if stage.key == condition.stage)
    positions = [row.position for row in ws.gates() if row.stage_id == stage.id]
    made = GateRow(
        rollout_id=ws.rollout.id,
        stage_id=stage.id,
        key=conditions.key_of(condition.id),
        kind="checklist",
        position=max(positions, default=-1) + 1,
        round=1,
        current=True,
        condition_id=condition.id,
    )
    ws.session.add(made)
    ws.session.flush()
    ws.note("condition.made", gate=made, facts={"made_at": gate.key, **_facts(condition)})


def _say_that_nothing_holds(ws: Workspace, gate: GateRow, condition: Condition) -> None:
    ws.note("condition.not-held", gate=gate, facts=_facts(condition))
    facts: dict[str, Fact] = {"what": condition.what, "person": name_of(ws, condition.who)}
    inform(
        ws,
        [ws.rollout.owner, ws.maker_of(condition), condition.who],
        Reason("A condition has no stage left that could hold to it"),
        [Reason("Every later stage has passed meanwhile. It was to be done by {person}: {what}", facts)],
        gate=gate,
    )


def _facts(condition: Condition) -> dict[str, Fact]:
    return {
        "condition": condition.id,
        "decision": condition.decision_id,
        "what": condition.what,
        "who": condition.who,
        "due_on": condition.due_on.isoformat(),
        "stage": condition.stage,
    }


def drop(ws: Workspace, gate: GateRow) -> list[str]:
    """Take a condition back whose approval no longer counts: its gate goes, whatever it came to.

    Returns who was being asked at it.
    """
    open_still = gate.state in (GateState.WAITING, GateState.OPEN)
    asked = withdraw_gate(ws, gate, VoidReason.WITHDRAWN) if open_still else []
    ws.note("condition.withdrawn", gate=gate, facts={"condition": gate.condition_id})
    gate.current = False
    ws.session.flush()
    return asked


def hanging_on_stages(ws: Workspace, stages: Collection[StageRow]) -> list[GateRow]:
    """Return the gates of conditions that were made at a gate of these stages, in any round."""
    keys = {stage.key for stage in stages}
    return [gate for gate in ws.gates() if _made_in(ws, gate) in keys]


def _made_in(ws: Workspace, gate: GateRow) -> str:
    condition = ws.condition_of(gate)
    return ws.stage_of(ws.session.get_one(GateRow, condition.gate_id)).key if condition else ""
