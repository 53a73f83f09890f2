"""Who may waive a gate, and whom a waiver passes over. Read only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from domain.eligibility import Separation, Voice
from domain.plan import REQUESTER, AcknowledgementGate, ChecklistGate, DecidedGate, Gate, MeasurementGate
from domain.reasons import Reason
from domain.states import GateState
from domain.waiver import passed_over, why_may_not_waive
from models.gates import GateRow
from models.requests import Purpose, Request, RequestState, VoidReason, requests_at
from models.rollouts import StageRow
from operations.pool import added_by_bands
from operations.voices import latest_decisions, separation_at
from operations.workspace import Workspace


def why_not_waived_by(ws: Workspace, gate: GateRow, person: str) -> Reason | None:
    """Return why somebody may not waive a gate, or None when they may."""
    planned = _names_who_may(ws, gate)
    separation = _separation(ws, planned)
    if condition := ws.condition_of(gate):  # nobody lets themselves off
        separation = replace(separation, excluded=separation.excluded | {condition.who})
    return why_may_not_waive(person, ws.directory.people(planned.waiver), separation)


def may_waive(ws: Workspace, gate: GateRow) -> list[str]:
    """Return everybody who may waive a gate now, in the plan's order."""
    named = ws.directory.people(_names_who_may(ws, gate).waiver)
    return [person for person in named if why_not_waived_by(ws, gate, person) is None]


def told_of_hold(ws: Workspace, stage: StageRow, gate: GateRow) -> list[str]:
    """Return who is told that a gate holds its stage: of a measurement also who measures, and who may override it."""
    told = [ws.rollout.requester, ws.rollout.owner, *ws.directory.resolve(ws.planned_stage(stage).owner)]
    planned = ws.planned_gate(gate)
    if isinstance(planned, MeasurementGate):
        told += [*ws.directory.resolve(planned.measured_by), *may_waive(ws, gate)]
    return told


def how_to_waive(ws: Workspace, gate: GateRow) -> list[Reason]:
    """Return who may waive a gate and by which command; nothing where nobody may."""
    people = may_waive(ws, gate)
    facts: dict[str, str | int] = {"people": ", ".join(people), "rollout": ws.rollout.id, "gate": gate.key}
    waive = Reason('{people} may waive it: etappe gate waive {rollout} {gate} --by EMAIL --reason "why"', facts)
    return [waive] if people else []


def _names_who_may(ws: Workspace, gate: GateRow) -> Gate:
    """A condition has no roles of its own: the gate that it was attached to says who may waive it."""
    condition = ws.condition_of(gate)
    return ws.planned_gate(ws.session.get_one(GateRow, condition.gate_id) if condition else gate)


def _separation(ws: Workspace, planned: Gate) -> Separation:
    """A gate that nobody decides has no `exclude`: there the requester cannot waive, unless the plan names them so."""
    apart = separation_at(ws, planned.id)
    if isinstance(planned, DecidedGate) or REQUESTER in planned.waiver:
        return apart
    return replace(apart, excluded=apart.excluded | {ws.rollout.requester})


def skipped_at(ws: Workspace, gate: GateRow) -> list[str]:
    """Return everybody whose approval a waiver of this gate does without."""
    approved = {voice for voice, word in latest_decisions(ws, gate).items() if word.decision.is_approval}
    requests = list(ws.read(requests_at, gate.id))
    asked = [Voice(row.voice, row.person) for row in requests if _counts_as_asked(gate, row)]
    known = {row.voice for row in requests}
    return passed_over(asked, [person for person in _to_be_asked(ws, gate) if person not in known], approved)


def _counts_as_asked(gate: GateRow, request: Request) -> bool:
    """Whether somebody was asked to the end: not replaced, reassigned or the like, nor done with what they brought."""
    if request.purpose is Purpose.RESPOND:
        return False
    if request.state is RequestState.DONE:
        return request.purpose in (Purpose.DECIDE, Purpose.CONFIRM)
    if request.state is RequestState.VOID:
        with_the_gate = request.void_reason in (VoidReason.SETTLED, VoidReason.EXPIRED)
        return with_the_gate and request.closed_at == gate.settled_at
    return True


def _to_be_asked(ws: Workspace, gate: GateRow) -> list[str]:
    if gate.state is GateState.WAITING:
        return list(_would_be_asked(ws, gate))
    return [person for person, _ in gate.approvers]


def _would_be_asked(ws: Workspace, gate: GateRow) -> Iterator[str]:
    """Whom a gate that has not opened would ask, as far as there is anybody."""
    planned = ws.planned_gate(gate)
    if isinstance(planned, ChecklistGate):
        yield from ws.directory.resolve(planned.filled_by)
    if isinstance(planned, MeasurementGate):
        yield from ws.directory.resolve(planned.measured_by)
    if isinstance(planned, AcknowledgementGate):
        yield from ws.directory.people(planned.audience)
    if isinstance(planned, DecidedGate):
        entries = [*planned.approvers, *added_by_bands(planned, ws.rollout.inputs)]
        yield from filter(separation_at(ws, gate.key).allows, ws.directory.people(entries))
