"""Who lends their voice to whom, and for how long."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Index, Select, exists, or_, select
from sqlalchemy.orm import Mapped, mapped_column

from domain.delegation import Term
from models.base import Address, Base
from models.reading import prepared
from models.requests import ASKED_IN_PLACE, Purpose, Request, RequestState

LENT = frozenset({Purpose.DECIDE, Purpose.ANSWER, Purpose.MEASURE})
"""What somebody else can be asked in one's place. Having read a text cannot be lent."""


class Delegation(Base):
    """One person lends their voice to another, from `starts_at` until `ends_at` (UTC, not included): one hop.

    `applied_at` is when what is asked already was last looked through, `ended_at` when what was asked by it was taken
    back; `revoked_at` is when somebody ended it early.
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
    ended_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]

    @property
    def term(self) -> Term:
        """From when until when it holds; what was ended early holds until then."""
        return Term(self.starts_at, min(self.ends_at, self.revoked_at or self.ends_at))


_HOLDS = Delegation.revoked_at.is_(None)
Index("ix_delegations_ends_at", Delegation.ends_at, sqlite_where=_HOLDS, postgresql_where=_HOLDS)


@prepared
def delegations_now(now: datetime) -> Select[Delegation]:
    """The delegations that hold at this moment, oldest first."""
    return (
        select(Delegation)
        .where(Delegation.starts_at <= now, Delegation.ends_at > now, Delegation.revoked_at.is_(None))
        .order_by(Delegation.id)
    )


@prepared
def delegations_now_by(people: Collection[str], now: datetime) -> Select[Delegation]:
    """The delegations by these people that hold at this moment, oldest first."""
    return delegations_now(now).where(Delegation.delegator.in_(people))


@prepared
def delegations_over(now: datetime) -> Select[Delegation]:
    """The delegations that have ended, and what was asked by them was not looked through since."""
    over = or_(Delegation.ends_at <= now, Delegation.revoked_at.is_not(None))
    return select(Delegation).where(over, Delegation.ended_at.is_(None)).order_by(Delegation.id)


def delegations_of(person: str) -> Select[Delegation]:
    """Every delegation somebody has given, oldest first."""
    return select(Delegation).where(Delegation.delegator == person).order_by(Delegation.id)


def delegation_locked(delegation_id: int) -> Select[Delegation]:
    """One delegation, locked until the transaction ends."""
    return select(Delegation).where(Delegation.id == delegation_id).with_for_update()


def delegations() -> Select[Delegation]:
    """Every delegation ever given, oldest first."""
    return select(Delegation).order_by(Delegation.id)


def rollouts_asking(people: Collection[str]) -> Select[str, str]:
    """Each of these people with each rollout in which they are asked something that can be lent."""
    return (
        select(Request.person, Request.rollout_id)
        .where(
            Request.person.in_(people),
            Request.state == RequestState.OPEN,
            Request.on_behalf_of == "",
            Request.purpose.in_(LENT),
        )
        .distinct()
        .order_by(Request.rollout_id, Request.person)
    )


@prepared
def rollouts_asking_in_vain(now: datetime) -> Select[str]:
    """The rollouts in which somebody is asked in another one's place though no delegation holds any more."""
    holds = exists().where(
        Delegation.delegator == Request.on_behalf_of,
        Delegation.delegate == Request.person,
        Delegation.starts_at <= now,
        Delegation.ends_at > now,
        Delegation.revoked_at.is_(None),
    )
    return (
        select(Request.rollout_id)
        .where(Request.state == RequestState.OPEN, ASKED_IN_PLACE, ~holds)
        .distinct()
        .order_by(Request.rollout_id)
    )
