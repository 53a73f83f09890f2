"""Messages stored with the change that caused them, until the relay has delivered them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any, cast

from sqlalchemy import (
    JSON,
    ColumnElement,
    ForeignKey,
    Index,
    Select,
    String,
    Text,
    and_,
    bindparam,
    exists,
    false,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Mapped, aliased, mapped_column
from sqlalchemy.sql.dml import ReturningUpdate

from domain.mail_times import Occasion
from models.base import Address, Base, Name, RolloutId, state_column
from models.reading import prepared
from models.rollouts import Rollout

_BY_THE_CLOCK = [occasion for occasion in Occasion if occasion.by_the_clock]
_CLAIMING = 4_386_001  # a number of our own among PostgreSQL's advisory locks


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

    What has the topic CHAT goes to a chat service instead, by a thread of its own (operations/compose_chat.py). Where
    it speaks of a mail, its facts name that by its key under `beside`.
    """

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


_IS_WAITED_FOR = Message.topic.in_(("request", "escalation", "code", "lapsed"))


@prepared
def messages_due(now: datetime, limit: int) -> Select[Message]:
    """The first mails to deliver now that nobody else is delivering, and all others due for their readers.

    When there is much to deliver, what a rollout waits for comes before what was merely to be told.
    """
    due = and_(_free(now), Message.due_at <= now, Message.topic != CHAT)
    order = (_IS_WAITED_FOR.desc(), Message.due_at, Message.id)
    first = select(Message.recipient).where(due).order_by(*order).limit(limit)
    return select(Message).where(due, Message.recipient.in_(first)).order_by(*order).with_for_update(skip_locked=True)


@prepared
def is_anybody_to_be_asked(now: datetime) -> Select[bool]:
    """Whether a mail is due that a rollout waits for, and that nobody delivers at this moment."""
    return select(exists().where(_free(now), Message.due_at <= now, _IS_WAITED_FOR))


@prepared
def asking_due(now: datetime, limit: int) -> Select[Message]:
    """The first mails to deliver now that a rollout waits for; each of them goes alone."""
    return (
        select(Message)
        .where(_free(now), Message.due_at <= now, _IS_WAITED_FOR)
        .order_by(Message.due_at, Message.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )


@cache
def taking_punctual() -> ReturningUpdate[Message]:
    """Lease, `until` a moment, the first `most` of what a rollout waits for at a `moment`, written `since` another one.

    They are none by the clock, and were not tried before.
    """
    moment, most = cast("Any", bindparam("moment")), cast("Any", bindparam("most"))
    punctual = Message.created_at >= bindparam("since"), Message.tries == 0, Message.occasion.not_in(_BY_THE_CLOCK)
    taken = asking_due(moment, most).where(*punctual).with_only_columns(Message.id).cte("taken")
    return (
        update(Message)
        .where(Message.id.in_(select(taken.c.id)))
        .values(leased_until=bindparam("until"))
        .returning(Message)
        .execution_options(synchronize_session=False)
    )


@prepared
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


@prepared
def next_message_due(now: datetime) -> Select[datetime | None]:
    """When the next pending mail is due that nobody delivers at this moment."""
    return select(func.min(Message.due_at)).where(_free(now), Message.topic != CHAT)


def chat_messages_due(now: datetime, limit: int) -> Select[Message]:
    """What to say in chats now that nobody else is saying, as with `messages_due`."""
    return (
        select(Message)
        .where(_free(now), Message.due_at <= now, _may_be_said())
        .order_by(Message.due_at, Message.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )


@prepared
def next_chat_message_due(now: datetime) -> Select[datetime | None]:
    """When the next thing is due to be said in a chat that nobody says at this moment."""
    return select(func.min(Message.due_at)).where(_free(now), _may_be_said())


def _free(now: datetime) -> ColumnElement[bool]:
    lease_is_over = or_(Message.leased_until.is_(None), Message.leased_until <= now)
    return and_(Message.state == MessageState.PENDING, lease_is_over)


def _may_be_said() -> ColumnElement[bool]:
    """What speaks of a mail waits until that has gone out, and so keeps the same quiet hours without knowing them."""
    mail = aliased(Message)
    waits = select(mail.id).where(
        mail.dedup_key == Message.facts["beside"].as_string(), mail.state == MessageState.PENDING
    )
    return and_(Message.topic == CHAT, ~waits.exists())


def dead_chat_messages(rollout_id: str, recipient: str) -> Select[Message]:
    """What could never be said about a rollout to a channel, or in somebody's chat."""
    return select(Message).where(
        Message.rollout_id == rollout_id,
        Message.recipient == recipient,
        Message.topic == CHAT,
        Message.state == MessageState.DEAD,
    )


@prepared
def messages_of(rollout_id: str) -> Select[Message]:
    """Every message about a rollout."""
    return select(Message).where(Message.rollout_id == rollout_id).order_by(Message.id)


def message_counts() -> Select[str, int]:
    """How many messages wait, and how many are dead: those that are not settled well."""
    open_states = (MessageState.PENDING, MessageState.DEAD)
    return select(Message.state, func.count()).where(Message.state.in_(open_states)).group_by(Message.state)


@prepared
def told_already(keys: Collection[str]) -> Select[str]:
    """Which of these dedup keys the outbox has taken before."""
    return select(Message.dedup_key).where(Message.dedup_key.in_(keys))
