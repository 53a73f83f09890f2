"""The local mailbox in the browser: for newcomers who have set no mail server, on this machine only."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException

from notifications.language import Words
from notifications.mailbox import MailSummary, StoredMail, UnknownMail, list_mails, read_mail
from web import pages
from web.house import House
from web.visitor import is_local

_ADDRESS = re.compile(r"(https?://[^\s<>\"]*[^\s<>\".,;:!?)])")
_MAIL_POLICY = (
    "sandbox allow-top-navigation-by-user-activation allow-popups allow-popups-to-escape-sandbox; "
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"
)
"""A mail brings its own styles and nothing else; its page here may frame it, and its links may lead out of it."""


_SEARCHED = 1000


@dataclass(frozen=True)
class Piece:
    """A piece of a mail's text, or an address in it."""

    text: str
    is_link: bool


def routes(house: House) -> APIRouter:
    """Return the routes below /mailbox. To anybody who is not on this machine, there is nothing here."""
    router = APIRouter()

    @router.api_route("/mailbox", methods=["GET", "HEAD"])
    def list_all(request: Request, to: str = "") -> Response:
        _refuse_strangers(house, request)
        words = pages.visitor_words(request)
        mails = [_summary(words, mail) for mail in mails_to(house.settings.mailbox_folder, to.strip())]
        return pages.page("mailbox.html", words, {"mails": mails, "to": to.strip()})

    @router.api_route("/mailbox/{key}", methods=["GET", "HEAD"])
    def show_one(key: str, request: Request) -> Response:
        _refuse_strangers(house, request)
        words = pages.visitor_words(request)
        mail = _read(house, key)
        facts = {**_summary(words, mail), "pieces": pieces(mail.text), "has_html": bool(mail.html)}
        return pages.page("mail.html", words, {"mail": facts})

    @router.api_route("/mailbox/{key}/html", methods=["GET", "HEAD"])
    def show_html(key: str, request: Request) -> Response:
        _refuse_strangers(house, request)
        mail = _read(house, key)
        headers = {"Content-Security-Policy": _MAIL_POLICY, "X-Frame-Options": "SAMEORIGIN"}
        return HTMLResponse(with_links_out_of_the_frame(mail.html), headers=headers)

    return router


def may_be_read(house: House, request: Request) -> bool:
    """Whether there is a local mailbox and the request comes from this machine."""
    return house.settings.has_own_mailbox and is_local(request)


def mails_to(folder: Path, wanted: str) -> list[MailSummary]:
    """Return the newest mails to an address; a part of one finds all that hold it."""
    if "@" in wanted or not wanted:
        return list_mails(folder, to=wanted)
    return [mail for mail in list_mails(folder, _SEARCHED) if wanted.lower() in mail.recipient.lower()]


def pieces(text: str) -> Sequence[Piece]:
    """Return a text cut at its addresses."""
    return [Piece(part, _ADDRESS.fullmatch(part) is not None) for part in _ADDRESS.split(text) if part]


def with_links_out_of_the_frame(html: str) -> str:
    """Return a mail's page whose links open in the whole window."""
    base = '<base target="_top">'
    head = re.search(r"<head[^>]*>", html, re.IGNORECASE)
    return f"{html[: head.end()]}{base}{html[head.end() :]}" if head else base + html


def _refuse_strangers(house: House, request: Request) -> None:
    if not may_be_read(house, request):
        raise HTTPException(404)


def _read(house: House, key: str) -> StoredMail:
    try:
        return read_mail(house.settings.mailbox_folder, key)
    except UnknownMail as refusal:
        raise HTTPException(404) from refusal


def _summary(words: Words, mail: MailSummary) -> dict[str, str]:
    at = words.moment(mail.at)
    return {"key": mail.key, "subject": mail.subject, "sender": mail.sender, "to": mail.recipient, "at": at}
