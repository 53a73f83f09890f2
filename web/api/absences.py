"""Being away, by API: who is, entering and ending it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from fastapi import APIRouter
from pydantic import Field

from domain.errors import UnknownAbsence
from operations.be_away import be_away
from operations.come_back import come_back
from operations.list_absences import list_absences
from web.api.bodies import AbsenceBody
from web.api.caller import Caller, Me, TakesJson
from web.api.days import Number, numbered, person_and_term
from web.api.facts import Facts

router = APIRouter(prefix="/absences", tags=["absences"])


class AbsenceFacts(Facts):
    """Who is away, for how long, and who answers for them."""

    id: int
    state: str = Field(description="to-come, or away")
    person: str
    delegate: str | None = Field(description="Who answers for them by it")
    starts_at: datetime
    ends_at: datetime
    first_day: date = Field(description="Where the person lives")
    last_day: date
    source: str = Field(description="said, or calendar: read from the person's iCalendar")
    entered_by: str


@router.get("", response_model=list[AbsenceFacts])
def list_(me: Me) -> Any:
    """List the absences that are not over and that you may end, the next one first; an administrator sees all."""
    return list_absences(me.db, me.now, seen_by=me.address)


@router.post("", response_model=AbsenceFacts, status_code=201, dependencies=[TakesJson])
def enter(me: Me, body: AbsenceBody) -> Any:
    """Say that you are away for some days, or, as an assistant or administrator, that somebody else is."""
    person, term = person_and_term(me, body)
    number = be_away(me.db, me.keys, person, term, body.delegate, me.actor, me.now)
    return _one(me, number)


@router.post("/{number}/end", response_model=list[AbsenceFacts])
def end(me: Me, number: Number) -> Any:
    """End an absence before its time, and the delegation that was given with it. Returns those that are left."""
    _one(me, number)
    come_back(me.db, me.keys, number, me.actor, me.now)
    return list_absences(me.db, me.now, seen_by=me.address)


def _one(me: Caller, number: int) -> dict[str, Any]:
    """Return one absence that is not over; for strangers there is none."""
    return numbered(list_absences(me.db, me.now, seen_by=me.address), number, UnknownAbsence)
