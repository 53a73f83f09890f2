"""What a newer version of a plan means for a rollout that is under way: what stays valid, and what is asked again.

An answer stays valid when what it was given for, who may give it, and how answers are counted are as they were. What
follows from an answer concerns only those who are still asked; deadlines and names concern nobody's answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from domain.evidence import digest
from domain.pinning import Matters, pins, why_lapsed
from domain.plan import BudgetGate, Gate, Plan, Stage
from domain.plan_changes import CONCERNS_ANSWERS, CONCERNS_NO_ANSWER, CONCERNS_THOSE_ASKED, OF_STAGES
from domain.reasons import Reason
from domain.renewal import lets_pass
from domain.states import GateState, StageState


class Fate(StrEnum):
    """What becomes of a stage or a gate."""

    STAYS = "stays"  # what was decided stays valid
    AGAIN = "asked-again"  # a gate is asked in a new round; a stage that has passed is opened once more
    NEW = "new"
    GONE = "gone"


@dataclass(frozen=True)
class Standing:
    """Where a gate stands. `escalated` is how many steps of its escalation have been taken.

    A `renewal` asks again what has passed already, so what is only of the way there does not concern it.
    """

    state: GateState
    escalated: int = 0
    renewal: bool = False

    @property
    def was_asked(self) -> bool:
        """Whether anybody has been asked, in this round or in the one that it renews."""
        return self.state is not GateState.WAITING or self.renewal

    @property
    def has_passed(self) -> bool:
        """Whether it does not stand in the way of its stage; a renewal that was refused does."""
        return lets_pass(self.state, renewal=self.renewal)

    @property
    def stops(self) -> bool:
        """Whether it is what its stage is held for."""
        return self.state in (GateState.REJECTED, GateState.EXPIRED)


@dataclass(frozen=True)
class StageStanding:
    """Where a stage stands. What holds it may be a condition (`by_condition`), whatever becomes of its gates."""

    state: StageState
    by_condition: bool = False


@dataclass(frozen=True)
class GateFate:
    """What becomes of a gate, and what has changed about it, in words."""

    id: str
    fate: Fate
    because: tuple[Reason, ...] = ()


@dataclass(frozen=True)
class StageFate:
    """What becomes of a stage, what has changed about it, and what becomes of its gates."""

    id: str
    fate: Fate
    because: tuple[Reason, ...]
    gates: tuple[GateFate, ...]


@dataclass(frozen=True)
class Migration:
    """What becomes of everything: the newer version's stages in its order, then those that are gone."""

    stages: tuple[StageFate, ...]

    def gates(self, *fates: Fate) -> list[GateFate]:
        """Return the gates of these fates (none given: all)."""
        return [gate for stage in self.stages for gate in stage.gates if not fates or gate.fate in fates]

    def of_gate(self, gate_id: str) -> GateFate:
        """Return what becomes of a gate. Raises StopIteration for an unknown one."""
        return next(gate for gate in self.gates() if gate.id == gate_id)

    @property
    def changes_nothing(self) -> bool:
        """Whether everything stays, and nothing about it has changed."""
        parts: list[StageFate | GateFate] = [*self.stages, *self.gates()]
        return not any(part.fate is not Fate.STAYS or part.because for part in parts)


def compare(
    old: Matters, new: Matters, gates: Mapping[str, Standing], stages: Mapping[str, StageStanding], language: str
) -> Migration:
    """Compare what a rollout is about with what it would be about under a newer version of its plan.

    `gates` and `stages` say where each of the old plan's stands; `new` has the inputs as they would be. What a gate is
    asked again for may be that another one is, so it is looked at again until nothing changes. Names are in `language`.
    """
    fates = {gate.id: _fate(old.plan, new.plan, gate, gates) for gate in _gates(new.plan)}
    while pulled := _pulled_along(old, new, gates, fates, language):
        fates |= pulled
    staying = [_stage(old.plan, new.plan, stage, fates, gates, stages) for stage in new.plan.stages]
    return Migration((*staying, *_gone(old.plan, new.plan)))


def _fate(old: Plan, new: Plan, gate: Gate, standings: Mapping[str, Standing]) -> GateFate:
    before = next((one for one in _gates(old) if one.id == gate.id), None)
    if before is None:
        return GateFate(gate.id, Fate.NEW)
    standing = standings[gate.id]
    changed = _changed_keys(before, gate)
    matters = [*_said(CONCERNS_ANSWERS, changed), *_currency(old, new, before, gate)]
    matters += _escalated_otherwise(before, gate, standing)
    on_the_way = [*_said(CONCERNS_THOSE_ASKED, changed), *_moved(old, new, gate.id)]
    harmless = _said(CONCERNS_NO_ANSWER, changed)
    if not standing.was_asked:
        return GateFate(gate.id, Fate.STAYS, _once([*matters, *on_the_way, *harmless]))
    if not standing.has_passed:
        matters, on_the_way = [*matters, *on_the_way], []
    if matters:
        return GateFate(gate.id, Fate.AGAIN, _once(matters))
    return GateFate(gate.id, Fate.STAYS, _once([*on_the_way, *harmless]))


def _changed_keys(before: Gate, after: Gate) -> set[str]:
    if before.kind != after.kind:
        return {"kind"}
    old, new = before.model_dump(mode="json"), after.model_dump(mode="json")
    return {key for key in old.keys() | new.keys() if old.get(key) != new.get(key)}


def _said(table: Mapping[str, Reason], changed: Iterable[str]) -> list[Reason]:
    wanted = set(changed)
    return [reason for key, reason in table.items() if key in wanted]


def _once(reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    return tuple(dict.fromkeys(reasons))


def _currency(old: Plan, new: Plan, before: Gate, after: Gate) -> list[Reason]:
    if not isinstance(before, BudgetGate) or not isinstance(after, BudgetGate):
        return []
    same = old.inputs[before.input].currency == new.inputs[after.input].currency
    return [] if same else [Reason("the budget is in another currency now")]


def _escalated_otherwise(before: Gate, after: Gate, standing: Standing) -> list[Reason]:
    """Whoever was asked by an escalation decides by the plan's word, which must still be there."""
    taken = standing.escalated
    return [] if before.escalate[:taken] == after.escalate[:taken] else [Reason("it was escalated to other people")]


def _moved(old: Plan, new: Plan, gate_id: str) -> list[Reason]:
    return [] if _home(old, gate_id) == _home(new, gate_id) else [Reason("it belongs to another stage now")]


def _pulled_along(
    old: Matters, new: Matters, standings: Mapping[str, Standing], fates: Mapping[str, GateFate], language: str
) -> dict[str, GateFate]:
    """Return the gates that would stay, if something they are pinned to did not change."""
    answers = {key: answer for key, answer in new.answers.items() if key in fates and fates[key].fate is Fate.STAYS}
    now = replace(new, answers=answers)
    pulled = {}
    for gate in _gates(new.plan):
        if fates[gate.id].fate is Fate.STAYS and standings[gate.id].was_asked:
            names = [name for name in pins(gate) if digest(old.content(name)) != digest(now.content(name))]
            because = [why_lapsed(name, new.plan, old.content(name), now.content(name), language) for name in names]
            if because:
                pulled[gate.id] = GateFate(gate.id, Fate.AGAIN, _once(because))
    return pulled


def _stage(
    old: Plan,
    new: Plan,
    stage: Stage,
    fates: Mapping[str, GateFate],
    standings: Mapping[str, Standing],
    standing: Mapping[str, StageStanding],
) -> StageFate:
    here = [fates[gate.id] for gate in stage.gates]
    if stage.id not in standing:
        return StageFate(stage.id, Fate.NEW, (), tuple(here))
    gates = (*here, *_gone_from(old.stage(stage.id), new))
    because = _said(OF_STAGES, _changed_stage_keys(old, new, stage.id))
    state = standing[stage.id].state
    if state is StageState.PASSED and not all(_lets_pass(fate, standings) for fate in here):
        return StageFate(stage.id, Fate.AGAIN, _once(because), gates)
    held_on = standing[stage.id].by_condition or _is_stopped(old.stage(stage.id), fates, standings)
    if state is StageState.HELD and not held_on:
        because.append(Reason("it goes on, since what stopped it is asked again or gone"))
    return StageFate(stage.id, Fate.STAYS, _once(because), gates)


def _lets_pass(fate: GateFate, standings: Mapping[str, Standing]) -> bool:
    return fate.fate is Fate.STAYS and standings[fate.id].has_passed


def _is_stopped(stage: Stage, fates: Mapping[str, GateFate], standings: Mapping[str, Standing]) -> bool:
    stopping = [gate.id for gate in stage.gates if standings[gate.id].stops]
    return not stopping or any(key in fates and fates[key].fate is Fate.STAYS for key in stopping)


def _changed_stage_keys(old: Plan, new: Plan, stage_id: str) -> set[str]:
    before, after = (_written(plan, stage_id) for plan in (old, new))
    return {key for key, value in after.items() if before[key] != value}


def _written(plan: Plan, stage_id: str) -> dict[str, Any]:
    written = plan.stage(stage_id).model_dump(mode="json", exclude={"id", "gates"})
    return {**written, "needs": sorted(plan.needs()[stage_id])}


def _gone(old: Plan, new: Plan) -> list[StageFate]:
    kept = {stage.id for stage in new.stages}
    return [StageFate(stage.id, Fate.GONE, (), _gone_from(stage, new)) for stage in old.stages if stage.id not in kept]


def _gone_from(stage: Stage, new: Plan) -> tuple[GateFate, ...]:
    kept = {gate.id for gate in _gates(new)}
    return tuple(GateFate(gate.id, Fate.GONE) for gate in stage.gates if gate.id not in kept)


def _gates(plan: Plan) -> list[Gate]:
    return [gate for stage in plan.stages for gate in stage.gates]


def _home(plan: Plan, gate_id: str) -> str:
    return next(stage.id for stage in plan.stages if any(gate.id == gate_id for gate in stage.gates))
