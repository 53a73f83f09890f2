"""Asking people at a gate, and no longer asking them: requests, their links, and what makes them void."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import uuid4

from domain import links
from models.evidence import voices_lapsed_in
from models.gates import (
    GateRow,
    Link,
    Purpose,
    Request,
    RequestState,
    VoidReason,
    links_of,
    requests_at,
)
from operations.telling import tell_request
from operations.workspace import Workspace


def ask(
    ws: Workspace,
    gate: GateRow,
    people: Sequence[tuple[str, Sequence[str]]],
    purpose: Purpose,
    escalation_level: int = 0,
) -> None:
    """Ask people at a gate, each for certain roles: a request, its link, and the mail that carries it."""
    asked = len(ws.session.scalars(requests_at(gate.id)).all())
    requests = [
        _request(ws, gate, person, purpose, asked_for, escalation_level, asked + place)
        for place, (person, asked_for) in enumerate(people)
    ]
    ws.session.add_all(requests)
    ws.session.flush()
    lapsed = _lapsed_before(ws, gate)
    for request in requests:
        add_link(ws, request)
        tell_request(ws, request, lapsed=request.voice in lapsed)


def ask_again(ws: Workspace, request: Request, reason: VoidReason) -> None:
    """Ask somebody once more who has answered already, by a new link; the old one says why it no longer counts."""
    renew_link(ws, request, reason)
    request.state, request.closed_at, request.void_reason = RequestState.OPEN, None, None
    tell_request(ws, request, lapsed=reason is VoidReason.LAPSED)


def _lapsed_before(ws: Workspace, gate: GateRow) -> set[str]:
    """Whose approval of the round before has lapsed: they hear why they are asked again."""
    if gate.round == 1:
        return set()
    return set(ws.session.scalars(voices_lapsed_in(gate.rollout_id, gate.key, gate.round - 1)))


def _request(
    ws: Workspace,
    gate: GateRow,
    person: str,
    purpose: Purpose,
    asked_for: Sequence[str],
    escalation_level: int,
    position: int,
) -> Request:
    return Request(
        id=uuid4().hex,
        rollout_id=ws.rollout.id,
        gate_id=gate.id,
        person=person,
        purpose=purpose,
        asked_for=list(asked_for),
        escalation_level=escalation_level,
        state=RequestState.OPEN,
        position=position,
        link_number=1,
        wrong_codes=0,
        created_at=ws.now,
    )


def add_link(ws: Workspace, request: Request) -> None:
    """Remember the hash of the request's newest link; the link itself is made again by whoever writes the mail."""
    key = ws.keys[0]
    token = links.link_token(key, request.id, request.link_number)
    ws.session.add(
        Link(
            token_hash=links.token_hash(token),
            request_id=request.id,
            number=request.link_number,
            key_id=links.key_id(key),
            created_at=ws.now,
        )
    )


def renew_link(ws: Workspace, request: Request, reason: VoidReason = VoidReason.RENEWED) -> None:
    """Put a new link and code in the place of the old ones."""
    for link in ws.session.scalars(links_of(request.id)):
        if link.voided_at is None:
            link.voided_at, link.void_reason = ws.now, reason
    request.link_number += 1
    request.wrong_codes = 0
    add_link(ws, request)


def open_requests(ws: Workspace, gate: GateRow, purposes: Collection[Purpose] = tuple(Purpose)) -> list[Request]:
    """Who is still asked at a gate."""
    rows = ws.session.scalars(requests_at(gate.id))
    return [row for row in rows if row.state is RequestState.OPEN and row.purpose in purposes]


def void_requests(
    ws: Workspace,
    gate: GateRow,
    reason: VoidReason,
    purposes: Collection[Purpose] = tuple(Purpose),
    spared: Collection[str] = (),
) -> list[Request]:
    """Ask nobody at this gate any longer but the people spared; the links say why. Returns who was still asked."""
    return void(ws, [row for row in open_requests(ws, gate, purposes) if row.person not in spared], reason)


def void(ws: Workspace, requests: Sequence[Request], reason: VoidReason) -> list[Request]:
    """No longer ask for these; their links say why. Returns them."""
    for request in requests:
        request.state, request.void_reason, request.closed_at = RequestState.VOID, reason, ws.now
    return list(requests)
