"""Puts the pages together into one application."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from fastapi import FastAPI, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from models.database import Database
from settings import Settings
from web import away, board_page, decide, feed, files, health, landing, mailbox, pages, rollout_page, wording
from web.api import problems
from web.api.application import PREFIX, create_api
from web.headers import TOO_LARGE, BodyLimit, SecurityHeaders, security_headers, takes_a_file
from web.house import House, utc_now
from web.masking import masked

log = logging.getLogger(__name__)


def create_app(
    settings: Settings,
    database: Database,
    *,
    prefect_ui_url: str = "",
    now: Callable[[], datetime] = utc_now,
) -> FastAPI:
    """Return the application. `now` gives the moment, aware; `prefect_ui_url` is shown on the first page."""
    house = House(settings, database, prefect_ui_url, now)
    app = FastAPI(title="Etappe", openapi_url=None, docs_url=None, redoc_url=None)
    for part in (landing, files, away, decide, rollout_page, board_page, feed, mailbox, health):
        app.include_router(part.routes(house))
    app.mount(PREFIX, create_api(house))
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(Exception, _failed)
    app.add_middleware(BodyLimit)
    app.add_middleware(SecurityHeaders, headers=security_headers(pages.CSS))
    return app


def _refused(request: Request, error: Exception) -> Response:
    """Answer what the framework refuses: an unknown address, a method that is not offered, a body that is too large."""
    if request.url.path.startswith(f"{PREFIX}/"):  # such as one with a line break, which no mounted application gets
        return problems.not_served(request, error)
    status = error.status_code if isinstance(error, HTTPException) else 400
    headers = error.headers if isinstance(error, HTTPException) else None
    title, sentence = wording.REFUSALS.get(status, wording.REFUSALS[400])
    if status == TOO_LARGE and takes_a_file(request.method, request.url.path):
        title, sentence = wording.FILE_TOO_LARGE
    words = pages.visitor_words(request)
    return pages.notice(words, words.text(title), (words.text(sentence),), status, headers=headers)


def _failed(request: Request, error: Exception) -> Response:
    """Answer what nobody expected: one sentence for the reader, the rest for the log."""
    log.error("%s %s failed: %s", request.method, masked(request.url.path), type(error).__name__)
    words = pages.visitor_words(request)
    title, sentence = wording.REFUSALS[500]
    # Made outside of the middleware, so it needs its headers here.
    headers = security_headers(pages.CSS)
    return pages.notice(words, words.text(title), (words.text(sentence),), 500, headers=headers)
