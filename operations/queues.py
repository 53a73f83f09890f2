"""Who uses a resource that only one rollout may use at a time, and who waits for whom. Read only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from domain.reasons import Reason
from models.database import Database
from models.exclusive import Claim, claims_in_line, claims_of, queue_of
from models.reading import read_once
from models.rollouts import Rollout


@dataclass(frozen=True)
class Waiting:
    """A stage that waits for its turn at `resource`. `place` is 1 for the one that is next.

    `behind` is the rollout that came first; it has used the resource since `since` (UTC), or is about to when that is
    None. `behind` is None for the moment between the stage's turn having come and its opening.
    """

    resource: str
    place: int
    behind: Rollout | None
    since: datetime | None


@dataclass(frozen=True)
class Using:
    """A stage that uses `resource`, since when (UTC), and the rollouts that wait for it, the next one first."""

    resource: str
    since: datetime
    waiting: tuple[Rollout, ...]


def waiting_stages(session: Session, rollout_id: str) -> dict[int, Waiting]:
    """Return the stages of a rollout that wait for their turn, by the ids of their rows."""
    return {claim.stage_id: waiting(session, claim) for claim in _claims(session, rollout_id) if not claim.held_at}


def using_stages(session: Session, rollout_id: str) -> dict[int, Using]:
    """Return the stages of a rollout that use a resource, by the ids of their rows."""
    return {
        claim.stage_id: Using(
            claim.resource,
            claim.held_at,
            tuple(session.get_one(Rollout, other.rollout_id) for other in queue(session, claim.resource)[1:]),
        )
        for claim in _claims(session, rollout_id)
        if claim.held_at
    }


def waiting(session: Session, claim: Claim) -> Waiting:
    """Return what a claim that is not held waits for."""
    claims = queue(session, claim.resource)
    index = [each.id for each in claims].index(claim.id)
    first = claims[0]
    if index == 0:
        return Waiting(claim.resource, 1, None, None)
    place = index if first.held_at else index + 1
    return Waiting(claim.resource, place, session.get_one(Rollout, first.rollout_id), first.held_at)


def queue(session: Session, resource: str) -> Sequence[Claim]:
    """Return who is in a queue, in order, as it is now."""
    return session.scalars(queue_of(resource).execution_options(populate_existing=True)).all()


def _claims(session: Session, rollout_id: str) -> Sequence[Claim]:
    return read_once(session, claims_of, rollout_id)


def sentence(stage_title: str, waits: Waiting) -> Reason:
    """Say what a stage waits for."""
    facts: dict[str, str | int] = {"stage": stage_title, "resource": waits.resource, "place": waits.place}
    if waits.behind is None:
        return Reason("“{stage}” is next to use “{resource}”.", facts)
    facts |= {"title": waits.behind.title, "rollout": waits.behind.id}
    if waits.since is None:
        return Reason("“{stage}” waits for “{resource}”; “{title}” ({rollout}) is next. Place {place}.", facts)
    return Reason("“{stage}” waits for “{resource}”, used by “{title}” ({rollout}). Place {place}.", facts)


def lines(db: Database) -> dict[str, tuple[int, ...]]:
    """Return for each rollout that waits its claims and their places: they change when a queue moves."""
    places: Counter[str] = Counter()
    found: dict[str, tuple[int, ...]] = {}
    with db.read() as session:
        for claim_id, resource, rollout_id, held_at in session.execute(claims_in_line()):
            places[resource] += 1
            if held_at is None:
                found[rollout_id] = (*found.get(rollout_id, ()), claim_id, places[resource])
    return found
