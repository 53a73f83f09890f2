"""What every verb that comes by a link begins with: the lock, the link, and the code from the mail."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

from sqlalchemy.orm import Session

from domain import links
from domain.errors import WrongCode
from models.database import Database, locks_rows
from models.gates import GateRow
from models.reading import ask
from models.requests import Link, Request, RequestState, rollout_behind_link_locked
from operations.asked import Asked, page_of
from operations.asking import renew_link
from operations.show_request import RequestPage, find_link
from operations.telling import tell_code
from operations.workspace import Actor, Workspace

TRIES = 5
"""Wrong codes until a new link and code are mailed (design, section 4)."""

_T = TypeVar("_T")
_R = TypeVar("_R")


def by_link(
    db: Database, keys: Sequence[bytes], token: str, code: str, now: datetime, change: Callable[[Asked], _T]
) -> _T:
    """Run `change` on the request behind a link, in one transaction, once the code is right.

    A wrong code is counted, and the count is kept. Raises LinkUnknown, LinkVoid, WrongCode, and what `change` raises.
    """
    return _by_link(db, keys, token, code, now, change, lambda _, changed: changed)


def answer_by_link(
    db: Database, keys: Sequence[bytes], token: str, code: str, now: datetime, change: Callable[[Asked], None]
) -> RequestPage:
    """As `by_link`; return the page as it is after it."""
    return _by_link(db, keys, token, code, now, change, lambda asked, _: page_of(asked))


def _by_link(
    db: Database,
    keys: Sequence[bytes],
    token: str,
    code: str,
    now: datetime,
    change: Callable[[Asked], _T],
    look: Callable[[Asked, _T], _R],
) -> _R:
    def heard(session: Session) -> tuple[Asked, _T] | WrongCode:
        asked, link = _found(session, keys, token, now)
        wrong = _count_wrong_code(asked.ws, asked.request, link, code)
        return wrong or (asked, change(asked))

    def looked_at(session: Session, found: tuple[Asked, _T] | WrongCode) -> _R:
        if isinstance(found, WrongCode):
            raise found
        return look(*found)

    return db.write_then_read(heard, looked_at)


def _found(session: Session, keys: Sequence[bytes], token: str, now: datetime) -> tuple[Asked, Link]:
    """What a link asks, read under its rollout's lock: whoever had it before may have changed all of it."""
    if locks_rows(session):
        ask(session, rollout_behind_link_locked, links.token_hash(token)).first()
    link, request, gate, rollout = find_link(session, token)
    ws = Workspace(session, keys, rollout, now, Actor(request.person, "link", "link-code"))
    return Asked(ws, request, gate), link


def _count_wrong_code(ws: Workspace, request: Request, link: Link, given: str) -> WrongCode | None:
    if request.state is RequestState.VOID:  # nothing can be decided by it: why is said without asking for a code
        return None
    expected = [links.code(key, request.id, link.number) for key in ws.keys if links.key_id(key) == link.key_id]
    if any(links.same_code(given, code) for code in expected):
        return None
    if request.state is not RequestState.OPEN:
        return WrongCode(TRIES)
    request.wrong_codes += 1
    left = TRIES - request.wrong_codes
    if left == 0:
        renew_link(ws, request)
        ws.note("link.renewed", gate=ws.session.get_one(GateRow, request.gate_id), facts={"person": request.person})
        tell_code(ws, request)
    return WrongCode(left)
