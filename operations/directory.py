"""Who holds which role in one rollout, and how a person wants to be written to. Read only."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from domain.plan import ADMINISTRATOR, OWNER, REQUESTER
from models.people import Person, holders_present, people_called
from models.reading import read_each, read_once
from models.rollouts import Rollout
from notifications.facts import Reader

_EXPECTED = "etappe.people expected"
MOST_EXPECTED = 50
"""Where more people than that hold roles, only those are read who are looked up."""
Holders = Mapping[str, list[str]]
"""Who holds each role, in the order of the directory file."""


@dataclass(frozen=True)
class Directory:
    """The directory as one rollout sees it."""

    holders: Holders

    @classmethod
    def load(cls, session: Session, rollout: Rollout) -> Directory:
        """Read the roles now held, with the people given when the rollout was started over them."""
        directory = cls.of(holders_now(session), rollout)
        holders = {address for people in directory.holders.values() for address in people}
        if len(holders) <= MOST_EXPECTED:
            session.info[_EXPECTED] = holders
        return directory

    @classmethod
    def of(cls, holders: Holders, rollout: Rollout) -> Directory:
        """Put the people given when a rollout was started over the directory's; that makes nobody an administrator."""
        given = {role: people for role, people in rollout.people.items() if role != ADMINISTRATOR}
        return cls({**holders, **given, REQUESTER: [rollout.requester], OWNER: [rollout.owner]})

    def resolve(self, entry: str) -> list[str]:
        """Return the addresses behind a role, or the address itself. Nobody: an empty list."""
        return [entry.strip().lower()] if "@" in entry else self.holders.get(entry, [])

    def resolve_all(self, entries: Sequence[str]) -> dict[str, list[str]]:
        """Return for each role or address who is behind it."""
        return {entry: self.resolve(entry) for entry in entries}

    def people(self, entries: Sequence[str]) -> list[str]:
        """Return everybody behind these roles or addresses, each once, in order."""
        return list(dict.fromkeys(address for entry in entries for address in self.resolve(entry)))


def holders_now(session: Session) -> Holders:
    """Read who holds which role now."""
    holders: dict[str, list[str]] = {}
    for holder in read_once(session, holders_present):
        holders.setdefault(holder.role, []).append(holder.email)
    return holders


def readers(session: Session, addresses: Collection[str], rollout: Rollout, time_zone: str) -> dict[str, Reader]:
    """Return how to write to each address; one that is not in the directory gets the rollout's language and zone."""
    known = in_directory(session, addresses)
    return {address: _reader(address, known.get(address), rollout.language, time_zone) for address in addresses}


def in_directory(session: Session, addresses: Collection[str]) -> dict[str, Person]:
    """Return who of these is in the directory, gone or not.

    With the first of them all are read who hold a role in the rollout: somebody else of them will be looked up soon.
    """
    wanted = set(addresses)
    asked = wanted.union(session.info.pop(_EXPECTED, ()))
    found = read_each(session, people_called, [(frozenset((address,)),) for address in asked])
    people = (person for some in found.values() for person in some)
    return {person.email: person for person in people if person.email in wanted}


def _reader(address: str, person: Person | None, language: str, time_zone: str) -> Reader:
    if person is None:
        return Reader(address, address, language, time_zone)
    return Reader(address, person.name, person.language, person.time_zone)
