"""Show somebody who has proved who they are what they are asked: at one gate, or everywhere now. Changes nothing."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from domain.errors import UnknownRollout
from models.database import Database
from models.requests import RequestState, open_requests_of
from models.rollouts import Rollout
from operations.by_person import Where, asked_at
from operations.show_request import RequestPage, page
from operations.workspace import Workspace


def show_gate(
    db: Database, rollout_id: str, gate_key: str, person: str, now: datetime, on_behalf_of: str = ""
) -> RequestPage:
    """Return what a person is asked at a gate in its newest round, or was.

    Raises UnknownRollout, and NotEligible for somebody who is not asked there.
    """
    with db.read() as session:
        ws = _workspace(session, rollout_id, now)
        return page(ws, asked_at(ws, Where(rollout_id, gate_key, on_behalf_of), person))


def open_questions(db: Database, person: str, now: datetime) -> list[RequestPage]:
    """Return everything a person is asked at this moment, oldest first."""
    with db.read() as session:
        requests = session.scalars(open_requests_of(person))
        pages = [page(_workspace(session, request.rollout_id, now), request) for request in requests]
        return [shown for shown in pages if shown.state is RequestState.OPEN]  # not what was lent until now


def _workspace(session: Session, rollout_id: str, now: datetime) -> Workspace:
    rollout = session.get(Rollout, rollout_id)
    if rollout is None:
        raise UnknownRollout(f"There is no rollout “{rollout_id}”; `etappe rollout list` shows them all.")
    return Workspace.to_look_at(session, rollout, now)
