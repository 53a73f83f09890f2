"""Reassign: somebody else is asked instead of one who was asked, or whose turn is to come, and has not answered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.eligibility import normalise_address
from domain.errors import InvalidInput
from domain.plan import AcknowledgementGate
from domain.reasons import Reason
from domain.reassignment import why_may_not_bring_instead, why_may_not_take_over
from models.database import Database
from models.gates import GateRow
from models.requests import Purpose, Request, VoidReason
from operations.asking import ask, members_speak_for_themselves, open_requests, void
from operations.delegating import gate_title
from operations.progress import progress
from operations.seats import gate_to_seat_at, reason_given, table_at
from operations.telling import inform
from operations.voices import members
from operations.workspace import Actor, Workspace, locked

_BRINGING = (Purpose.ANSWER, Purpose.MEASURE)


def reassign(
    db: Database,
    keys: Sequence[bytes],
    rollout_id: str,
    gate_key: str,
    from_person: str,
    to_person: str,
    reason: str,
    actor: Actor,
    now: datetime,
) -> None:
    """Ask `to_person` at a gate instead of `from_person`, whose links, and whose delegates', no longer count.

    Whatever that one was asked for at this gate goes along: to decide, to fill in, to measure. Raises UnknownRollout,
    NotFound for an unknown gate, NotAllowed for somebody who does not look after the stage, and InvalidInput without a
    reason, when the gate is not open, or when either of the two stands in the way.
    """
    words = reason_given(reason, "Asking somebody else needs a reason.")
    move = _Move(normalise_address(from_person), normalise_address(to_person), words)
    with locked(db, keys, rollout_id, now, actor) as ws:
        gate = gate_to_seat_at(ws, gate_key)
        asked_for = _refuse(ws, gate, move)
        rows = [row for row in open_requests(ws, gate) if row.voice == move.left_by and row.purpose in asked_for]
        _seat(gate, move)
        void(ws, rows, VoidReason.REASSIGNED)
        facts = {"from": move.left_by, "to": move.person}
        ws.note("gate.reassigned", gate=gate, comment=words, facts=facts)
        _tell(ws, gate, move, rows)
        _ask(ws, gate, move, rows)
        progress(ws)


def may_take_over(ws: Workspace, gate: GateRow, left_by: str, person: str) -> bool:
    """Whether somebody could be asked instead of another one at an open gate. Changes nothing."""
    try:
        _refuse(ws, gate, _Move(left_by, person, ""))
    except InvalidInput:
        return False
    return True


@dataclass(frozen=True)
class _Move:
    left_by: str
    person: str
    reason: str


def _refuse(ws: Workspace, gate: GateRow, move: _Move) -> set[Purpose]:
    """Return what the one who leaves is asked for, or will be. Raises InvalidInput when the other cannot take it."""
    own = [row for row in open_requests(ws, gate) if row.person == move.left_by and not row.on_behalf_of]
    purposes = {row.purpose for row in own if row.purpose in _BRINGING}
    if move.left_by in members(gate) or not purposes:
        _refuse_deciding(ws, gate, move)
        purposes.add(Purpose.DECIDE)
    for purpose in purposes.intersection(_BRINGING):
        asked = {row.person for row in open_requests(ws, gate, [purpose]) if not row.on_behalf_of}
        table = table_at(ws, gate)
        _refuse_because(why_may_not_bring_instead(move.person, move.left_by, ws.actor.address, table, asked))
    return purposes


def _refuse_deciding(ws: Workspace, gate: GateRow, move: _Move) -> None:
    planned = ws.planned_gate(gate)
    if isinstance(planned, AcknowledgementGate):
        raise InvalidInput(Reason("That one has read a text is for everybody to say themself; nobody can take over."))
    roles = _roles_of(ws, gate, move.left_by)
    held = [role for role in roles if move.person in ws.directory.resolve(role)]
    may_be_lent = getattr(planned, "delegates", True)
    table = table_at(ws, gate)
    _refuse_because(why_may_not_take_over(move.person, move.left_by, ws.actor.address, table, may_be_lent, roles, held))


def _refuse_because(why: Reason | None) -> None:
    if why is not None:
        raise InvalidInput(why)


def _roles_of(ws: Workspace, gate: GateRow, person: str) -> list[str]:
    """For which roles or addresses somebody is asked to decide, or will be."""
    planned = [roles for one, roles in gate.approvers if one == person]
    asked = [row.asked_for for row in open_requests(ws, gate, [Purpose.DECIDE]) if row.person == person]
    return list(next(iter([*planned, *asked]), []))


def _seat(gate: GateRow, move: _Move) -> None:
    def swapped(people: Iterable[str]) -> list[str]:
        return [move.person if person == move.left_by else person for person in people]

    gate.requirements = [{**one, "members": sorted(swapped(one["members"]))} for one in gate.requirements]
    gate.stand_ins = swapped(gate.stand_ins)
    gate.approvers = [[*swapped([person]), roles] for person, roles in gate.approvers]
    gate.named = {**gate.named, move.person: {"instead_of": move.left_by, "reason": move.reason}}


def _ask(ws: Workspace, gate: GateRow, move: _Move, left: Sequence[Request]) -> None:
    """Ask for what was asked before; whose turn has not come waits for it."""
    members_speak_for_themselves(ws, gate)
    for row in left:
        if not row.on_behalf_of:
            ask(ws, gate, [(move.person, row.asked_for)], row.purpose, row.escalation_level)


def _tell(ws: Workspace, gate: GateRow, move: _Move, left: Sequence[Request]) -> None:
    facts = {"gate": gate_title(ws, gate), "from": move.left_by, "to": move.person}
    inform(
        ws,
        [move.left_by, *(row.person for row in left), ws.rollout.requester, ws.rollout.owner],
        Reason("“{gate}”: {to} is asked instead of {from}", facts),
        [Reason("Links that were mailed to {from} for this gate no longer count.", facts)],
        gate=gate,
        quote=move.reason,
        quoted=ws.actor.address if "@" in ws.actor.address else "",
    )
