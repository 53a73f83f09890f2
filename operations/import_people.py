"""Import the directory file. What it drops is marked as gone, never deleted; what comes back is present again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from models.database import Database
from models.people import Person, RoleHolder, all_holders, all_people
from plans.directory import Directory, PersonEntry


@dataclass(frozen=True)
class Imported:
    """What an import changed: how many people are present now, and how many of them are new or went."""

    present: int
    new: int
    gone: int


def import_people(db: Database, directory: Directory, now: datetime) -> Imported:
    """Make the stored directory what the file says, in one transaction."""
    people, roles = directory.people, directory.roles
    with db.write() as session:
        known = {person.email: person for person in session.scalars(all_people())}
        new = [entry for entry in people if entry.email not in known or known[entry.email].gone_at is not None]
        for entry in people:
            _put(session, known.get(entry.email), entry)
        listed = {entry.email for entry in people}
        dropped = [person for email, person in known.items() if email not in listed]
        went = [person for person in dropped if person.gone_at is None]
        for person in went:
            person.gone_at = now
        _put_roles(session, roles, now)
        return Imported(len(people), len(new), len(went))


def _put(session: Session, person: Person | None, entry: PersonEntry) -> None:
    if person is None:
        person = Person(email=entry.email)
        session.add(person)
    person.name, person.language, person.time_zone = entry.name, entry.language, entry.time_zone
    person.holidays, person.assistant, person.gone_at = entry.holidays, entry.assistant, None
    person.chat = entry.chat


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
