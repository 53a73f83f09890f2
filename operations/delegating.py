"""Who is asked in whose place: what the delegations that hold now come to at a gate, and why one comes to nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from domain.delegation import why_not_bring_in_place, why_not_in_place
from domain.eligibility import Voice
from domain.reasons import Reason
from models.delegations import LENT, Delegation, delegations_now_by
from models.gates import GateRow
from models.people import Person
from models.record import AuditEntry, entries_at
from models.requests import Purpose, Request, RequestState, requests_at
from operations.naming import name_of
from operations.telling import inform
from operations.voices import members, separation_at, spoken_at
from operations.workspace import Workspace

NOT_DELEGATED = "request.not-delegated"


def lent_by(ws: Workspace, people: Iterable[str]) -> dict[str, Delegation]:
    """Return who of these has lent their voice at this moment: person to delegation."""
    wanted = frozenset(people)
    if not wanted:
        return {}
    holding = ws.read(delegations_now_by, wanted, ws.now)
    return {delegation.delegator: delegation for delegation in holding}


def delegation_behind(ws: Workspace, request: Request) -> Delegation | None:
    """Return the delegation by which somebody is asked in another one's place, or None when none holds any more."""
    delegation = lent_by(ws, [request.on_behalf_of]).get(request.on_behalf_of)
    return delegation if delegation and delegation.delegate == request.person else None


def to_be_asked_in_place(ws: Workspace, gate: GateRow, requests: Sequence[Request]) -> list[tuple[Request, Delegation]]:
    """Return for which of these requests somebody else is to be asked as well, and by which delegation.

    Where a voice is lent and cannot be given here, the record and whoever gave the delegation are told why, once.
    """
    own = [row for row in requests if row.purpose in LENT and not row.on_behalf_of]
    lent = lent_by(ws, (row.person for row in own))
    asked: list[tuple[Request, Delegation]] = []
    for request in (row for row in own if row.person in lent):
        delegation = lent[request.person]
        reason = _why_not(ws, gate, request, delegation.delegate)
        if reason is None:
            asked.append((request, delegation))
        else:
            say_why_not(ws, gate, request, delegation, reason)
    return asked


def _why_not(ws: Workspace, gate: GateRow, request: Request, delegate: str) -> Reason | None:
    if ws.session.get_one(Person, delegate).gone_at is not None:
        return Reason("{person} is not in the directory.", {"person": delegate})
    may_be_lent = getattr(ws.planned_gate(gate), "delegates", True)
    if request.purpose is Purpose.DECIDE:
        voice = Voice(request.person, delegate)
        return why_not_in_place(voice, may_be_lent, members(gate), separation_at(ws, gate.key), spoken_at(ws, gate))
    rows = ws.read(requests_at, gate.id)
    asked = {row.person for row in rows if row.state is RequestState.OPEN and row.purpose is request.purpose
             and not row.on_behalf_of}  # fmt: skip
    return why_not_bring_in_place(delegate, may_be_lent, members(gate), asked)


def say_why_not(ws: Workspace, gate: GateRow, request: Request, delegation: Delegation, reason: Reason) -> None:
    """Write down, and tell whoever gave a delegation, why nobody is asked by it here; once for each request."""
    facts = {**facts_of(ws, delegation), "request": request.id, "because": str(reason)}
    if any(_same(entry, facts) for entry in ws.read(entries_at, ws.rollout.id, gate.key, NOT_DELEGATED)):
        return
    ws.note(NOT_DELEGATED, gate=gate, facts=facts)
    names = {"delegate": name_of(ws, delegation.delegate), "delegator": name_of(ws, delegation.delegator)}
    inform(
        ws,
        [delegation.given_by if "@" in delegation.given_by else delegation.delegator],
        Reason("“{gate}” stays with {delegator}", {**names, "gate": gate_title(ws, gate)}),
        [Reason("{delegate} is not asked here in the place of {delegator}:", names), _named(ws, reason)],
        gate=gate,
    )


def _named(ws: Workspace, reason: Reason) -> Reason:
    """A rule knows people by their addresses."""
    person = reason.facts.get("person")
    return Reason(reason.text, {**reason.facts, "person": name_of(ws, str(person))}) if person else reason


def _same(entry: AuditEntry, facts: dict[str, Any]) -> bool:
    return all(entry.facts.get(name) == facts[name] for name in ("delegation", "request"))


def facts_of(ws: Workspace, delegation: Delegation) -> dict[str, Any]:
    """Return what the record says of a delegation. `until` is the last day, where the delegator lives."""
    return {
        "delegation": delegation.id,
        "delegator": delegation.delegator,
        "delegate": delegation.delegate,
        "until": delegation.term.last_day(ws.session.get_one(Person, delegation.delegator).time_zone).isoformat(),
        "given_by": delegation.given_by,
    }


def gate_title(ws: Workspace, gate: GateRow) -> str:
    """Return what a gate is called, in the rollout's language."""
    return ws.planned_gate(gate).title.in_language(ws.rollout.language)
