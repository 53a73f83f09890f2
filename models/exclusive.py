"""Which rollout may use a resource that only one may use at a time, and who waits for it: first come, first served."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, Select, select
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Name, RolloutId
from models.rollouts import Rollout, StageRow


class Resource(Base):
    """Something that only one rollout may use at a time. Its row is the lock for whoever takes a place in its queue."""

    __tablename__ = "resources"

    name: Mapped[Name] = mapped_column(primary_key=True)


class Claim(Base):
    """A stage's place in a resource's queue: in the order of their ids, and at most one of them `held` at a time."""

    __tablename__ = "claims"
    __table_args__ = (Index("ix_claims_rollout_id", "rollout_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    resource: Mapped[Name] = mapped_column(ForeignKey(Resource.name))
    rollout_id: Mapped[RolloutId] = mapped_column(ForeignKey(Rollout.id))
    stage_id: Mapped[int] = mapped_column(ForeignKey(StageRow.id), unique=True)
    claimed_at: Mapped[datetime]
    held_at: Mapped[datetime | None]
    released_at: Mapped[datetime | None]


_IS_HELD = Claim.held_at.is_not(None) & Claim.released_at.is_(None)
Index("ix_claims_held_once", Claim.resource, unique=True, sqlite_where=_IS_HELD, postgresql_where=_IS_HELD)
Index("ix_claims_queue", Claim.resource, Claim.id, sqlite_where=Claim.released_at.is_(None),
      postgresql_where=Claim.released_at.is_(None))  # fmt: skip


def resource_locked(name: str) -> Select[Resource]:
    """A resource, locked until the transaction ends."""
    return select(Resource).where(Resource.name == name).with_for_update()


def queue_of(resource: str) -> Select[Claim]:
    """Who holds a resource, and who waits for it, in order."""
    return select(Claim).where(Claim.resource == resource, Claim.released_at.is_(None)).order_by(Claim.id)


def claims_of(rollout_id: str) -> Select[Claim]:
    """The places that a rollout has in queues now."""
    return select(Claim).where(Claim.rollout_id == rollout_id, Claim.released_at.is_(None)).order_by(Claim.id)
