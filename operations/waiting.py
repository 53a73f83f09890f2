"""What a gate waits for beside people, in words: other gates, a time, a value, another system. Read only."""

from __future__ import annotations

from domain.plan import CheckGate, Gate, MeasurementGate, RunGate, WindowGate
from domain.reasons import Reason
from domain.run import RunState
from domain.states import GateState, StageState
from models.gates import GateRow
from operations.automatic import judgement_of, system_of
from operations.opening import waits_for_gates
from operations.workspace import Workspace


def waits_for(ws: Workspace, gate: GateRow) -> tuple[Reason, ...]:
    """Return what a gate waits for now, as sentences that can stand alone; none where it waits for people only."""
    if gate.state is GateState.WAITING and ws.stage_of(gate).state is StageState.OPEN:
        return _after_gates(ws, gate)
    if gate.state is not GateState.OPEN:
        return ()
    last = (Reason.from_json(gate.last_look),) if gate.last_look else ()
    return *_answer(gate), *_what(ws, gate, ws.planned_gate(gate)), *last


def _answer(gate: GateRow) -> tuple[Reason, ...]:
    if gate.paused_at is None:
        return ()
    facts = {"moment": gate.paused_at.isoformat()}
    return (Reason("Changes are asked for; until the owner answers, its clock stands still, since {moment}.", facts),)


def _after_gates(ws: Workspace, gate: GateRow) -> tuple[Reason, ...]:
    before = waits_for_gates(ws, gate)
    titles = [ws.planned_gate(other).title.in_language(ws.rollout.language) for other in before]
    return (Reason("Is asked after: {gates}.", {"gates": ", ".join(titles)}),) if before else ()


def _what(ws: Workspace, gate: GateRow, planned: Gate) -> tuple[Reason, ...]:
    look_at = gate.look_at.isoformat() if gate.look_at else ""
    if isinstance(planned, WindowGate) and look_at:
        return (Reason("Opens on {moment}.", {"moment": look_at}),)
    if isinstance(planned, MeasurementGate):
        reason = judgement_of(ws, gate, planned).reason
        if planned.queried is None or not look_at:
            return (reason,)
        facts = {"database": planned.queried.database, "moment": look_at}
        return reason, Reason("The database “{database}” is asked on {moment}.", facts)
    if isinstance(planned, CheckGate) and planned.signed_with:
        return (Reason("Waits for “{system}” to say pass or fail.", {"system": planned.signed_with}),)
    if isinstance(planned, CheckGate) and look_at:
        return (Reason("{system} is asked on {moment}.", {"system": system_of(planned), "moment": look_at}),)
    return _run(gate) if isinstance(planned, RunGate) else ()


def _run(gate: GateRow) -> tuple[Reason, ...]:
    facts = {"name": gate.started_run_name or ""}
    match gate.started_run_state:
        case None:
            return (Reason("Its flow run is about to be started."),)
        case RunState.WAITING:
            return (Reason("The flow run “{name}” waits in Prefect for its turn.", facts),)
        case RunState.RUNNING:
            return (Reason("The flow run “{name}” is at work.", facts),)
    return ()
