"""For whoever watches this installation: whether the process is up, and whether the work gets done."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from models.outbox import MessageState, message_counts, next_message_due
from operations.check_health import check_health
from web.house import House
from web.metrics import exposition

log = logging.getLogger(__name__)


def routes(house: House) -> APIRouter:
    """Return the routes /healthz, /readyz and /metrics."""
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

    @router.api_route("/metrics", methods=["GET", "HEAD"])
    def metrics() -> Response:
        try:
            with house.database.read() as session:
                return Response(exposition(session, house.now()), media_type=CONTENT_TYPE_LATEST)
        except SQLAlchemyError as failure:
            log.warning("the database does not answer: %s", type(failure).__name__)
            return Response("the database does not answer\n", 503, media_type="text/plain")

    return router


def facts(session: Session, now: datetime) -> dict[str, Any]:
    """Return what is waiting and how the scheduled check is doing; ages in whole seconds, None when there is none.

    A late check leaves the pages ready: they answer all the same, and taking them away would help nobody.
    """
    counts = {str(state): count for state, count in session.execute(message_counts())}
    health = check_health(session, now)
    return {
        "messages_pending": counts.get(MessageState.PENDING, 0),
        "messages_dead": counts.get(MessageState.DEAD, 0),
        "oldest_due_message_seconds": _age(session.scalar(next_message_due(now)), now),
        "check": "late" if health.late else "on time" if health.finished_at else "not yet",
        "last_check_seconds": _age(health.finished_at, now),
        "unfinished_checks": health.unfinished,
    }


def _age(at: datetime | None, now: datetime) -> int | None:
    return None if at is None else max(0, round((now - at).total_seconds()))
