"""Which mails of a rollout have not arrived, so that somebody may not know what they should. Read only."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from domain.lateness import MAIL_MAY_WAIT, is_late
from models.outbox import Message, MessageState


def unaware(messages: Iterable[Message], now: datetime) -> dict[str, Message]:
    """Return the newest mail of each request whose newest mail has not arrived, by the request's id.

    `messages` are a rollout's, oldest first. What was dropped says nothing, nor what is on its way.
    """
    newest: dict[str, Message] = {}
    for message in messages:
        request_id = message.facts.get("request_id")
        if request_id and (message.state is MessageState.SENT or has_not_arrived(message, now)):
            newest[request_id] = message
    return {request_id: message for request_id, message in newest.items() if message.state is not MessageState.SENT}


def not_arrived(messages: Iterable[Message], now: datetime) -> list[Message]:
    """Return the mails that have not arrived, one for each person: the newest, unless a later one has reached them."""
    newest: dict[str, Message] = {}
    for message in messages:
        if message.state is MessageState.SENT or has_not_arrived(message, now):
            newest[message.recipient] = message
    return [message for message in newest.values() if message.state is not MessageState.SENT]


def has_not_arrived(message: Message, now: datetime) -> bool:
    """Whether a mail was refused for good, or waits for longer than one should."""
    if message.state is MessageState.DEAD:
        return True
    return message.state is MessageState.PENDING and is_late(waits_since(message), MAIL_MAY_WAIT, now)


def waits_since(message: Message) -> datetime:
    """Return since when a mail should have been delivered (UTC)."""
    return message.wanted_at or message.created_at
