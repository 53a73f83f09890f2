"""Say that somebody is away for some days, and perhaps who answers for them meanwhile.

Saying so is a transaction; what follows in the rollouts has one for each of them, under its lock. What a crash leaves
undone, the scheduled check does (operations/notice_absences.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from domain.absence import why_may_not_enter, why_not
from domain.delegation import Term
from domain.eligibility import normalise_address
from domain.errors import InvalidInput, NotAllowed, UnknownPerson
from domain.reasons import Fact, Reason
from models.absences import Absence
from models.database import Database
from models.people import Person, person_locked
from notifications import dedup
from operations.apply_delegations import apply_delegation
from operations.delegate import administrators_now, give
from operations.notice_absences import notice_absence
from operations.telling import tell_person, who_has_said_so
from operations.workspace import Actor


def be_away(
    db: Database, keys: Sequence[bytes], person: str, term: Term, delegate: str, actor: Actor, now: datetime
) -> int:
    """Enter an absence of somebody for a term (aware); `delegate` answers for them, "" for nobody. Returns its id.

    Whatever waits for them already is looked through at once when they are away now. Raises UnknownPerson, NotAllowed
    when `actor` may not say so, and InvalidInput with the fields from, until and to.
    """
    with db.write() as session:
        absence = enter(session, normalise_address(person), term, delegate, actor, now)
    follow(db, keys, absence, now)
    return absence.id


def enter(session: Session, person: str, term: Term, delegate: str, actor: Actor, now: datetime) -> Absence:
    """Store an absence in a transaction that has begun, with the delegation that goes with it."""
    of = person_for(session, person, actor)
    if reason := why_not(term, now):
        raise InvalidInput(reason, {"until": reason})
    given = give(session, person, delegate, term, actor, now) if delegate else None
    absence = Absence(
        person=person,
        starts_at=term.starts_at,
        ends_at=term.ends_at,
        delegation_id=given,
        entered_by=actor.address,
        created_at=now,
    )
    session.add(absence)
    session.flush()
    if given is None and actor.address != person:
        _tell(session, of, absence, now)
    return absence


def follow(db: Database, keys: Sequence[bytes], absence: Absence, now: datetime) -> None:
    """Do what follows from an absence that was entered: first the delegate is asked, then nobody waits in vain."""
    if absence.delegation_id is not None:
        apply_delegation(db, keys, absence.delegation_id, now)
    notice_absence(db, keys, absence, now)


def person_for(session: Session, person: str, actor: Actor) -> Person:
    """Return somebody, locked, whose absences the actor may enter and end. Raises UnknownPerson and NotAllowed."""
    found = session.scalars(person_locked(person)).one_or_none()
    if found is None:
        raise UnknownPerson(Reason("{person} is not in the directory.", {"person": person}))
    if reason := why_may_not_enter(person, actor.address, found.assistant, administrators_now(session)):
        raise NotAllowed(reason)
    return found


def _tell(session: Session, person: Person, absence: Absence, now: datetime) -> None:
    facts: dict[str, Fact] = {
        "first": absence.term.first_day(person.time_zone).isoformat(),
        "last": absence.term.last_day(person.time_zone).isoformat(),
        "person": person.email,
        "number": str(absence.id),
    }
    tell_person(
        session,
        now,
        person.email,
        dedup.absence(absence.id),
        Reason("You are entered as away from {first} until {last}", facts),
        [
            who_has_said_so(session, absence.entered_by),
            Reason(
                "Meanwhile others whom the plan names are asked where it cannot go on without you, "
                "and you get no reminders."
            ),
        ],
        [Reason("If that is wrong: etappe people back {person} {number}", facts)],
    )
