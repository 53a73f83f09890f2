"""Show one person what they are asked, by their link. Changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from domain import links
from domain.errors import LinkUnknown, LinkVoid
from domain.states import GateState
from models.asked_about import behind_link
from models.database import Database
from models.delegations import LENT
from models.evidence import standing_decisions_at
from models.gates import GateRow
from models.reading import ask, know
from models.record import chasing_at
from models.requests import Link, Purpose, Request, RequestState, VoidReason, requests_at
from models.rollouts import Rollout
from notifications.facts import Question, Reader, Said, Settlement
from operations.absences import away_until
from operations.delegating import delegation_behind, lent_by
from operations.naming import name_of, reader_of
from operations.question import question, said, settlement, shown_digest
from operations.voices import latest_decisions
from operations.workspace import Workspace

_Behind = tuple[Link, Request, GateRow, Rollout]


@dataclass(frozen=True)
class RequestPage:
    """What somebody is shown of a request: by its link, or as who they are.

    `digest` stands for what a decision would be about. `on_behalf_of` is whose voice it is, "" for the reader's own;
    `mine` is the reader's last word with it, `spoken` the last word where it was somebody else's. `lent_to` is the name
    of whoever the reader has lent their voice to now, `lent_until` the last moment of that, and `may_be_lent` whether
    they could lend it from here. `may_be_away` is whether they can say from here that they are away, and `away_until`
    their last day, if they are.
    """

    request_id: str
    reader: Reader
    purpose: Purpose
    state: RequestState
    question: Question
    digest: str
    mine: Said | None
    settlement: Settlement | None
    void_reason: VoidReason | None
    closed_at: datetime | None
    on_behalf_of: str = ""
    spoken: Said | None = None
    lent_to: str = ""
    lent_until: datetime | None = None
    may_be_lent: bool = False
    may_be_away: bool = False
    away_until: date | None = None


def show_request(db: Database, token: str, now: datetime) -> RequestPage:
    """Return what a link shows. Raises LinkUnknown, or LinkVoid when a newer mail has taken its place."""
    with db.read() as session:
        _link, request, _gate, rollout = find_link(session, token)
        return page(Workspace.to_look_at(session, rollout, now), request)


@dataclass(frozen=True)
class Addressee:
    """Who a link is for, and what for: all it takes to answer whoever uses it before anything is looked up."""

    purpose: Purpose
    reader: Reader


def addressee(db: Database, token: str, now: datetime) -> Addressee:
    """Return who a link is for, also when it no longer counts. Raises LinkUnknown."""
    with db.read() as session:
        _, request, _, rollout = _behind(session, token)
        return Addressee(request.purpose, reader_of(Workspace.to_look_at(session, rollout, now), request.person))


def find_link(session: Session, token: str) -> _Behind:
    """Return the link of a token, with what it asks, and where.

    Raises LinkUnknown, or LinkVoid when a newer mail has taken its place.
    """
    found = _behind(session, token)
    link = found[0]
    if link.voided_at is not None:
        raise LinkVoid(link.void_reason or VoidReason.RENEWED, link.voided_at)
    return found


def _behind(session: Session, token: str) -> _Behind:
    known = links.looks_like_token(token)
    found = ask(session, behind_link, links.token_hash(token)).one_or_none() if known else None
    if found is None:
        raise LinkUnknown()
    link, request, gate, rollout, is_anybody_else_asked, has_anybody_decided, was_anybody_chased = found
    if not is_anybody_else_asked:
        know(session, requests_at, [request], gate.id)
    if not has_anybody_decided:
        know(session, standing_decisions_at, (), gate.id)
    if not was_anybody_chased:
        know(session, chasing_at, (), gate.rollout_id, gate.key, gate.round)
    return link, request, gate, rollout


def page(ws: Workspace, request: Request) -> RequestPage:
    """Return what one request shows now, or to whoever has just answered it, whatever has become of its link."""
    gate = ws.session.get_one(GateRow, request.gate_id)
    reader = reader_of(ws, request.person)
    word = latest_decisions(ws, gate).get(request.voice) if request.purpose is not Purpose.RESPOND else None
    is_over = _is_over(ws, request)
    return RequestPage(
        request_id=request.id,
        reader=reader,
        purpose=request.purpose,
        state=RequestState.VOID if is_over else request.state,
        question=question(ws, gate, request, reader),
        digest=shown_digest(ws, gate, request),
        mine=said(ws, word) if word and word.person == request.person else None,
        settlement=settlement(ws, gate) if gate.state is not GateState.WITHDRAWN else None,
        void_reason=VoidReason.DELEGATION_OVER if is_over else request.void_reason,
        closed_at=request.closed_at,
        on_behalf_of=request.on_behalf_of,
        spoken=said(ws, word) if word and word.person != request.person else None,
        **_lending(ws, gate, request),
    )


def _is_over(ws: Workspace, request: Request) -> bool:
    """Whether it is asked in another one's place no longer, though the scheduled check has not taken it back yet."""
    lent = bool(request.on_behalf_of) and request.state is RequestState.OPEN
    return lent and delegation_behind(ws, request) is None


def _lending(ws: Workspace, gate: GateRow, request: Request) -> dict[str, Any]:
    if request.state is not RequestState.OPEN or request.on_behalf_of:
        return {}
    until = away_until(ws.session, [request.person], ws.now).get(request.person)
    away = {"may_be_away": True, "away_until": until}
    if request.purpose not in LENT:
        return away
    may_be_lent = getattr(ws.planned_gate(gate), "delegates", True)
    delegation = lent_by(ws, [request.person]).get(request.person)
    if delegation is None:
        return {**away, "may_be_lent": may_be_lent}
    to = name_of(ws, delegation.delegate)
    return {**away, "may_be_lent": may_be_lent, "lent_to": to, "lent_until": delegation.term.last_moment}
