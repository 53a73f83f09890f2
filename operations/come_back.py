"""Say that somebody is back before their absence is over; whoever answers for them by it no longer does."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from domain.eligibility import normalise_address
from domain.errors import InvalidInput, UnknownAbsence
from domain.reasons import Reason
from models.absences import Absence, absence_locked, absences_now_of
from models.database import Database
from models.delegations import Delegation
from operations.apply_delegations import take_back
from operations.be_away import person_for
from operations.delegate import end
from operations.notice_absences import welcome_back
from operations.workspace import Actor


def come_back(db: Database, keys: Sequence[bytes], absence_id: int, actor: Actor, now: datetime) -> None:
    """End an absence, also one that is still to come. An escalation that has happened because of it stays.

    Raises UnknownAbsence, NotAllowed when `actor` may not, or InvalidInput when it is over already.
    """
    with db.write() as session:
        absence = end_absence(session, absence_id, actor, now)
    follow(db, keys, absence, now)


def come_back_now(db: Database, keys: Sequence[bytes], person: str, actor: Actor, now: datetime) -> list[int]:
    """End whatever says that somebody is away now; returns the ids. Raises as `come_back` does, and UnknownPerson."""
    email = normalise_address(person)
    with db.write() as session:
        person_for(session, email, actor)
        holding = session.scalars(absences_now_of([email], now)).all()
        if not holding:
            raise InvalidInput(Reason("{person} is not away now.", {"person": email}))
        ended = [end_absence(session, absence.id, actor, now) for absence in holding]
    for absence in ended:
        follow(db, keys, absence, now)
    return [absence.id for absence in ended]


def end_absence(session: Session, absence_id: int, actor: Actor, now: datetime) -> Absence:
    """End an absence, and the delegation that was given with it, in a transaction that has begun."""
    absence = session.scalars(absence_locked(absence_id)).one_or_none()
    if absence is None:
        raise UnknownAbsence()
    person_for(session, absence.person, actor)
    if absence.term.ends_at <= now:
        raise InvalidInput(Reason("This absence is over already."))
    absence.revoked_at = now
    if absence.delegation_id and session.get_one(Delegation, absence.delegation_id).term.ends_at > now:
        end(session, absence.delegation_id, actor, now)
    return absence


def follow(db: Database, keys: Sequence[bytes], absence: Absence, now: datetime) -> None:
    """Do what follows from an absence that was ended."""
    if absence.delegation_id is not None:
        take_back(db, keys, absence.delegation_id, now)
    welcome_back(db, keys, absence, now)
