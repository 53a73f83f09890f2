"""List who has lent their voice to whom, as facts, for the command line and the API. Read only."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from domain.eligibility import normalise_address
from domain.errors import UnknownPerson
from domain.reasons import Reason
from models.database import Database
from models.delegations import Delegation, delegations
from models.people import Person


def list_delegations(db: Database, now: datetime) -> list[dict[str, Any]]:
    """Return every delegation, newest first.

    Each is {id, state, delegator, delegate, starts_at, ends_at, first_day, last_day, given_by}: moments are ISO 8601 in
    UTC, days where the delegator lives; the state is to-come, holds, over, or ended (before its time).
    """
    with db.read() as session:
        rows = session.scalars(delegations()).all()
        zones = {row.delegator: session.get_one(Person, row.delegator).time_zone for row in rows}
        return [_facts(row, zones[row.delegator], now) for row in reversed(rows)]


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
