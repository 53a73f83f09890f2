"""In which order gates are asked: that what a gate waits for is there, and that nothing waits for itself.

Part of the plan check. Paths are relative to the gate, except in `circles`.
"""

from __future__ import annotations

from collections.abc import Iterator

from domain.nearest import suggestion
from domain.plan import Gate, Plan, Stage
from domain.stage_graph import find_cycle

Path = tuple[str | int, ...]
Finding = tuple[Path, str]


def ask_after(plan: Plan, stage: Stage, gate: Gate) -> Iterator[Finding]:
    """Find gates to wait for that are no other gate of the same stage, or stand there twice."""
    here = [one.id for one in stage.gates if one.id != gate.id]
    for n, name in enumerate(gate.ask_after):
        if name == gate.id:
            yield ("ask_after", n), "a gate cannot be asked after itself; name another gate of this stage"
        elif name not in here:
            yield ("ask_after", n), _not_here(plan, stage, name, here)
        elif name in gate.ask_after[:n]:
            yield ("ask_after", n), f"“{name}” is named twice; keep one"


def _not_here(plan: Plan, stage: Stage, name: str, here: list[str]) -> str:
    elsewhere = next((one for one in plan.stages for gate in one.gates if gate.id == name), None)
    if elsewhere is None:
        return f"“{name}” is not another gate of this stage{suggestion(name, here)}"
    instead = f"write “needs: [{elsewhere.id}]” at the stage “{stage.id}” instead"
    return f"“{name}” belongs to the stage “{elsewhere.id}”, and a gate waits for others of its own stage; {instead}"


def circles(plan: Plan) -> Iterator[Finding]:
    """Find gates that are asked after each other."""
    gates = {gate.id: gate for stage in plan.stages for gate in stage.gates}
    if len(gates) < sum(len(stage.gates) for stage in plan.stages):
        return
    waits = {
        name: [other for other in _waits_for(gate) if other in gates and other != name] for name, gate in gates.items()
    }
    if cycle := find_cycle(waits):
        s, g, gate = next((s, g, gate) for s, stage in enumerate(plan.stages) for g, gate in enumerate(stage.gates)
                          if gate.id in cycle)  # fmt: skip
        key = "ask_after" if gate.ask_after else "same_person_as"
        sentence = f"these gates wait for each other: {' → '.join(cycle)}; take one of them away"
        yield ("stages", s, "gates", g, key), sentence


def _waits_for(gate: Gate) -> list[str]:
    same = getattr(gate, "same_person_as", None)
    return [*gate.ask_after, *([same] if same else [])]
