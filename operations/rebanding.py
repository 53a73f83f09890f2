"""Bands after an amount has changed: whose approval open gates need now, and whose no longer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from domain.plan import DecidedGate, Gate
from domain.quorum import Origin, Requirement
from domain.states import GateState
from models.gates import GateRow
from models.requests import Purpose, VoidReason, requests_at
from operations.asking import ask, ask_again, open_requests, void
from operations.pool import Pool, pool
from operations.voices import members, requirements_of, separation_at
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
    wanted = _wanted(requirements_of(gate), who)
    if wanted == list(requirements_of(gate)):
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


def _wanted(now: Sequence[Requirement], who: Pool) -> list[Requirement]:
    """Whoever was put in the place of others (escalation, reassignment) or was added stays; a band's roles come and go.

    The quorum itself takes as many as the plan says now, but never more than there are.
    """
    planned = {one.name: one.needed for one in who.requirements if one.origin is Origin.QUORUM}
    had = {one.name: one for one in now if one.origin is Origin.BAND}
    kept = [replace(one, needed=min(planned.get(one.name, one.needed), len(one.members)))
            for one in now if one.origin is Origin.QUORUM]  # fmt: skip
    bands = [had.get(one.name, one) for one in who.requirements if one.origin is Origin.BAND]
    return [*kept, *bands, *(one for one in now if one.origin is Origin.ADDED)]


def _ask_the_new(ws: Workspace, gate: GateRow, planned: Gate) -> None:
    if getattr(planned, "order", "together") == "in turn":
        return  # their turn comes
    if getattr(planned, "filled_by", None) and gate.answers is None:
        return  # nobody decides before the list is filled in
    rows = ws.read(requests_at, gate.id)
    asked = [row for row in rows if row.purpose is Purpose.DECIDE and not row.on_behalf_of]
    known = {row.voice for row in asked}
    ask(ws, gate, [(person, roles) for person, roles in gate.approvers if person not in known], Purpose.DECIDE)
    may = members(gate)
    for row in asked:
        if row.voice in may and row.void_reason is VoidReason.NOT_NEEDED:
            ask_again(ws, row, VoidReason.RENEWED)
