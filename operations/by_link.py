"""What every verb that comes by a link begins with: the lock, the link, and the code from the mail."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

from domain import links
from domain.errors import LinkVoid, WrongCode
from models.database import Database
from models.gates import GateRow
from models.requests import Link, Request, RequestState, VoidReason
from operations.asked import Asked
from operations.asking import renew_link
from operations.show_request import find_link
from operations.telling import tell_code
from operations.workspace import Actor, Workspace, lock

TRIES = 5
"""Wrong codes until a new link and code are mailed (design, section 4)."""

_T = TypeVar("_T")


def by_link(
    db: Database, keys: Sequence[bytes], token: str, code: str, now: datetime, change: Callable[[Asked], _T]
) -> _T:
    """Run `change` on the request behind a link, in one transaction, once the code is right.

    A wrong code is counted, and the count is kept. Raises LinkUnknown, LinkVoid, WrongCode, and what `change` raises.
    """
    with db.write() as session:
        link = find_link(session, token)
        request = session.get_one(Request, link.request_id)
        ws = lock(session, keys, request.rollout_id, now, Actor(request.person, "link", "link-code"))
        session.refresh(link)
        session.refresh(request)
        if link.voided_at is not None:
            raise LinkVoid(link.void_reason or VoidReason.RENEWED, link.voided_at)
        wrong = _count_wrong_code(ws, request, link, code)
        if wrong is None:
            return change(Asked(ws, request, session.get_one(GateRow, request.gate_id)))
    raise wrong


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
