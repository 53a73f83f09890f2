"""What every answer of somebody begins with who has proved who they are: the lock, and what they are asked there."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from domain.eligibility import normalise_address
from domain.errors import NotEligible
from domain.reasons import Reason
from models.database import Database
from models.gates import GateRow
from models.reading import ask
from models.requests import Purpose, Request, RequestState, asked_of, words_about
from operations.asked import Asked, page_of
from operations.show_request import RequestPage
from operations.workspace import Actor, Workspace, lock


@dataclass(frozen=True)
class Where:
    """At which gate of which rollout somebody answers, and for whom: "" is for themselves."""

    rollout_id: str
    gate_key: str
    on_behalf_of: str = ""

    @property
    def voice(self) -> str:
        """For whom, as it is stored. Raises InvalidInput for what is not an address."""
        return normalise_address(self.on_behalf_of) if self.on_behalf_of.strip() else ""


def by_person(
    db: Database,
    keys: Sequence[bytes],
    where: Where,
    actor: Actor,
    now: datetime,
    purposes: Collection[Purpose],
    change: Callable[[Asked], None],
    *,
    digest: str = "",
) -> RequestPage:
    """Run `change` on what the actor is asked at a gate in its newest round, in one transaction; return the page then.

    Asked for several things, it is the one of these purposes that is open. Whoever sends a word a second time, after it
    has begun a new round, means the round that `digest` belongs to. Raises UnknownRollout, NotEligible for somebody who
    is not asked there, and what `change` raises.
    """

    def heard(session: Session) -> Asked:
        ws = lock(session, keys, where.rollout_id, now, actor)
        request = _said_already(ws, where, digest) or asked_at(ws, where, actor.address, purposes)
        asked = Asked(ws, request, session.get_one(GateRow, request.gate_id))
        change(asked)
        return asked

    return db.write_then_read(heard, lambda _, asked: page_of(asked))


def asked_at(ws: Workspace, where: Where, person: str, purposes: Collection[Purpose] = tuple(Purpose)) -> Request:
    """Return what a person is asked at a gate in its newest round, or was. Raises NotEligible when they never were."""
    voice = where.voice
    rows = ask(ws.session, asked_of, person, ws.rollout.id, where.gate_key).scalars().all()
    mine = [row for row in rows if row.on_behalf_of == voice]
    if not mine:
        raise NotEligible(_not_asked(where, person, [row.on_behalf_of for row in rows if not voice]))
    return min(mine, key=lambda row: (row.purpose not in purposes, row.state is not RequestState.OPEN))


def _not_asked(where: Where, person: str, voices: list[str]) -> Reason:
    facts = {"person": person, "gate": where.gate_key}
    if voices:
        others = ", ".join(dict.fromkeys(voices))
        return Reason("{person} is asked at the gate “{gate}” on behalf of {others}; say for whom.",
                      {**facts, "others": others})  # fmt: skip
    return Reason("{person} is not asked at the gate “{gate}”.", facts)


def _said_already(ws: Workspace, where: Where, digest: str) -> Request | None:
    words = ask(ws.session, words_about, ws.rollout.id, where.gate_key, digest).scalars() if digest else ()
    mine = [word for word in words if (word.person, word.on_behalf_of or "") == (ws.actor.address, where.voice)]
    return ws.session.get_one(Request, mine[0].request_id) if mine else None
