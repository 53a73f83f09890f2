"""Messages stored with the change that caused them, until the relay has delivered them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ColumnElement, ForeignKey, Index, Select, String, Text, func, or_, select
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Address, Base, Name, RolloutId, state_column
from models.rollouts import Rollout


class MessageState(StrEnum):
    """Where a message stands."""

    PENDING = "pending"
    SENT = "sent"
    DROPPED = "dropped"  # no longer true when its turn came, such as a request that was void by then
    DEAD = "dead"  # refused for good; the rollout's owner is told


CHAT = "chat"
"""The topic of what goes to a chat service: to a channel's name, or to the own chat of a person's address."""


class Message(Base):
    """One mail to one person. `topic` names the typed message (operations/compose_message.py knows them all).

    What has the topic CHAT goes to a chat service instead, by a thread of its own (operations/compose_chat.py).
    """

    __tablename__ = "messages"
    __table_args__ = (
        Index("ix_messages_state_due_at", "state", "due_at"),
        Index("ix_messages_recipient_state", "recipient", "state"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    dedup_key: Mapped[str] = mapped_column(String(200), unique=True)
    rollout_id: Mapped[RolloutId | None] = mapped_column(ForeignKey(Rollout.id), index=True)
    recipient: Mapped[Address]
    topic: Mapped[Name]
    facts: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    state: Mapped[MessageState] = mapped_column(state_column(MessageState), default=MessageState.PENDING)
    due_at: Mapped[datetime]  # not before; moved on by every failed try
    wanted_at: Mapped[datetime | None]  # when it was first to be delivered, where that is later than `created_at`
    leased_until: Mapped[datetime | None]
    tries: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]


def messages_due(now: datetime, limit: int, *, chat: bool = False) -> Select[Message]:
    """The mails, or chat messages, to deliver now that nobody else is delivering.

    Rows locked by another relay are passed over.
    """
    return (
        select(Message)
        .where(
            Message.state == MessageState.PENDING,
            Message.due_at <= now,
            _goes_to(chat=chat),
            or_(Message.leased_until.is_(None), Message.leased_until <= now),
        )
        .order_by(Message.due_at, Message.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )


def next_message_due(now: datetime, *, chat: bool = False) -> Select[datetime | None]:
    """When the next pending mail, or chat message, is due that nobody delivers at this moment."""
    free = or_(Message.leased_until.is_(None), Message.leased_until <= now)
    return select(func.min(Message.due_at)).where(Message.state == MessageState.PENDING, free, _goes_to(chat=chat))


def _goes_to(*, chat: bool) -> ColumnElement[bool]:
    return Message.topic == CHAT if chat else Message.topic != CHAT


def dead_chat_messages(rollout_id: str, recipient: str) -> Select[Message]:
    """What could never be said about a rollout to a channel, or in somebody's chat."""
    return select(Message).where(
        Message.rollout_id == rollout_id,
        Message.recipient == recipient,
        Message.topic == CHAT,
        Message.state == MessageState.DEAD,
    )


def messages_of(rollout_id: str) -> Select[Message]:
    """Every message about a rollout."""
    return select(Message).where(Message.rollout_id == rollout_id).order_by(Message.id)


def message_counts() -> Select[str, int]:
    """How many messages are in each state."""
    return select(Message.state, func.count()).group_by(Message.state)
