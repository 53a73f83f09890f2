"""Asking people at a gate, and no longer asking them: requests, their links, and what makes them void.

Whoever has lent their voice is asked all the same, and their delegate as well (operations/delegating.py).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import uuid4

from domain import links
from domain.reasons import Reason
from models.appending import append
from models.delegations import Delegation
from models.evidence import voices_lapsed_in
from models.gates import GateRow
from models.requests import Link, Purpose, Request, RequestState, VoidReason, links_of, requests_at
from operations.delegating import delegation_behind, facts_of, say_why_not, to_be_asked_in_place
from operations.hours import look_up_hours
from operations.objecting import begin_time_to_object
from operations.telling import tell_request
from operations.voices import members
from operations.workspace import Workspace

CALLED_OFF = frozenset({VoidReason.REASSIGNED, VoidReason.REPLACED, VoidReason.NOT_NEEDED})
"""Whoever is no longer asked for one of these reasons counts as not asked yet, should they be called for again."""


def ask(
    ws: Workspace,
    gate: GateRow,
    people: Sequence[tuple[str, Sequence[str]]],
    purpose: Purpose,
    escalation_level: int = 0,
) -> None:
    """Ask people at a gate, each for certain roles: a request, its link, and the mail that carries it.

    Somebody who was asked before and is no longer is asked again by a new link; who is asked now stays asked.
    """
    members_speak_for_themselves(ws, gate)
    rows = [row for row in ws.read(requests_at, gate.id) if row.purpose is purpose]
    before = {row.person: row for row in rows if not row.on_behalf_of}
    new = [(person, roles) for person, roles in people if person not in before]
    if purpose is Purpose.DECIDE and not escalation_level and people:
        begin_time_to_object(ws, gate)
    requests = [_request(ws, gate, person, purpose, roles, escalation_level) for person, roles in new]
    _send(ws, gate, requests)
    ask_in_place(ws, gate, requests)
    for person, roles in people:
        if person in before and before[person].state is not RequestState.OPEN:
            row = before[person]
            row.asked_for, row.escalation_level, row.created_at = list(roles), escalation_level, ws.now
            ask_again(ws, row, VoidReason.RENEWED)


def _send(ws: Workspace, gate: GateRow, requests: Sequence[Request]) -> None:
    asked = len(ws.read(requests_at, gate.id))
    for place, request in enumerate(requests, start=asked):
        request.position = place
    ws.session.add_all(requests)
    look_up_hours(ws, [request.person for request in requests])
    lapsed = _lapsed_before(ws, gate)
    for request in requests:
        add_link(ws, request)
        tell_request(ws, request, lapsed=request.voice in lapsed and request.purpose is not Purpose.RESPOND)


def ask_again(ws: Workspace, request: Request, reason: VoidReason) -> None:
    """Ask somebody once more, and whoever they have lent their voice to, by a new link; the old one says why."""
    _reopen(ws, request, reason)
    ask_in_place(ws, ws.session.get_one(GateRow, request.gate_id), [request], reason)


def _reopen(ws: Workspace, request: Request, reason: VoidReason) -> None:
    renew_link(ws, request, reason)
    request.state, request.closed_at, request.void_reason = RequestState.OPEN, None, None
    tell_request(ws, request, lapsed=reason is VoidReason.LAPSED)


def ask_in_place(
    ws: Workspace, gate: GateRow, requests: Sequence[Request], reason: VoidReason = VoidReason.RENEWED
) -> int:
    """Ask delegates in the place of those who are asked by these requests; returns how many are asked now and were not.

    `reason` is what an older link of theirs says of why it no longer counts.
    """
    asked = [_ask_one_in_place(ws, gate, *pair, reason) for pair in to_be_asked_in_place(ws, gate, requests)]
    return sum(asked)


def _ask_one_in_place(
    ws: Workspace, gate: GateRow, request: Request, delegation: Delegation, reason: VoidReason
) -> bool:
    before = [row for row in ws.read(requests_at, gate.id) if _is_in_place_of(row, request, delegation)]
    if before and before[0].state is RequestState.OPEN:
        return False
    ws.note("request.delegated", gate=gate, facts={**facts_of(ws, delegation), "purpose": request.purpose})
    if before:
        before[0].created_at, before[0].escalation_level = ws.now, request.escalation_level
        _reopen(ws, before[0], reason)
    else:
        theirs = _request(ws, gate, delegation.delegate, request.purpose, request.asked_for, request.escalation_level)
        theirs.on_behalf_of = request.person
        _send(ws, gate, [theirs])
    return True


def _is_in_place_of(row: Request, request: Request, delegation: Delegation) -> bool:
    return (row.person, row.on_behalf_of, row.purpose) == (delegation.delegate, request.person, request.purpose)


def members_speak_for_themselves(ws: Workspace, gate: GateRow) -> None:
    """Ask nobody in another one's place any longer who has a voice of their own at this gate by now."""
    own = members(gate)
    for request in [row for row in open_requests(ws, gate) if row.on_behalf_of and row.person in own]:
        if delegation := delegation_behind(ws, request):
            say_why_not(
                ws,
                gate,
                request,
                delegation,
                Reason("One person is one voice, and {person} has their own here.", {"person": request.person}),
            )
        void(ws, [request], VoidReason.DELEGATION_OVER)


def _lapsed_before(ws: Workspace, gate: GateRow) -> set[str]:
    """Whose approval of the round before has lapsed: they hear why they are asked again."""
    if gate.round == 1:
        return set()
    return set(ws.read(voices_lapsed_in, gate.rollout_id, gate.key, gate.round - 1))


def _request(
    ws: Workspace,
    gate: GateRow,
    person: str,
    purpose: Purpose,
    asked_for: Sequence[str],
    escalation_level: int,
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
        on_behalf_of="",
        link_number=1,
        wrong_codes=0,
        created_at=ws.now,
    )


def add_link(ws: Workspace, request: Request) -> None:
    """Remember the hash of the request's newest link; the link itself is made again by whoever writes the mail."""
    key = ws.keys[0]
    token = links.link_token(key, request.id, request.link_number)
    append(ws.session, Link, token_hash=links.token_hash(token), request_id=request.id, number=request.link_number,
           key_id=links.key_id(key), created_at=ws.now)  # fmt: skip


def renew_link(ws: Workspace, request: Request, reason: VoidReason = VoidReason.RENEWED) -> None:
    """Put a new link and code in the place of the old ones."""
    for link in ws.read(links_of, request.id):
        if link.voided_at is None:
            link.voided_at, link.void_reason = ws.now, reason
    request.link_number += 1
    request.wrong_codes = 0
    add_link(ws, request)


def open_requests(ws: Workspace, gate: GateRow, purposes: Collection[Purpose] = tuple(Purpose)) -> list[Request]:
    """Who is still asked at a gate."""
    rows = ws.read(requests_at, gate.id)
    return [row for row in rows if row.state is RequestState.OPEN and row.purpose in purposes]


def void_requests(
    ws: Workspace,
    gate: GateRow,
    reason: VoidReason,
    purposes: Collection[Purpose] = tuple(Purpose),
    spared: Collection[str] = (),
) -> list[Request]:
    """Ask nobody at this gate any longer but the voices spared; the links say why. Returns who was still asked."""
    return void(ws, [row for row in open_requests(ws, gate, purposes) if row.voice not in spared], reason)


def void(ws: Workspace, requests: Sequence[Request], reason: VoidReason) -> list[Request]:
    """No longer ask for these; their links say why. Returns them."""
    for request in requests:
        request.state, request.void_reason, request.closed_at = RequestState.VOID, reason, ws.now
    return list(requests)
