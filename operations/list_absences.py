"""List who is away or will be, and whose calendar is read, as facts, for the command line and the API. Read only."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy.orm import Session

from domain.absence import why_may_not_enter
from models.absences import Absence, absences_not_over
from models.database import Database
from models.delegations import Delegation
from models.people import Person, people_present
from operations.delegate import administrators_now


def list_absences(db: Database, now: datetime, person: str = "", seen_by: str = "") -> list[dict[str, Any]]:
    """Return the absences that are not over, the next one first: everybody's, or those of one `person`.

    Each is {id, state, person, delegate, starts_at, ends_at, first_day, last_day, source, entered_by}: moments are ISO
    8601 in UTC, days where the person lives; the state is to-come or away; `delegate` is None where nobody answers by
    it; the source is said or calendar. With `seen_by`, only those that this person may enter and end.
    """
    with db.read() as session:
        rows = [row for row in session.scalars(absences_not_over(now)) if person in ("", row.person)]
        people = {row.person: session.get_one(Person, row.person) for row in rows}
        administrators = administrators_now(session)
        seen = [row for row in rows if not seen_by or _may(people[row.person], seen_by, administrators)]
        return [_facts(session, row, people[row.person].time_zone, now) for row in seen]


def list_calendars(db: Database, person: str = "") -> list[dict[str, Any]]:
    """Return whose calendar is read: {person, host, read_at, problem}. The address itself is a secret of theirs."""
    with db.read() as session:
        named = [one for one in session.scalars(people_present()) if one.calendar_url and person in ("", one.email)]
    return [
        {
            "person": one.email,
            "host": urlsplit(one.calendar_url or "").hostname,
            "read_at": one.calendar_read_at.isoformat() if one.calendar_read_at else None,
            "problem": one.calendar_problem,
        }
        for one in named
    ]


def _may(person: Person, by: str, administrators: Collection[str]) -> bool:
    return why_may_not_enter(person.email, by, person.assistant, administrators) is None


def _facts(session: Session, row: Absence, time_zone: str, now: datetime) -> dict[str, Any]:
    return {
        "id": row.id,
        "state": "away" if row.term.holds(now) else "to-come",
        "person": row.person,
        "delegate": _delegate(session, row, now),
        "starts_at": row.starts_at.isoformat(),
        "ends_at": row.ends_at.isoformat(),
        "first_day": row.term.first_day(time_zone).isoformat(),
        "last_day": row.term.last_day(time_zone).isoformat(),
        "source": row.source.value,
        "entered_by": row.entered_by,
    }


def _delegate(session: Session, row: Absence, now: datetime) -> str | None:
    delegation = session.get(Delegation, row.delegation_id) if row.delegation_id else None
    return delegation.delegate if delegation and delegation.term.ends_at > now else None
