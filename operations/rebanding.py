"""Bands after an amount has changed: whose approval open gates need now, and whose no longer."""

from __future__ import annotations

from domain.plan import DecidedGate, Gate
from domain.quorum import Requirement
from domain.states import GateState
from models.gates import GateRow, Purpose, VoidReason, requests_at
from operations.asking import ask, ask_again, open_requests, void
from operations.pool import Pool, pool
from operations.voices import members, separation_at
from operations.workspace import Workspace


def apply_bands(ws: Workspace) -> None:
    """Ask whoever the bands call for now, and no longer those whom they do not.

    Raises QuorumImpossible or RoleNotHeld when nobody could decide a gate that has not settled as it would be then.
    """
    for gate in ws.gates(GateState.OPEN, GateState.WAITING):
        planned = ws.planned_gate(gate)
        if isinstance(planned, DecidedGate) and planned.bands:
            who = pool(planned, ws.directory, ws.rollout.inputs, separation_at(ws, gate.key))
            if gate.state is GateState.OPEN and gate.requirements:
                _apply(ws, gate, planned, who)


def _apply(ws: Workspace, gate: GateRow, planned: Gate, who: Pool) -> None:
    wanted = _wanted(gate, planned, who)
    if wanted == [Requirement.from_json(one) for one in gate.requirements]:
        return
    gate.requirements = [requirement.to_json() for requirement in wanted]
    may = members(gate)
    known = {person for person, _ in gate.approvers}
    gate.approvers = [
        *(pair for pair in gate.approvers if pair[0] in may),
        *([person, roles] for person, roles in who.asked_for.items() if person in may - known),
    ]
    ws.note("gate.approvers-changed", gate=gate, facts={"requirements": gate.requirements})
    void(ws, [row for row in open_requests(ws, gate, [Purpose.DECIDE]) if row.voice not in may], VoidReason.NOT_NEEDED)
    _ask_the_new(ws, gate, planned)


def _wanted(gate: GateRow, planned: Gate, who: Pool) -> list[Requirement]:
    """Whoever was put in the place of others (escalation, reassignment) stays; a band's roles come and go."""
    now = [Requirement.from_json(requirement) for requirement in gate.requirements]
    by_band = {role for band in getattr(planned, "bands", []) for role in band.approvers}
    extra = {one.name: one for one in who.requirements if one.name in by_band}
    kept = [one for one in now if one.name not in by_band]
    named = {one.name: one for one in who.requirements}
    base = [Requirement(one.name, one.members, _needed(one, named)) for one in kept]
    had = {one.name: one for one in now}
    return [*base, *(had.get(name, one) for name, one in extra.items())]


def _needed(one: Requirement, named: dict[str, Requirement]) -> int:
    """How many of these it takes now: what the plan says, but never more than there are."""
    return min(named[one.name].needed, len(one.members)) if one.name in named else one.needed


def _ask_the_new(ws: Workspace, gate: GateRow, planned: Gate) -> None:
    if getattr(planned, "order", "together") == "in turn":
        return  # their turn comes
    if getattr(planned, "filled_by", None) and gate.answers is None:
        return  # nobody decides before the list is filled in
    rows = ws.session.scalars(requests_at(gate.id)).all()
    asked = [row for row in rows if row.purpose is Purpose.DECIDE and not row.on_behalf_of]
    known = {row.voice for row in asked}
    ask(ws, gate, [(person, roles) for person, roles in gate.approvers if person not in known], Purpose.DECIDE)
    may = members(gate)
    for row in asked:
        if row.voice in may and row.void_reason is VoidReason.NOT_NEEDED:
            ask_again(ws, row, VoidReason.RENEWED)
