"""Lending a voice, by API: who has lent whose to whom, giving and ending."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from fastapi import APIRouter
from pydantic import Field

from domain.errors import UnknownDelegation
from operations.delegate import delegate, end_delegation
from operations.list_delegations import list_delegations
from web.api.bodies import DelegationBody
from web.api.caller import Caller, Me, TakesJson
from web.api.days import Number, numbered, person_and_term
from web.api.facts import Facts

router = APIRouter(prefix="/delegations", tags=["delegations"])


class DelegationFacts(Facts):
    """Whose voice is lent to whom, and for how long."""

    id: int
    state: str = Field(description="to-come, holds, over, or ended before its time")
    delegator: str
    delegate: str
    starts_at: datetime
    ends_at: datetime
    first_day: date = Field(description="Where the delegator lives")
    last_day: date
    given_by: str


@router.get("", response_model=list[DelegationFacts])
def list_(me: Me) -> Any:
    """List the delegations that you gave, hold, or may end, newest first; an administrator sees all of them."""
    return list_delegations(me.db, me.now, seen_by=me.address)


@router.post("", response_model=DelegationFacts, status_code=201, dependencies=[TakesJson])
def give(me: Me, body: DelegationBody) -> Any:
    """Lend your voice for some days, or, as an assistant or administrator, somebody else's."""
    person, term = person_and_term(me, body)
    number = delegate(me.db, me.keys, person, body.to, term.starts_at, term.ends_at, me.actor, me.now)
    return _one(me, number)


@router.post("/{number}/end", response_model=DelegationFacts)
def end(me: Me, number: Number) -> Any:
    """End a delegation before its time; what is asked by it is taken back."""
    _one(me, number)
    end_delegation(me.db, me.keys, number, me.actor, me.now)
    return _one(me, number)


def _one(me: Caller, number: int) -> dict[str, Any]:
    """Return one delegation; for strangers there is none."""
    return numbered(list_delegations(me.db, me.now, seen_by=me.address), number, UnknownDelegation)
