"""Whose calendar is to be read now, as facts for whoever reads it. Read only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from domain.absence import READ_AHEAD, Days
from models.database import Database
from models.people import Person, calendars_to_read

EVERY = timedelta(days=1)
AGAIN_AFTER = timedelta(hours=1)
"""One that could not be read is tried again sooner."""


@dataclass(frozen=True)
class CalendarLook:
    """One calendar that is to be read: of whom, at which address, for which days where they live."""

    person: str
    address: str
    time_zone: str
    window: Days


def calendars_due(db: Database, now: datetime) -> list[CalendarLook]:
    """Return the calendars to read at this moment (aware)."""
    with db.read() as session:
        people = session.scalars(calendars_to_read(now - EVERY, now - AGAIN_AFTER)).all()
    return [_look(person, person.calendar_url, now) for person in people if person.calendar_url]


def _look(person: Person, address: str, now: datetime) -> CalendarLook:
    today = now.astimezone(ZoneInfo(person.time_zone)).date()
    return CalendarLook(person.email, address, person.time_zone, Days(today, today + READ_AHEAD))
