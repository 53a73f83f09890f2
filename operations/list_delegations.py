"""List who has lent their voice to whom, as facts, for the command line and the API. Read only."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from domain.delegation import why_may_not_act_for
from domain.eligibility import normalise_address
from domain.errors import UnknownPerson
from domain.reasons import Reason
from models.database import Database
from models.delegations import Delegation, delegations
from models.people import Person
from operations.delegate import administrators_now


def list_delegations(db: Database, now: datetime, seen_by: str = "") -> list[dict[str, Any]]:
    """Return delegations, newest first: all of them, or those that the person `seen_by` has a part in or may end.

    Each is {id, state, delegator, delegate, starts_at, ends_at, first_day, last_day, given_by}: moments are ISO 8601 in
    UTC, days where the delegator lives; the state is to-come, holds, over, or ended (before its time).
    """
    with db.read() as session:
        rows = session.scalars(delegations()).all()
        lenders = {row.delegator: session.get_one(Person, row.delegator) for row in rows}
        administrators = administrators_now(session)
        seen = [row for row in rows if not seen_by or _sees(row, lenders[row.delegator], seen_by, administrators)]
        return [_facts(row, lenders[row.delegator].time_zone, now) for row in reversed(seen)]


def _sees(row: Delegation, lender: Person, person: str, administrators: Collection[str]) -> bool:
    if person in (row.delegate, row.given_by):
        return True
    return why_may_not_act_for(row.delegator, person, lender.assistant, administrators) is None


def _facts(row: Delegation, time_zone: str, now: datetime) -> dict[str, Any]:
    return {
        "id": row.id,
        "state": _state(row, now),
        "delegator": row.delegator,
        "delegate": row.delegate,
        "starts_at": row.starts_at.isoformat(),
        "ends_at": row.term.ends_at.isoformat(),
        "first_day": row.term.first_day(time_zone).isoformat(),
        "last_day": row.term.last_day(time_zone).isoformat(),
        "given_by": row.given_by,
    }


def _state(row: Delegation, now: datetime) -> str:
    if row.revoked_at is not None:
        return "ended"
    if row.term.holds(now):
        return "holds"
    return "to-come" if now < row.starts_at else "over"


def time_zone_of(db: Database, person: str) -> str:
    """Return the zone that somebody's days are reckoned in. Raises UnknownPerson."""
    email = normalise_address(person)
    with db.read() as session:
        found = session.get(Person, email)
    if found is None or found.gone_at is not None:
        raise UnknownPerson(Reason("{person} is not in the directory.", {"person": email}))
    return found.time_zone
