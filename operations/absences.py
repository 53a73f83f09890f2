"""Who is away at a moment, and until which day. Read only."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime

from sqlalchemy.orm import Session

from models.absences import Absence, absences_now_of
from models.people import Person
from models.reading import read_each


def away_now(session: Session, people: Collection[str], now: datetime) -> dict[str, Absence]:
    """Return who of these people is away at this moment (aware): person to the absence that lasts longest."""
    holding = read_each(session, absences_now_of, [(frozenset((person,)), now) for person in people])
    return {absences[0].person: absences[0] for absences in holding.values() if absences}


def away_until(session: Session, people: Collection[str], now: datetime) -> dict[str, date]:
    """Return who of these people is away at this moment, and their last day, where they live."""
    return {person: last_day_of(session, absence) for person, absence in away_now(session, people, now).items()}


def last_day_of(session: Session, absence: Absence) -> date:
    """Return the last day of an absence, where the person lives."""
    return absence.term.last_day(session.get_one(Person, absence.person).time_zone)
