"""Gates that start a flow run: that what they give it is there. Part of the plan check; paths are relative to the gate.

Whether Prefect has the deployment, and takes these parameters, shows when the gate opens.
"""

from __future__ import annotations

from collections.abc import Iterator

from domain.nearest import suggestion
from domain.plan import FromInput, Gate, Plan, RunGate, Stage

Path = tuple[str | int, ...]
Finding = tuple[Path, str]


def runs(plan: Plan, stage: Stage, gate: Gate) -> Iterator[Finding]:
    """Find parameters taken from inputs that the plan does not ask for."""
    if not isinstance(gate, RunGate):
        return
    for name, value in gate.parameters.items():
        if isinstance(value, FromInput) and value.input not in plan.inputs:
            yield ("parameters", name, "input"), f"“{value.input}” is not an input of this plan{_or_add(plan, value)}"


def _or_add(plan: Plan, value: FromInput) -> str:
    guess = suggestion(value.input, plan.inputs)
    return guess or f"; add “{value.input}: {{kind: text}}” to the inputs"
