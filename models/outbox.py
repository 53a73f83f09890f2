"""Messages stored with the change that caused them, until the relay has delivered them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, Select, String, Text, and_, false, func, or_, select
from sqlalchemy.orm import Mapped, mapped_column

from domain.mail_times import Occasion
from models.base import Address, Base, Name, RolloutId, state_column
from models.rollouts import Rollout

_BY_THE_CLOCK = [occasion for occasion in Occasion if occasion.by_the_clock]
_CLAIMING = 4_386_001  # a number of our own among PostgreSQL's advisory locks


class MessageState(StrEnum):
    """Where a message stands."""

    PENDING = "pending"
    SENT = "sent"
    DROPPED = "dropped"  # no longer true when its turn came, such as a request that was void by then
    DEAD = "dead"  # refused for good; the rollout's owner is told


class Message(Base):
    """One mail to one person. `topic` names the typed message (operations/compose_message.py knows them all)."""

    __tablename__ = "messages"
    __table_args__ = (
        Index("ix_messages_state_due_at", "state", "due_at"),
        Index("ix_messages_recipient_state_settled_at", "recipient", "state", "settled_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    dedup_key: Mapped[str] = mapped_column(String(200), unique=True)
    rollout_id: Mapped[RolloutId | None] = mapped_column(ForeignKey(Rollout.id), index=True)
    recipient: Mapped[Address]
    topic: Mapped[Name]
    facts: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    occasion: Mapped[Occasion] = mapped_column(state_column(Occasion), server_default=Occasion.EVENT)
    urgent: Mapped[bool] = mapped_column(default=False, server_default=false())
    state: Mapped[MessageState] = mapped_column(state_column(MessageState), default=MessageState.PENDING)
    due_at: Mapped[datetime]  # not before; moved on by every failed try
    wanted_at: Mapped[datetime | None]  # when it was first to be delivered, where that is later than `created_at`
    leased_until: Mapped[datetime | None]
    tries: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]

    @property
    def by_the_clock(self) -> bool:
        """Whether nothing but time that has gone by is the reason."""
        return self.occasion.by_the_clock


def one_relay_at_a_time() -> Select[Any]:
    """On PostgreSQL, wait until no other transaction that has said so is under way; on SQLite there is none.

    Rows that are passed over because somebody else locks them (SKIP LOCKED) would tear one person's digest in two.
    """
    return select(func.pg_advisory_xact_lock(_CLAIMING))


def messages_due(now: datetime, limit: int) -> Select[Message]:
    """The first messages to deliver now that nobody else is delivering, and all others due for their readers."""
    due = and_(
        Message.state == MessageState.PENDING,
        Message.due_at <= now,
        or_(Message.leased_until.is_(None), Message.leased_until <= now),
    )
    first = select(Message.recipient).where(due).order_by(Message.due_at, Message.id).limit(limit)
    return (
        select(Message)
        .where(due, Message.recipient.in_(first))
        .order_by(Message.due_at, Message.id)
        .with_for_update(skip_locked=True)
    )


def sent_by_the_clock(
    people: Collection[str], since: datetime, now: datetime
) -> Select[str, datetime | None, datetime | None]:
    """To whom of these people a mail by the clock was sent after `since`, and when; or until when one is leased."""
    sent = and_(Message.state == MessageState.SENT, Message.settled_at > since)
    leased = and_(Message.state == MessageState.PENDING, Message.leased_until > now)
    return (
        select(Message.recipient, func.max(Message.settled_at), func.max(Message.leased_until))
        .where(Message.recipient.in_(people), Message.occasion.in_(_BY_THE_CLOCK), or_(sent, leased))
        .group_by(Message.recipient)
    )


def next_message_due(now: datetime) -> Select[datetime | None]:
    """When the next pending message is due that nobody delivers at this moment."""
    free = or_(Message.leased_until.is_(None), Message.leased_until <= now)
    return select(func.min(Message.due_at)).where(Message.state == MessageState.PENDING, free)


def messages_of(rollout_id: str) -> Select[Message]:
    """Every message about a rollout."""
    return select(Message).where(Message.rollout_id == rollout_id).order_by(Message.id)


def message_counts() -> Select[str, int]:
    """How many messages wait, and how many are dead: those that are not settled well."""
    open_states = (MessageState.PENDING, MessageState.DEAD)
    return select(Message.state, func.count()).where(Message.state.in_(open_states)).group_by(Message.state)


def told_already(keys: Collection[str]) -> Select[str]:
    """Which of these dedup keys the outbox has taken before."""
    return select(Message.dedup_key).where(Message.dedup_key.in_(keys))
