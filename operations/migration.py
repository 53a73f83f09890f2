"""What a newer version of its plan would mean for a rollout: what stays valid, and what keeps it from going over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from domain.errors import InvalidInput
from domain.inputs import carried_over
from domain.migration import Fate, GateFate, Migration, StageFate, StageStanding, Standing, compare
from domain.plan import Gate, Plan
from domain.reasons import Reason
from domain.states import LETS_PASS
from models.evidence import standing_decisions_at
from models.gates import GateRow
from models.requests import Decision
from models.rollouts import PlanVersion, StageRow
from operations.evidence import matters
from operations.feasible import refuse_what_cannot_work
from operations.kept_plans import plan_of
from operations.renewals import renewed_round
from operations.resume_rollout import stopping_gates
from operations.workspace import Workspace


@dataclass(frozen=True)
class Move:
    """A rollout's way from one version of its plan to another, as facts that outlive the transaction.

    `before` and `after` are the numbers of the versions, `old` and `new` their plans. `inputs` are as the newer version
    takes them; `lapsing` maps gates to the voices whose answers cease to count.
    """

    rollout_id: str
    plan: str
    before: int
    after: int
    old: Plan
    new: Plan
    inputs: Mapping[str, Any]
    migration: Migration
    lapsing: Mapping[str, list[str]]

    @property
    def stays_put(self) -> bool:
        """Whether the rollout follows this version already."""
        return self.before == self.after

    def title(self, part: StageFate | GateFate, language: str) -> str:
        """Return what a stage or gate is called, by the newer version where it is there."""
        plan = self.old if part.fate is Fate.GONE else self.new
        named = [*plan.stages, *gates_of(plan)]
        return next(one.title.in_language(language) for one in named if one.id == part.id)


def gates_of(plan: Plan) -> list[Gate]:
    """Return every gate of a plan, in its order."""
    return [gate for stage in plan.stages for gate in stage.gates]


def planned_gates(ws: Workspace) -> dict[str, GateRow]:
    """Return the gates in their newest round that come from the plan, by their ids."""
    return {row.key: row for row in ws.gates() if row.condition_id is None}


def counting_decisions(ws: Workspace, gate: GateRow) -> list[Decision]:
    """Return what still counts of what was said at a gate; at a renewal under way, also of what it renews."""
    rows = [gate]
    if gate.state not in LETS_PASS and (renewed := renewed_round(ws, gate)):
        rows.append(renewed)
    return [one for row in rows for one in ws.read(standing_decisions_at, row.id) if one.decision.is_final]


def move_to(ws: Workspace, version: PlanVersion) -> Move:
    """Return what it would mean for a rollout to follow this version of its plan.

    Raises InvalidInput for another plan, for inputs that the version needs and the rollout lacks, and for conditions
    that would have no place left; RoleNotHeld or QuorumImpossible for a gate that nobody could be asked at.
    """
    before, new = ws.rollout.plan_version, plan_of(version)
    if version.name != before.name:
        raise InvalidInput(f"The rollout follows the plan “{before.name}”; this file holds “{version.name}”.")
    rows = planned_gates(ws)
    standings = {key: Standing(row.state, row.escalation_level, row.renewal) for key, row in rows.items()}
    stages = {stage.key: StageStanding(stage.state, _is_held_by_condition(ws, stage)) for stage in ws.stages()}
    then, inputs = matters(ws), carried_over(new.inputs, ws.rollout.inputs)
    found = compare(then, replace(then, plan=new, inputs=inputs), standings, stages, ws.rollout.language)
    done = {fate.id for fate in found.gates(Fate.STAYS) if standings[fate.id].has_passed}
    _refuse_lost_conditions(ws, found)
    refuse_what_cannot_work([gate for gate in gates_of(new) if gate.id not in done], ws.directory, inputs)
    again = [rows[fate.id] for fate in found.gates(Fate.AGAIN)]
    lapsing = {row.key: [one.voice for one in counting_decisions(ws, row)] for row in again}
    return Move(ws.rollout.id, version.name, before.version, version.version, then.plan, new, inputs, found, lapsing)


def _is_held_by_condition(ws: Workspace, stage: StageRow) -> bool:
    return any(gate.condition_id is not None for gate in stopping_gates(ws, stage))


def _refuse_lost_conditions(ws: Workspace, found: Migration) -> None:
    """A condition that is still to be met needs the stage that holds to it, and the gate whose approval it is of."""
    stages = {stage.id for stage in found.stages if stage.fate is Fate.GONE}
    gates = {gate.id for gate in found.gates(Fate.GONE)}
    for gate in ws.gates():
        condition = ws.condition_of(gate)
        if condition is None or gate.state in LETS_PASS:
            continue
        if ws.stage_of(gate).key in stages or ws.session.get_one(GateRow, condition.gate_id).key in gates:
            raise InvalidInput(
                Reason(
                    "The newer version has no place for a condition that is still to be met: {what}. "
                    "Keep its stage, and the gate where it was made.",
                    {"what": condition.what},
                )
            )


def described(move: Move) -> dict[str, Any]:
    """Return a move as facts: rollout, plan, from, to, stages (id, title, fate, because) with their gates (lapses)."""
    return {
        "rollout": move.rollout_id,
        "plan": move.plan,
        "from": move.before,
        "to": move.after,
        "stages": [
            {
                **_part(move, stage),
                "gates": [{**_part(move, gate), "lapses": move.lapsing.get(gate.id, [])} for gate in stage.gates],
            }
            for stage in move.migration.stages
        ],
    }


def _part(move: Move, part: StageFate | GateFate) -> dict[str, Any]:
    return {
        "id": part.id,
        "title": move.title(part, "en"),
        "fate": part.fate.value,
        "because": [str(reason) for reason in part.because],
    }
