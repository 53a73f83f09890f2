"""A person's calendar feed: all their open deadlines, for calendar programs to subscribe to. It changes nothing."""

from __future__ import annotations

import hashlib
import re
from email.utils import parseaddr

from fastapi import APIRouter, Request, Response
from starlette.exceptions import HTTPException

from domain.errors import FeedUnknown
from notifications.calendar import feed
from operations.list_deadlines import list_deadlines
from web.house import House

_STAMP = re.compile(r"^DTSTAMP:.*$", re.MULTILINE)


def routes(house: House) -> APIRouter:
    """Return the route below /calendar."""
    router = APIRouter()

    @router.api_route("/calendar/{token}.ics", methods=["GET", "HEAD"])
    def show(token: str, request: Request) -> Response:
        settings = house.settings
        try:
            found = list_deadlines(house.database, settings.secret_keys, token)
        except FeedUnknown as refusal:
            raise HTTPException(404) from refusal
        text = feed(found.deadlines, found.reader, parseaddr(settings.mail_from)[1], house.now())
        headers = {"Cache-Control": "private, no-cache", "ETag": _tag(text)}
        if headers["ETag"] in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(text, media_type="text/calendar", headers=headers)

    return router


def _tag(text: str) -> str:
    """A weak one (RFC 9110, 8.8.1): only the moment at which it was written may differ."""
    return f'W/"{hashlib.sha256(_STAMP.sub("", text).encode()).hexdigest()[:32]}"'
