"""Which rollout may use a resource that only one may use at a time, and who waits for it: first come, first served."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, Select, select, text
from sqlalchemy.orm import Mapped, aliased, mapped_column

from models.base import Base, Name, RolloutId
from models.reading import prepared
from models.rollouts import Rollout, StageRow


class Resource(Base):
    """Something that only one rollout may use at a time. Its row is the lock for whoever takes a place in its queue."""

    __tablename__ = "resources"

    name: Mapped[Name] = mapped_column(primary_key=True)


class Claim(Base):
    """A stage's place in a resource's queue, from `claimed_at` until `released_at`: first come, first served.

    Ids go upwards in the order of coming, since a place is taken under the resource's lock. `held_at` is when its turn
    came and the stage opened; only the first in a queue holds the resource. A stage has one place at a time.
    """

    __tablename__ = "claims"
    __table_args__ = (Index("ix_claims_rollout_id", "rollout_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    resource: Mapped[Name] = mapped_column(ForeignKey(Resource.name))
    rollout_id: Mapped[RolloutId] = mapped_column(ForeignKey(Rollout.id))
    stage_id: Mapped[int] = mapped_column(ForeignKey(StageRow.id))
    claimed_at: Mapped[datetime]
    held_at: Mapped[datetime | None]
    released_at: Mapped[datetime | None]


_IS_HELD = Claim.held_at.is_not(None) & Claim.released_at.is_(None)
Index("ix_claims_held_once", Claim.resource, unique=True, sqlite_where=_IS_HELD, postgresql_where=_IS_HELD)
_IS_IN_QUEUE = Claim.released_at.is_(None)
Index("ix_claims_one_place", Claim.stage_id, unique=True, sqlite_where=_IS_IN_QUEUE, postgresql_where=_IS_IN_QUEUE)
Index("ix_claims_queue", Claim.resource, Claim.id, sqlite_where=_IS_IN_QUEUE, postgresql_where=_IS_IN_QUEUE)


RESOURCE_ONCE = text("INSERT INTO resources (name) VALUES (:name) ON CONFLICT DO NOTHING")
"""Makes a resource known; somebody else may do so at the same moment."""


def resource_locked(name: str) -> Select[Resource]:
    """A resource, locked until the transaction ends."""
    return select(Resource).where(Resource.name == name).with_for_update()


@prepared
def queue_of(resource: str) -> Select[Claim]:
    """Who uses a resource, and who waits for it, in order."""
    return select(Claim).where(Claim.resource == resource, _IS_IN_QUEUE).order_by(Claim.id)


@prepared
def claims_of(rollout_id: str) -> Select[Claim]:
    """The places that a rollout has in queues now."""
    return select(Claim).where(Claim.rollout_id == rollout_id, _IS_IN_QUEUE).order_by(Claim.id)


@prepared
def claims_in_line() -> Select[int, str, str, datetime | None]:
    """Everybody's places in every queue, in order: their ids, the resource, the rollout, and since when it is held."""
    columns = (Claim.id, Claim.resource, Claim.rollout_id, Claim.held_at)
    return select(*columns).where(_IS_IN_QUEUE).order_by(Claim.resource, Claim.id)


@prepared
def rollouts_whose_turn_has_come() -> Select[str]:
    """The rollouts with a stage that is first in its queue and has not opened."""
    ahead = aliased(Claim)
    before = select(ahead.id).where(ahead.resource == Claim.resource, ahead.released_at.is_(None), ahead.id < Claim.id)
    first = select(Claim.rollout_id).where(_IS_IN_QUEUE, Claim.held_at.is_(None), ~before.exists())
    return first.order_by(Claim.resource, Claim.id)
