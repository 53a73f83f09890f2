"""Lend one's own voice by the link of a request, and end that: with the code from the mail, as a decision is made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from domain.delegation import Term, read_day, whole_days
from domain.errors import InvalidInput
from domain.reasons import Reason
from models.database import Database
from models.delegations import LENT, Delegation, delegations_of
from models.gates import GateRow, Request, RequestState
from models.people import Person
from models.rollouts import Rollout
from notifications.facts import Question, Reader
from operations.apply_delegations import apply_delegation, take_back
from operations.asked import Asked
from operations.by_link import by_link
from operations.delegate import end, give
from operations.question import question, reader_of
from operations.show_request import find_link
from operations.workspace import Workspace


@dataclass(frozen=True)
class LendingForm:
    """What somebody typed: to whom, and the first and the last day, as ISO dates where they live."""

    to: str
    first: str
    last: str
    code: str


@dataclass(frozen=True)
class Lent:
    """A delegation of the reader's that holds or is still to begin."""

    id: int
    name: str
    first: date
    last: date


@dataclass(frozen=True)
class LendingPage:
    """What somebody is shown who wants to lend their voice. `why_not` is why they cannot do so by this link.

    `lent` is what they have lent already, `given` what they have just lent, `may_end` whether they can end that by this
    link, `today` the day where they live.
    """

    reader: Reader
    question: Question
    why_not: Reason | None
    lent: tuple[Lent, ...]
    may_end: bool
    today: date
    given: Lent | None = None


def show_lending(db: Database, token: str, now: datetime) -> LendingPage:
    """Return what the page for lending shows. Raises LinkUnknown, or LinkVoid when a newer mail took its place."""
    return _shown(db, token, now)


def delegate_by_link(db: Database, keys: Sequence[bytes], token: str, form: LendingForm, now: datetime) -> LendingPage:
    """Lend the voice of whoever a link belongs to, for whole days; everything they are asked, here and elsewhere.

    The same again returns what was given. Raises what by_link and `delegate` raise, and InvalidInput when it cannot be
    lent by this link.
    """

    def change(asked: Asked) -> int:
        _refuse(asked.ws, asked.gate, asked.request)
        term = _read_term(form, reader_of(asked.ws, asked.request.person).time_zone)
        session, person = asked.ws.session, asked.request.person
        repeated = _repeated(session, person, form.to, term, now)
        return repeated.id if repeated else give(session, person, form.to, term, asked.ws.actor, now)

    given = by_link(db, keys, token, form.code, now, change)
    apply_delegation(db, keys, given, now)
    return _shown(db, token, now, given)


def end_by_link(
    db: Database, keys: Sequence[bytes], token: str, delegation_id: int, code: str, now: datetime
) -> LendingPage:
    """End a delegation of whoever a link belongs to. Raises what by_link and `end_delegation` raise."""

    def change(asked: Asked) -> None:
        if asked.request.state is RequestState.VOID:  # its code was not asked for
            raise InvalidInput(Reason(_VOID))
        end(asked.ws.session, delegation_id, asked.ws.actor, now)

    by_link(db, keys, token, code, now, change)
    take_back(db, keys, delegation_id, now)
    return show_lending(db, token, now)


_VOID = "This link no longer counts; open one that still asks you something."


def _refuse(ws: Workspace, gate: GateRow, request: Request) -> None:
    if reason := _why_not(ws, gate, request):
        raise InvalidInput(reason)


def _why_not(ws: Workspace, gate: GateRow, request: Request) -> Reason | None:
    if request.on_behalf_of:
        return Reason("You are asked here in the place of somebody else, and what was lent to you is not lent on.")
    if request.purpose not in LENT or not getattr(ws.planned_gate(gate), "delegates", True):
        return Reason("Here nobody can answer for somebody else.")
    if request.state is not RequestState.OPEN:
        return Reason(_VOID)
    return None


def _read_term(form: LendingForm, time_zone: str) -> Term:
    first, last = read_day(form.first), read_day(form.last)
    if first is None or last is None:
        write = Reason("Write a date like 2026-03-31.")
        wrong = {name: write for name, day in (("from", first), ("until", last)) if day is None}
        raise InvalidInput(write, wrong)
    return whole_days(first, last, time_zone)


def _repeated(session: Session, person: str, to: str, term: Term, now: datetime) -> Delegation | None:
    """A form that is sent twice, or sent again by a browser, has been heard already."""
    for one in session.scalars(delegations_of(person)):
        begun = one.starts_at <= now and term.starts_at <= now
        same = one.delegate == to.strip().lower() and one.term.ends_at == term.ends_at
        if same and (begun or one.starts_at == term.starts_at):
            return one
    return None


def _shown(db: Database, token: str, now: datetime, given: int = 0) -> LendingPage:
    with db.read() as session:
        request = session.get_one(Request, find_link(session, token).request_id)
        return _page(Workspace(session, (), session.get_one(Rollout, request.rollout_id), now), request, given)


def _page(ws: Workspace, request: Request, given: int) -> LendingPage:
    reader = reader_of(ws, request.person)
    gate = ws.session.get_one(GateRow, request.gate_id)
    lent = _lent(ws, request.person, reader.time_zone)
    return LendingPage(
        reader=reader,
        question=question(ws, gate, request, reader),
        why_not=_why_not(ws, gate, request),
        lent=tuple(lent),
        may_end=request.state is not RequestState.VOID,
        today=Term(ws.now, ws.now).first_day(reader.time_zone),
        given=next((one for one in lent if one.id == given), None),
    )


def _lent(ws: Workspace, person: str, time_zone: str) -> list[Lent]:
    rows = [one for one in ws.session.scalars(delegations_of(person)) if one.term.ends_at > ws.now]
    return [
        Lent(one.id, ws.session.get_one(Person, one.delegate).name, one.term.first_day(time_zone),
             one.term.last_day(time_zone))
        for one in rows
    ]  # fmt: skip
