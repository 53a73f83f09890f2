"""Show one person what they are asked, by their link. Changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from domain import links
from domain.errors import LinkUnknown, LinkVoid
from domain.states import GateState
from models.database import Database
from models.gates import GateRow, Link, Purpose, Request, RequestState, VoidReason
from models.rollouts import Rollout
from notifications.facts import Question, Reader, Said, Settlement
from operations.question import question, reader_of, said, settlement, shown_digest
from operations.voices import latest_decisions
from operations.workspace import Workspace


@dataclass(frozen=True)
class RequestPage:
    """What somebody is shown of a request: by its link, or as who they are.

    `digest` stands for what a decision would be about; `mine` is the last word of this voice, which is the reader's own
    where `on_behalf_of` is "".
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


def show_request(db: Database, token: str, now: datetime) -> RequestPage:
    """Return what a link shows. Raises LinkUnknown, or LinkVoid when a newer mail has taken its place."""
    with db.read() as session:
        link = find_link(session, token)
        request = session.get_one(Request, link.request_id)
        rollout = session.get_one(Rollout, request.rollout_id)
        return page(Workspace(session, (), rollout, now), request)


def find_link(session: Session, token: str) -> Link:
    """Return the link of a token. Raises LinkUnknown, or LinkVoid when a newer mail has taken its place."""
    link = session.get(Link, links.token_hash(token)) if links.looks_like_token(token) else None
    if link is None:
        raise LinkUnknown()
    if link.voided_at is not None:
        raise LinkVoid(link.void_reason or VoidReason.RENEWED, link.voided_at)
    return link


def page(ws: Workspace, request: Request) -> RequestPage:
    """Return what one request shows now."""
    gate = ws.session.get_one(GateRow, request.gate_id)
    reader = reader_of(ws, request.person)
    mine = latest_decisions(ws, gate).get(request.voice)
    return RequestPage(
        request_id=request.id,
        reader=reader,
        purpose=request.purpose,
        state=request.state,
        question=question(ws, gate, request, reader),
        digest=shown_digest(ws, gate),
        mine=said(mine, reader.name) if mine else None,
        settlement=settlement(gate) if gate.state is not GateState.WITHDRAWN else None,
        void_reason=request.void_reason,
        closed_at=request.closed_at,
        on_behalf_of=request.on_behalf_of,
    )
