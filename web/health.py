"""For whoever watches this installation: whether the process is up, and whether the work gets done."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from models.checks import checks_newest_first
from models.outbox import MessageState, message_counts, next_message_due
from web.house import House

log = logging.getLogger(__name__)


def routes(house: House) -> APIRouter:
    """Return the routes /healthz and /readyz."""
    router = APIRouter()

    @router.api_route("/healthz", methods=["GET", "HEAD"])
    def healthy() -> dict[str, str]:
        return {"status": "up"}

    @router.api_route("/readyz", methods=["GET", "HEAD"])
    def ready() -> JSONResponse:
        try:
            with house.database.read() as session:
                return JSONResponse({"status": "ready", "database": "answers", **facts(session, house.now())})
        except SQLAlchemyError as failure:
            log.warning("the database does not answer: %s", type(failure).__name__)
            return JSONResponse({"status": "not ready", "database": "does not answer"}, 503)

    return router


def facts(session: Session, now: datetime) -> dict[str, Any]:
    """Return what is waiting and when the scheduled check last ran; ages in whole seconds, None when there is none."""
    counts = {str(state): count for state, count in session.execute(message_counts())}
    last_check = session.scalars(checks_newest_first().limit(1)).first()
    return {
        "messages_pending": counts.get(MessageState.PENDING, 0),
        "messages_dead": counts.get(MessageState.DEAD, 0),
        "oldest_due_message_seconds": _age(session.scalar(next_message_due(now)), now),
        "last_check_seconds": _age(last_check.finished_at if last_check else None, now),
    }


def _age(at: datetime | None, now: datetime) -> int | None:
    return None if at is None else max(0, int((now - at).total_seconds()))
