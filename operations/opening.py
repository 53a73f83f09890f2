"""Opening stages and gates: who is asked, what it takes, and by when."""

from __future__ import annotations

from domain import deadlines
from domain.budget import BudgetLine
from domain.conditions import due_when_asked
from domain.errors import QuorumImpossible, RoleNotHeld
from domain.plan import AcknowledgementGate, BudgetGate, ChecklistGate, Gate, MeasurementGate
from domain.reasons import Reason
from domain.renewal import lets_pass, may_be_asked
from domain.states import Event, GateState, advance_gate, advance_stage
from models.evidence import standing_decisions_at
from models.gates import GateRow, gate_in_round
from models.reading import know
from models.requests import Purpose, requests_at
from models.rollouts import StageRow
from operations.asking import CALLED_OFF, ask
from operations.clock import set_deadlines, watch_stage
from operations.pool import first_asked, pool
from operations.telling import inform
from operations.telling_chat import tell_channels_of_opening
from operations.voices import separation_at
from operations.workspace import Workspace


def open_stage(ws: Workspace, stage: StageRow) -> None:
    """Open a stage; its gates are opened next."""
    stage.state = advance_stage(stage.state, Event.OPENED)
    stage.opened_at = stage.clock_from = ws.now
    watch_stage(ws, stage)
    ws.note("stage.opened", stage=stage)
    tell_channels_of_opening(ws, stage)


def reopen_stage(ws: Workspace, stage: StageRow) -> None:
    """Open a held stage again; it may stall again, too."""
    stage.state = advance_stage(stage.state, Event.RESUMED)
    stage.clock_from = ws.now
    watch_stage(ws, stage)
    ws.note("stage.resumed", stage=stage)
    tell_channels_of_opening(ws, stage)


def open_gates(ws: Workspace) -> bool:
    """Open every gate that waits and can be asked, of open stages, conditions, renewals. Returns whether one opened."""
    opened = False
    for gate in ws.gates(GateState.WAITING):
        if _has_its_turn(ws, gate) and not waits_for_gates(ws, gate):
            opened |= _open_gate(ws, gate)
    return opened


def _has_its_turn(ws: Workspace, gate: GateRow) -> bool:
    """A condition is asked for at once, whatever its stage waits for: whoever must act needs the time."""
    return gate.condition_id is not None or may_be_asked(ws.stage_of(gate).state, renewal=gate.renewal)


def waits_for_gates(ws: Workspace, gate: GateRow) -> list[GateRow]:
    """Return the gates that must have passed before this one is asked, and have not."""
    planned = ws.planned_gate(gate)
    same = getattr(planned, "same_person_as", None)
    before = {*planned.ask_after, *([same] if same else [])}
    others = [other for other in ws.gates() if other.key in before] if before else []
    return [other for other in others if not lets_pass(other.state, renewal=other.renewal)]


def _open_gate(ws: Workspace, gate: GateRow) -> bool:
    planned = ws.planned_gate(gate)
    try:
        who = pool(planned, ws.directory, ws.rollout.inputs, separation_at(ws, gate.key))
        bringing = first_asked(planned, ws.directory)
    except (QuorumImpossible, RoleNotHeld) as refusal:
        _cannot_ask(ws, gate, planned, refusal.sentence)
        return False
    if gate.opened_at is None:
        _know_that_nobody_was_asked(ws, gate)
    gate.state = advance_gate(gate.state, Event.OPENED)
    gate.problem, gate.opened_at, gate.clock_from = None, ws.now, ws.now
    gate.requirements = [requirement.to_json() for requirement in who.requirements]
    gate.approvers = [[person, asked_for] for person, asked_for in who.asked_for.items()]
    _give_time(ws, gate)
    set_deadlines(ws, gate)
    ws.note("gate.opened", gate=gate)
    if isinstance(planned, ChecklistGate):
        ask(ws, gate, [(person, [planned.filled_by]) for person in bringing], Purpose.ANSWER)
    elif isinstance(planned, MeasurementGate):
        ask(ws, gate, [(person, [planned.measured_by]) for person in bringing], Purpose.MEASURE)
    else:
        ask_deciders(ws, gate)
    return True


def _know_that_nobody_was_asked(ws: Workspace, gate: GateRow) -> None:
    """Before a gate opens for the first time, nobody is asked there or has decided anything."""
    know(ws.session, requests_at, (), gate.id)
    know(ws.session, standing_decisions_at, (), gate.id)


def ask_deciders(ws: Workspace, gate: GateRow) -> None:
    """Ask everybody who may settle the gate; in turn, only the first of them."""
    planned = ws.planned_gate(gate)
    purpose = Purpose.CONFIRM if isinstance(planned, AcknowledgementGate) else Purpose.DECIDE
    in_turn = getattr(planned, "order", "together") == "in turn"
    ask(ws, gate, gate.approvers[: 1 if in_turn else None], purpose)


def ask_next_in_turn(ws: Workspace, gate: GateRow) -> None:
    """Ask the next approver of a gate that asks one after the other."""
    planned = ws.planned_gate(gate)
    if getattr(planned, "order", "together") != "in turn":
        return
    rows = [row for row in ws.read(requests_at, gate.id) if row.purpose is Purpose.DECIDE]
    asked = {row.voice for row in rows if row.void_reason not in CALLED_OFF}
    following = [(person, asked_for) for person, asked_for in gate.approvers if person not in asked]
    ask(ws, gate, following[:1], Purpose.DECIDE)


def budget_lines(ws: Workspace, gate: Gate) -> list[BudgetLine]:
    """Return the budget lines a gate is about; none for gates of other kinds."""
    if not isinstance(gate, BudgetGate):
        return []
    return [BudgetLine.model_validate(line) for line in ws.rollout.inputs.get(gate.input, [])]


def _give_time(ws: Workspace, gate: GateRow) -> None:
    """A condition is due on its day; one that has stopped a stage, or is asked for later, has as long as at first."""
    condition = ws.condition_of(gate)
    if condition is None:
        return
    before = ws.session.scalars(gate_in_round(gate.rollout_id, gate.key, gate.round - 1)).first()
    stopped = before is not None and before.state in (GateState.REJECTED, GateState.EXPIRED)
    today = deadlines.day_of(ws.now, ws.calendar)
    condition.due_on = due_when_asked(condition.due_on, condition.days, today, again=stopped)


def _cannot_ask(ws: Workspace, gate: GateRow, planned: Gate, problem: str) -> None:
    if gate.problem == problem:
        return
    gate.problem = problem
    ws.note("gate.cannot-be-asked", gate=gate, facts={"problem": problem})
    inform(
        ws,
        [ws.rollout.owner, ws.rollout.requester],
        Reason("Nobody can be asked at “{gate}”", {"gate": planned.title.in_language(ws.rollout.language)}),
        [Reason("The rollout waits here: {problem}", {"problem": problem})],
        [Reason("Put the people into the directory file and import it again; the rollout then goes on by itself.")],
        gate=gate,
    )
