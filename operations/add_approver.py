"""Add an approver: one more approval is needed at an open gate, beside whatever its quorum needs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from domain.eligibility import normalise_address
from domain.errors import InvalidInput
from domain.plan import DecidedGate
from domain.quorum import Origin, Requirement
from domain.reasons import Reason
from domain.reassignment import why_may_not_join
from models.database import Database
from models.gates import GateRow
from models.requests import Purpose
from operations.asking import ask, members_speak_for_themselves, open_requests
from operations.delegating import gate_title
from operations.naming import name_of
from operations.progress import progress
from operations.seats import gate_to_seat_at, reason_given, table_at
from operations.telling import inform
from operations.workspace import Actor, Workspace, locked


def add_approver(
    db: Database,
    keys: Sequence[bytes],
    rollout_id: str,
    gate_key: str,
    person: str,
    reason: str,
    actor: Actor,
    now: datetime,
) -> None:
    """Ask one more person at an open gate, whose approval is needed from then on; in turn, after all the others.

    It is a requirement of its own, so it can never weaken what is needed already. Raises UnknownRollout, NotFound for
    an unknown gate, NotAllowed for somebody who does not look after the stage, and InvalidInput without a reason, when
    the gate is not open, when nobody decides there, or when that person may not.
    """
    words = reason_given(reason, "Asking one more person needs a reason.")
    address = normalise_address(person)
    with locked(db, keys, rollout_id, now, actor) as ws:
        gate = gate_to_seat_at(ws, gate_key)
        _refuse(ws, gate, address)
        added = Requirement(address, frozenset({address}), 1, Origin.ADDED)
        gate.requirements = [*gate.requirements, added.to_json()]
        gate.approvers = [*gate.approvers, [address, [address]]]
        gate.named = {**gate.named, address: {"instead_of": "", "reason": words}}
        ws.note("gate.approver-added", gate=gate, comment=words, facts={"person": address})
        _tell(ws, gate, address, words)
        members_speak_for_themselves(ws, gate)
        if _is_their_turn(ws, gate):
            ask(ws, gate, [(address, [address])], Purpose.DECIDE)
        progress(ws)


def _refuse(ws: Workspace, gate: GateRow, person: str) -> None:
    planned = ws.planned_gate(gate)
    if not isinstance(planned, DecidedGate) or not planned.approvers:
        raise InvalidInput(Reason("Nobody decides at this gate, so nobody can be added to those who do."))
    if why := why_may_not_join(person, ws.actor.address, table_at(ws, gate)):
        raise InvalidInput(why)


def _is_their_turn(ws: Workspace, gate: GateRow) -> bool:
    """Whether the others are asked already; in turn, whoever comes last waits for all of them."""
    others = open_requests(ws, gate)
    in_turn = getattr(ws.planned_gate(gate), "order", "together") == "in turn"
    return not any(row.purpose is Purpose.ANSWER or in_turn for row in others)


def _tell(ws: Workspace, gate: GateRow, person: str, reason: str) -> None:
    facts = {"gate": gate_title(ws, gate), "person": name_of(ws, person)}
    inform(
        ws,
        [ws.rollout.requester, ws.rollout.owner],
        Reason("“{gate}” needs the approval of {person} as well", facts),
        gate=gate,
        quote=reason,
        quoted=ws.actor.address if "@" in ws.actor.address else "",
    )
