"""Who lends their voice to whom, and for how long."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, Select, select
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Address, Base


class Delegation(Base):
    """One person lends their voice to another, from `starts_at` until `ends_at` (UTC, not included): one hop.

    `applied_at` is when those already asked were last looked through; `revoked_at` is when it was taken back.
    """

    __tablename__ = "delegations"
    __table_args__ = (Index("ix_delegations_delegator", "delegator"), Index("ix_delegations_delegate", "delegate"))

    id: Mapped[int] = mapped_column(primary_key=True)
    delegator: Mapped[Address]
    delegate: Mapped[Address]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    given_by: Mapped[Address]
    created_at: Mapped[datetime]
    applied_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]  # when its requests were taken back
    revoked_at: Mapped[datetime | None]


def delegations_now(now: datetime) -> Select[Delegation]:
    """The delegations that hold at this moment, oldest first."""
    return (
        select(Delegation)
        .where(Delegation.starts_at <= now, Delegation.ends_at > now, Delegation.revoked_at.is_(None))
        .order_by(Delegation.id)
    )


def delegations_of(person: str) -> Select[Delegation]:
    """Every delegation somebody has given, oldest first."""
    return select(Delegation).where(Delegation.delegator == person).order_by(Delegation.id)
