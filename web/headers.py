"""What every answer carries and no request may exceed: plain ASGI, so that it also holds for errors."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LARGEST_BODY = 64 * 1024
LARGEST_UPLOAD = 11 * 1024 * 1024
"""A file of 10 MB, and the rest of its form."""
LONGEST_PATIENCE = 100 * 1024 * 1024
TOO_LARGE = 413
_UPLOADS = {
    "POST": re.compile(r"/decide/[^/]+/respond/?"),
    "PUT": re.compile(r"/api/v1/rollouts/[^/]+/attachments/[^/]+"),
}


def content_security_policy(css: str) -> str:
    """Return the policy of our pages: their own inline style, by its hash, and nothing else. No scripts at all."""
    style = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{style}'; img-src data:; frame-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    )


def security_headers(css: str) -> dict[str, str]:
    """Return the headers of every answer. An answer that sets one of them itself keeps its own."""
    return {
        "Cache-Control": "no-store",
        "Content-Security-Policy": content_security_policy(css),
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "X-Robots-Tag": "noindex, nofollow",
    }


class SecurityHeaders:
    """Adds headers to every answer that does not have them yet."""

    def __init__(self, app: ASGIApp, headers: Mapping[str, str]) -> None:
        self.app, self.headers = app, headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and the answer back with its headers."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self.headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, with_headers if scope["type"] == "http" else send)


def takes_a_file(method: str, path: str) -> bool:
    """Whether a file may be uploaded here."""
    return method in _UPLOADS and _UPLOADS[method].fullmatch(path) is not None


class BodyLimit:
    """Refuses bodies of more than 64 KiB as they come in, whatever Content-Length says; 11 MB where files are sent."""

    def __init__(self, app: ASGIApp, largest: int = LARGEST_BODY, largest_upload: int = LARGEST_UPLOAD) -> None:
        self.app, self.largest, self.largest_upload = app, largest, largest_upload

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with a counted body. Raises HTTPException 413 where the body is read."""
        seen = 0
        uploads = scope["type"] == "http" and takes_a_file(scope["method"], scope["path"])
        largest = self.largest_upload if uploads else self.largest

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > largest:
                if uploads:
                    await _let_it_end(receive, message)
                raise HTTPException(TOO_LARGE)
            return message

        await self.app(scope, counted if scope["type"] == "http" else receive, send)


async def _let_it_end(receive: Receive, message: Message) -> None:
    """Read on and keep nothing: a browser that cannot send all of its file shows an error of its own, not our page."""
    dropped = 0
    while message.get("more_body") and dropped <= LONGEST_PATIENCE:
        message = await receive()
        dropped += len(message.get("body", b""))
