"""Say by the link of a request that one is away, and perhaps who answers meanwhile, and end that: with its code.

It is entered as by the command (operations/be_away.py); what was lent without an absence can be ended here as well.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeVar

from domain.delegation import Term, read_day, whole_days
from domain.errors import InvalidInput
from domain.reasons import Reason
from models.absences import Absence, Source, absences_of
from models.database import Database
from models.delegations import LENT, Delegation, delegations_of
from models.gates import GateRow
from models.people import Person
from models.requests import Request, RequestState
from notifications.facts import Question, Reader
from operations import be_away, come_back
from operations.apply_delegations import take_back
from operations.asked import Asked
from operations.by_link import by_link
from operations.delegate import end
from operations.naming import reader_of
from operations.question import question
from operations.show_request import find_link
from operations.workspace import Workspace

_T = TypeVar("_T")


@dataclass(frozen=True)
class AwayForm:
    """What somebody typed: who answers ("" for nobody), the first and the last day, as ISO dates where they live."""

    to: str
    first: str
    last: str
    code: str


@dataclass(frozen=True)
class Away:
    """Days on which the reader is away. `name` is of whoever answers by it, "" where nobody does."""

    id: int
    name: str
    first: date
    last: date
    by_calendar: bool = False


@dataclass(frozen=True)
class Lent:
    """A delegation of the reader's, without an absence, that holds or is still to begin."""

    id: int
    name: str
    first: date
    last: date


@dataclass(frozen=True)
class AwayPage:
    """What somebody is shown who is away or will be. `why_not` is why they cannot say so by this link.

    `why_no_delegate` is why nobody can answer for them by it. `away` is what is known already, `entered` what they have
    just entered, `lent` what they have lent besides, `may_end` whether they can end that by this link, `today` the day
    where they live.
    """

    reader: Reader
    question: Question
    why_not: Reason | None
    why_no_delegate: Reason | None
    away: tuple[Away, ...]
    lent: tuple[Lent, ...]
    may_end: bool
    today: date
    entered: Away | None = None


def show_away(db: Database, token: str, now: datetime) -> AwayPage:
    """Return what the page shows. Raises LinkUnknown, or LinkVoid when a newer mail took its place."""
    return _shown(db, token, now)


def be_away_by_link(db: Database, keys: Sequence[bytes], token: str, form: AwayForm, now: datetime) -> AwayPage:
    """Enter that whoever a link belongs to is away, for whole days; it holds for everything they are asked anywhere.

    The same again returns what was entered. Raises what by_link and `be_away` raise, and InvalidInput when it cannot be
    said, or nobody can answer, by this link.
    """

    def change(asked: Asked) -> Absence:
        _refuse(_why_not(asked.request))
        if form.to.strip():
            _refuse(_why_no_delegate(asked.ws, asked.gate, asked.request))
        term = _read_term(form, reader_of(asked.ws, asked.request.person).time_zone)
        person, to = asked.request.person, form.to.strip()
        repeated = _repeated(asked.ws, person, to.lower(), term)
        return repeated or be_away.enter(asked.ws.session, person, term, to, asked.ws.actor, now)

    absence = by_link(db, keys, token, form.code, now, change)
    be_away.follow(db, keys, absence, now)
    return _shown(db, token, now, absence.id)


def come_back_by_link(
    db: Database, keys: Sequence[bytes], token: str, absence_id: int, code: str, now: datetime
) -> AwayPage:
    """End an absence of whoever a link belongs to. Raises what by_link and `come_back` raise."""
    ending = _unless_void(lambda asked: come_back.end_absence(asked.ws.session, absence_id, asked.ws.actor, now))
    come_back.follow(db, keys, by_link(db, keys, token, code, now, ending), now)
    return show_away(db, token, now)


def end_by_link(
    db: Database, keys: Sequence[bytes], token: str, delegation_id: int, code: str, now: datetime
) -> AwayPage:
    """End a delegation of whoever a link belongs to. Raises what by_link and `end_delegation` raise."""
    ending = _unless_void(lambda asked: end(asked.ws.session, delegation_id, asked.ws.actor, now))
    by_link(db, keys, token, code, now, ending)
    take_back(db, keys, delegation_id, now)
    return show_away(db, token, now)


_VOID = "This link no longer counts; open one that still asks you something."


def _unless_void(change: Callable[[Asked], _T]) -> Callable[[Asked], _T]:
    def checked(asked: Asked) -> _T:
        if asked.request.state is RequestState.VOID:  # its code was not asked for
            raise InvalidInput(Reason(_VOID))
        return change(asked)

    return checked


def _refuse(reason: Reason | None) -> None:
    if reason:
        raise InvalidInput(reason)


def _why_not(request: Request) -> Reason | None:
    if request.on_behalf_of:
        return Reason("You are asked here in the place of somebody else, and what was lent to you is not lent on.")
    return Reason(_VOID) if request.state is not RequestState.OPEN else None


def _why_no_delegate(ws: Workspace, gate: GateRow, request: Request) -> Reason | None:
    if request.purpose not in LENT or not getattr(ws.planned_gate(gate), "delegates", True):
        return Reason("Here nobody can answer for somebody else.")
    return None


def _read_term(form: AwayForm, time_zone: str) -> Term:
    first, last = read_day(form.first), read_day(form.last)
    if first is None or last is None:
        write = Reason("Write a date like 2026-03-31.")
        wrong = {name: write for name, day in (("from", first), ("until", last)) if day is None}
        raise InvalidInput(write, wrong)
    return whole_days(first, last, time_zone)


def _repeated(ws: Workspace, person: str, to: str, term: Term) -> Absence | None:
    """A form that is sent twice, or sent again by a browser, has been heard already."""
    for one in ws.session.scalars(absences_of(person, ws.now)):
        given = ws.session.get_one(Delegation, one.delegation_id).delegate if one.delegation_id else ""
        if one.source is Source.SAID and (one.starts_at, one.ends_at, given) == (term.starts_at, term.ends_at, to):
            return one
    return None


def _shown(db: Database, token: str, now: datetime, entered: int = 0) -> AwayPage:
    with db.read() as session:
        _, request, _, rollout = find_link(session, token)
        return _page(Workspace.to_look_at(session, rollout, now), request, entered)


def _page(ws: Workspace, request: Request, entered: int) -> AwayPage:
    reader = reader_of(ws, request.person)
    gate = ws.session.get_one(GateRow, request.gate_id)
    rows = ws.session.scalars(absences_of(request.person, ws.now)).all()
    away = [_away(ws, row, reader.time_zone) for row in rows]
    return AwayPage(
        reader=reader,
        question=question(ws, gate, request, reader),
        why_not=_why_not(request),
        why_no_delegate=_why_no_delegate(ws, gate, request),
        away=tuple(away),
        lent=_lent(ws, request.person, reader.time_zone, {row.delegation_id for row in rows}),
        may_end=request.state is not RequestState.VOID,
        today=Term(ws.now, ws.now).first_day(reader.time_zone),
        entered=next((one for one in away if one.id == entered), None),
    )


def _away(ws: Workspace, row: Absence, time_zone: str) -> Away:
    given = ws.session.get_one(Delegation, row.delegation_id) if row.delegation_id else None
    name = _name(ws, given.delegate) if given and given.term.ends_at > ws.now else ""
    first, last = row.term.first_day(time_zone), row.term.last_day(time_zone)
    return Away(row.id, name, first, last, row.source is Source.CALENDAR)


def _lent(ws: Workspace, person: str, time_zone: str, with_an_absence: set[int | None]) -> tuple[Lent, ...]:
    rows = [one for one in ws.session.scalars(delegations_of(person)) if one.term.ends_at > ws.now]
    return tuple(
        Lent(one.id, _name(ws, one.delegate), one.term.first_day(time_zone), one.term.last_day(time_zone))
        for one in rows
        if one.id not in with_an_absence
    )


def _name(ws: Workspace, address: str) -> str:
    return ws.session.get_one(Person, address).name
