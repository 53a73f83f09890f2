"""Escalating: the next step that a plan names for a gate, and who hears of it.

It comes when its time has come (operations/attend_gate.py), or at once when those who are asked are away
(operations/attend_absences.py).
"""

from __future__ import annotations

from collections.abc import Sequence

from domain.eligibility import Separation
from domain.plan import (
    AcknowledgementGate,
    Escalation,
    Gate,
    MeasurementGate,
    takes_no_answers,
)
from domain.quorum import Origin, Requirement
from domain.reasons import Reason
from models.gates import GateRow
from models.requests import Purpose, Request, VoidReason, requests_at
from operations.asking import CALLED_OFF, ask, open_requests, void_requests
from operations.clock import begin_anew, next_escalation
from operations.naming import names_of
from operations.telling import inform, tell_request
from operations.telling_chat import tell_channels
from operations.voices import lent_at, requirements_of, separation_at
from operations.waiting import waits_for
from operations.workspace import Workspace


def escalate(ws: Workspace, gate: GateRow, reason: str = "") -> None:
    """Take the plan's next step of escalation at a gate that is open and has one left, and tell its owner.

    `reason` is why somebody takes it before its time.
    """
    people, follows = take_step(ws, gate, reason)
    headline = Reason("“{gate}” was escalated", {"gate": _title(ws, gate)})
    told = [person for person in (ws.rollout.owner, ws.rollout.requester) if person not in people]
    by = ws.actor.address if "@" in ws.actor.address else ""
    inform(ws, told, headline, [follows], gate=gate, quote=reason, quoted=by)
    tell_channels(ws, headline, [follows], stages=[ws.stage_of(gate)])


def take_step(ws: Workspace, gate: GateRow, reason: str = "", away: Sequence[str] = ()) -> tuple[list[str], Reason]:
    """Take the next step of escalation; return whom it asks or tells, and what follows from it in words.

    `away` are those because of whose absence it comes before its time.
    """
    planned = ws.planned_gate(gate)
    gate.escalation_level += 1
    level = gate.escalation_level
    escalation = planned.escalate[level - 1]
    if escalation.restart_clock:
        begin_anew(ws, gate)
    gate.escalate_at = next_escalation(ws, gate)
    silent = open_requests(ws, gate)
    purpose = _purpose(planned, silent)
    people = _escalated_to(ws, gate, escalation, purpose)
    facts = {"level": level, "to": people, "replace": escalation.replace, "silent": _people(silent)}
    if away:
        facts["away"] = list(away)
    ws.note("gate.escalated", gate=gate, comment=reason, facts=facts)
    if isinstance(planned, AcknowledgementGate):
        _tell_who_has_not_read(ws, gate, people, silent)
    elif takes_no_answers(planned):
        _tell_what_it_waits_for(ws, gate, people)
    elif people and escalation.replace:
        _ask_instead(ws, gate, escalation, people, purpose)
    elif people:
        _ask_as_well(ws, gate, escalation, people, purpose)
    return people, _what_follows(ws, gate, escalation, people)


def _escalated_to(ws: Workspace, gate: GateRow, escalation: Escalation, purpose: Purpose) -> list[str]:
    """Return who is asked from now on: instead of the others, all who may; as well, those who were not asked yet."""
    apart = separation_at(ws, gate.key) if purpose is Purpose.DECIDE else Separation()
    allowed = frozenset(filter(apart.allows, ws.directory.resolve(escalation.to))) - lent_at(ws, gate)
    return sorted(allowed if escalation.replace else allowed - _asked(ws, gate, purpose).keys())


def _asked(ws: Workspace, gate: GateRow, purpose: Purpose) -> dict[str, Request]:
    rows = ws.read(requests_at, gate.id)
    own = (row for row in rows if row.purpose is purpose and not row.on_behalf_of)
    return {row.person: row for row in own if row.void_reason not in CALLED_OFF}


def _ask_instead(ws: Workspace, gate: GateRow, escalation: Escalation, people: list[str], purpose: Purpose) -> None:
    asked_for = [(person, [escalation.to]) for person in people]
    spared = set(people)
    if purpose is Purpose.DECIDE:
        kept = _needed_all_the_same(gate)
        spared.update(*(requirement.members for requirement in kept))
        instead = Requirement(escalation.to, frozenset(people), 1)
        gate.requirements = [requirement.to_json() for requirement in (instead, *kept)]
        further = [pair for pair in gate.approvers if pair[0] in spared.difference(people)]
        gate.stand_ins, gate.approvers = [], [*(list(pair) for pair in asked_for), *further]
    void_requests(ws, gate, VoidReason.REPLACED, spared=spared)
    asked = _asked(ws, gate, purpose)
    for request in open_requests(ws, gate, [purpose]):
        if request.voice in people and not request.escalation_level:
            request.escalation_level = gate.escalation_level
            tell_request(ws, request)
    ask(ws, gate, [pair for pair in asked_for if pair[0] not in asked], purpose, gate.escalation_level)


def _ask_as_well(ws: Workspace, gate: GateRow, escalation: Escalation, people: list[str], purpose: Purpose) -> None:
    if purpose is Purpose.DECIDE:
        gate.stand_ins = [*gate.stand_ins, *people]
    ask(ws, gate, [(person, [escalation.to]) for person in people], purpose, gate.escalation_level)


def _needed_all_the_same(gate: GateRow) -> list[Requirement]:
    """A large budget keeps its further voice, and who was added stays, also when others are asked instead of these."""
    return [one for one in requirements_of(gate) if one.origin is not Origin.QUORUM]


def _purpose(planned: Gate, silent: list[Request]) -> Purpose:
    if isinstance(planned, MeasurementGate):
        return Purpose.MEASURE
    purposes = {request.purpose for request in silent}
    return Purpose.ANSWER if Purpose.ANSWER in purposes else Purpose.DECIDE


def _tell_who_has_not_read(ws: Workspace, gate: GateRow, people: list[str], silent: list[Request]) -> None:
    facts: dict[str, str | int] = {"gate": _title(ws, gate), "people": names_of(ws, _people(silent))}
    inform(
        ws,
        people,
        Reason("Not enough people have confirmed “{gate}” yet", {"gate": _title(ws, gate)}),
        [Reason("These have not confirmed: {people}", facts)],
        [Reason("Speak to them; each has a link of their own in their mail.")],
        gate=gate,
    )


def _tell_what_it_waits_for(ws: Workspace, gate: GateRow, people: list[str]) -> None:
    headline = Reason("“{gate}” has not passed yet", {"gate": _title(ws, gate)})
    show = Reason("To see where it stands: etappe rollout show {rollout}", {"rollout": ws.rollout.id})
    inform(ws, people, headline, waits_for(ws, gate), [show], gate=gate)


def _what_follows(ws: Workspace, gate: GateRow, escalation: Escalation, people: list[str]) -> Reason:
    facts = {"role": escalation.to, "people": names_of(ws, people)}
    if not people and ws.directory.resolve(escalation.to):
        return Reason("The plan names “{role}” next, and everybody there who may decide was asked already.", facts)
    if not people:
        return Reason("The plan names “{role}” next, but there is nobody there who may decide.", facts)
    if isinstance(ws.planned_gate(gate), AcknowledgementGate):
        return Reason("Told who has not confirmed yet: {people}.", facts)
    if takes_no_answers(ws.planned_gate(gate)):
        return Reason("Told that it has not passed yet: {people}.", facts)
    if escalation.replace:
        return Reason("Deciding instead from now on: {people}.", facts)
    return Reason("Asked as well from now on: {people}.", facts)


def _people(requests: Sequence[Request]) -> list[str]:
    return list(dict.fromkeys(request.person for request in requests))


def _title(ws: Workspace, gate: GateRow) -> str:
    return ws.planned_gate(gate).title.in_language(ws.rollout.language)
