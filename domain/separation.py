"""Which gates of a plan must be decided by different people, or by the same ones."""

from __future__ import annotations

from domain.plan import Gate, Plan


def separated_from(plan: Plan, gate_id: str) -> set[str]:
    """Return the gates whose deciders may not decide here. It holds both ways, whichever of the two names the other."""
    here = {other for gate in _gates(plan) if gate.id == gate_id for other in _different(gate)}
    return here | {gate.id for gate in _gates(plan) if gate_id in _different(gate)} - {gate_id}


def _different(gate: Gate) -> list[str]:
    return getattr(gate, "different_people_than", [])


def _gates(plan: Plan) -> list[Gate]:
    return [gate for stage in plan.stages for gate in stage.gates]
