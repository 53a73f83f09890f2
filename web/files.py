"""Files: downloads of what is attached, never shown in place; and the one address that takes an upload."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request, Response
from starlette.concurrency import run_in_threadpool

from domain.errors import LinkUnknown, LinkVoid, UnknownAttachment
from operations.fetch_attachment import FoundFile, fetch_attachment
from operations.show_request import show_request
from web import decide, pages, wording
from web.forms import Posted, posted
from web.house import House

_MOST_DIGITS = 9
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 ._-()+,")


def routes(house: House) -> APIRouter:
    """Return the routes below /decide/{token} for files."""
    router = APIRouter()

    @router.api_route("/decide/{token}/files/{attachment}", methods=["GET", "HEAD"])
    def download(token: str, attachment: str, request: Request) -> Response:
        try:
            number = int(attachment) if attachment.isdecimal() and len(attachment) <= _MOST_DIGITS else 0
            asks_for_bytes = request.method == "GET"
            found = fetch_attachment(house.database, decide.as_mailed(token), number, content=asks_for_bytes)
        except (LinkUnknown, LinkVoid) as refusal:
            return decide.without_page(pages.visitor_words(request), refusal, {})
        except UnknownAttachment:
            words = pages.visitor_words(request)
            title, sentence = wording.NOT_ATTACHED
            return pages.notice(words, words.text(title), (words.text(sentence),), 404)
        return as_download(found, request.headers.get("if-none-match", ""))

    @router.api_route("/decide/{token}/respond", methods=["GET", "HEAD"])
    def show(token: str, request: Request) -> Response:
        return decide.shown(house, token, request)

    async def uploaded(token: str, request: Request) -> AsyncIterator[Posted]:
        """Read the form; of a link that leads nowhere, nothing is read."""
        if not await run_in_threadpool(_leads_somewhere, house, token):
            yield Posted(is_form=False)
            return
        async with aclosing(posted(request)) as forms:
            async for form in forms:
                yield form

    @router.post("/decide/{token}/respond")
    def respond(token: str, request: Request, form: Posted = Depends(uploaded)) -> Response:
        return decide.answered(house, token, request, form)

    return router


def _leads_somewhere(house: House, token: str) -> bool:
    try:
        show_request(house.database, decide.as_mailed(token), house.now())
    except (LinkUnknown, LinkVoid):
        return False
    return True


def as_download(found: FoundFile, known: str) -> Response:
    """Return a file that no browser opens by itself (RFC 6266), whatever it holds."""
    tag = f'"{found.digest}"'
    headers = {
        "Content-Disposition": content_disposition(found.name),
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cross-Origin-Resource-Policy": "same-origin",
        "ETag": tag,
    }
    if tag in known:
        return Response(status_code=304, headers=headers)
    headers["Content-Length"] = str(found.size)
    return Response(found.content, media_type="application/octet-stream", headers=headers)


def content_disposition(name: str) -> str:
    """Return the header of a download: a plain name for old browsers, and the whole name (RFC 6266, 4.3; RFC 8187)."""
    plain = "".join(character if character in _PLAIN else "_" for character in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
