"""Say at which address the calendar lies that says when somebody is away, or that there is none."""

from __future__ import annotations

from datetime import datetime

from domain.absence import why_no_calendar
from domain.eligibility import normalise_address
from domain.errors import InvalidInput
from models.database import Database
from models.people import Person
from operations.be_away import person_for
from operations.record_calendar import put_calendar
from operations.workspace import Actor


def set_calendar(db: Database, person: str, address: str, actor: Actor, now: datetime) -> None:
    """Read somebody's calendar at this https address from now on; "" for none, and what it said is forgotten.

    Raises UnknownPerson, NotAllowed when `actor` may not say so, or InvalidInput with the field calendar.
    """
    if address and (reason := why_no_calendar(address)):
        raise InvalidInput(reason, {"calendar": reason})
    with db.write() as session:
        found = person_for(session, normalise_address(person), actor)
        name_calendar(found, address or None)
        if not address:
            put_calendar(session, found, [], now)


def name_calendar(person: Person, address: str | None) -> None:
    """Put another address in the place of the old one; it is read soon, and until then what the old one said holds."""
    if person.calendar_url != address:
        person.calendar_url, person.calendar_read_at, person.calendar_problem = address, None, None
