"""Import the directory file. Whom it drops is marked as gone, never deleted; who comes back is present again.

When the company is closed is what this file says: the closures of the one before are replaced.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from domain.plan import Closures
from models.database import Database
from models.people import Closure, Person, RoleHolder, all_holders, all_people, closures
from operations.set_calendar import name_calendar
from plans.directory import Directory, PersonEntry


@dataclass(frozen=True)
class Imported:
    """What an import came to: how many people are present now, how many are new or went, how many closures there are.

    `closures_before` is how many there were.
    """

    present: int
    new: int
    gone: int
    closures: int
    closures_before: int


def import_people(db: Database, directory: Directory, now: datetime) -> Imported:
    """Make the stored directory what the file says, in one transaction."""
    people, roles = directory.people, directory.roles
    with db.write() as session:
        known = {person.email: person for person in session.scalars(all_people())}
        new = [entry for entry in people if entry.email not in known or known[entry.email].gone_at is not None]
        for entry in people:
            person = _put(session, known.get(entry.email), entry)
            person.quiet, person.morning = directory.quiet_of(entry), directory.morning_of(entry)
        listed = {entry.email for entry in people}
        dropped = [person for email, person in known.items() if email not in listed]
        went = [person for person in dropped if person.gone_at is None]
        for person in went:
            person.gone_at = now
        _put_roles(session, roles, now)
        before = _put_closures(session, directory.closures)
        return Imported(len(people), len(new), len(went), len(directory.closures), before)


def _put(session: Session, person: Person | None, entry: PersonEntry) -> Person:
    if person is None:
        person = Person(email=entry.email)
        session.add(person)
    person.name, person.language, person.time_zone = entry.name, entry.language, entry.time_zone
    person.holidays, person.assistant, person.gone_at = entry.holidays, entry.assistant, None
    person.chat = entry.chat
    if entry.calendar:  # else the one that was named by `etappe people calendar` stays
        name_calendar(person, entry.calendar)
    return person


def _put_closures(session: Session, closed: Closures) -> int:
    """Return how many there were before."""
    before = session.scalars(closures()).all()
    for row in before:
        session.delete(row)
    session.add_all(Closure(first=one.first, last=one.last, title=one.title) for one in closed)
    return len(before)


def _put_roles(session: Session, roles: Mapping[str, Sequence[str]], now: datetime) -> None:
    session.flush()
    known = {(holder.role, holder.email): holder for holder in session.scalars(all_holders())}
    listed = {(role, email): place for role, emails in roles.items() for place, email in enumerate(emails)}
    for (role, email), place in listed.items():
        holder = known.get((role, email)) or RoleHolder(role=role, email=email)
        holder.position, holder.gone_at = place, None
        session.add(holder)
    for key, holder in known.items():
        if key not in listed and holder.gone_at is None:
            holder.gone_at = now
