"""What one person may choose at a gate, and which stages may hold to the conditions of a yes. Read only."""

from __future__ import annotations

from domain import conditions
from domain.plan import Choice, Gate, ReviewGate
from domain.reasons import Reason
from domain.states import DecisionKind, StageState
from models.gates import GateRow
from models.requests import Purpose, Request
from operations.workspace import Workspace


def choices(ws: Workspace, gate: GateRow, request: Request) -> tuple[str, ...]:
    """Return what this person may choose at a gate: DecisionKind values, for reviews also hold, recycle and kill."""
    if request.purpose is Purpose.RESPOND:
        return ()
    if request.purpose is not Purpose.DECIDE:
        return (DecisionKind.APPROVE,)
    left_out = () if stages_for(ws, gate) else (DecisionKind.APPROVE_WITH_CONDITIONS,)
    return tuple(choice for choice in _all(ws.planned_gate(gate), request) if choice not in left_out)


def _all(planned: Gate, request: Request) -> tuple[str, ...]:
    if not isinstance(planned, ReviewGate):
        return tuple(DecisionKind)
    level = request.escalation_level
    offered = planned.escalate[level - 1].choices if level else None
    refusals = tuple(choice.value for choice in (offered or planned.choices) if choice is not Choice.GO)
    if offered:
        return (DecisionKind.APPROVE, DecisionKind.APPROVE_WITH_CONDITIONS, *refusals)
    return (DecisionKind.APPROVE, DecisionKind.APPROVE_WITH_CONDITIONS, *refusals, DecisionKind.REQUEST_CHANGES,
            DecisionKind.ABSTAIN)  # fmt: skip


def why_not_offered(ws: Workspace, gate: GateRow, request: Request, decision: str) -> Reason:
    """Return why somebody cannot choose this."""
    if decision == DecisionKind.APPROVE_WITH_CONDITIONS and request.purpose is Purpose.DECIDE:
        return conditions.why_none(ws.planned_gate(gate))
    return Reason("Choose one of the answers.")


def stages_for(ws: Workspace, gate: GateRow) -> list[str]:
    """Return the stages that may hold to conditions made at a gate, the default first; none: it takes no conditions."""
    passed = {stage.key for stage in ws.stages() if stage.state is StageState.PASSED}
    return conditions.stages_for(ws.plan_of(gate), ws.stage_of(gate).key, ws.planned_gate(gate), passed)
