"""What a gate names beside people: other gates, inputs, attachments. Part of the plan check; paths are of the gate."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from domain.nearest import suggestion
from domain.pinning import ATTACHMENTS
from domain.plan import BudgetGate, DecidedGate, Each, Gate, InputKind, Plan, Stage
from domain.stage_graph import comes_before

Path = tuple[str | int, ...]
Finding = tuple[Path, str]
_COUNTED = (InputKind.BUDGET, InputKind.NUMBER)


def pinned_to(plan: Plan, stage: Stage, gate: Gate) -> Iterator[Finding]:
    """Find names that are neither an input nor a gate of the plan nor “attachments”, and those that mean two things."""
    gates = {one.id for each in plan.stages for one in each.gates}
    known = {*plan.inputs, *gates, ATTACHMENTS}
    names: list[str] = getattr(gate, "pinned_to", [])
    for n, name in enumerate(names):
        if name not in known:
            yield ("pinned_to", n), f"“{name}” is neither an input nor a gate of this plan{suggestion(name, known)}"
        elif name in names[:n]:
            yield ("pinned_to", n), f"“{name}” is named twice; keep one"
        elif (name in plan.inputs) + (name in gates) + (name == ATTACHMENTS) > 1:
            yield ("pinned_to", n), f"“{name}” is the name of more than one thing here; give one of them another name"


def different_people(plan: Plan, stage: Stage, gate: Gate) -> Iterator[Finding]:
    """Find gates that are named as kept apart and are not there, are this one, or are decided by nobody."""
    names: list[str] = getattr(gate, "different_people_than", [])
    for n, name in enumerate(names):
        yield from _other_gate(plan, gate, name, ("different_people_than", n))
        if name in names[:n]:
            yield ("different_people_than", n), f"“{name}” is named twice; keep one"
    same = getattr(gate, "same_person_as", None)
    if same is not None and same in names:
        yield ("same_person_as",), f"“{same}” is also under different_people_than; nobody could ever decide"


def same_person(plan: Plan, stage: Stage, gate: Gate) -> Iterator[Finding]:
    """Find a gate whose approvers shall decide here as well, and that does not come before this one."""
    name = getattr(gate, "same_person_as", None)
    if name is None:
        return
    yield from _other_gate(plan, gate, name, ("same_person_as",))
    home = next((each.id for each in plan.stages if any(one.id == name for one in each.gates)), stage.id)
    if home != stage.id and not comes_before(plan.needs(), home, stage.id):
        yield ("same_person_as",), f"“{name}” is not decided before this gate; name one of this stage or one before it"


def _other_gate(plan: Plan, gate: Gate, name: str, path: Path) -> Iterator[Finding]:
    decided = {one.id for each in plan.stages for one in each.gates if isinstance(one, DecidedGate)}
    if name == gate.id:
        yield path, "a gate cannot be set against itself; name another one"
    elif name not in decided:
        yield path, f"“{name}” is not a gate of this plan that people decide{suggestion(name, decided - {gate.id})}"


def bands(plan: Plan, stage: Stage, gate: Gate) -> Iterator[Finding]:
    """Find bands that do not go upwards, look at nothing that can be counted, or count voices in another way."""
    if not isinstance(gate, DecidedGate):
        return
    counted = [name for name, asked in plan.inputs.items() if asked.kind in _COUNTED]
    if gate.bands_on is not None and gate.bands_on not in counted:
        guess = suggestion(gate.bands_on, counted) if counted else "; add one under “inputs”"
        yield ("bands_on",), f"“{gate.bands_on}” is not a budget or number that the plan asks for{guess}"
    if gate.bands and gate.bands_on is None and not isinstance(gate, BudgetGate):
        yield ("bands",), "it is not said of what; add “bands_on:” and the budget or number they look at"
    for b, (lower, band) in enumerate(pairwise(gate.bands), start=1):
        if band.above <= lower.above:
            yield ("bands", b, "above"), f"bands go upwards; write an amount above {lower.above}, or change the order"
    for b, band in enumerate(gate.bands):
        if band.quorum is not None and isinstance(band.quorum, Each) is not isinstance(gate.quorum, Each):
            yield ("bands", b, "quorum"), "it must count like the gate's own quorum: both {each: ...}, or neither"
