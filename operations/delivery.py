"""Which mails of a rollout have not arrived, so that somebody may not know what they should. Read only."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from domain.lateness import MAIL_MAY_WAIT, is_late
from models.outbox import Message, MessageState

_ASKS_ANEW = frozenset({"request", "escalation", "lapsed", "code"})
"""The topics that say something new to whoever is asked; a reminder says it again."""


def unaware(messages: Iterable[Message], now: datetime) -> dict[str, Message]:
    """Return the mail that somebody should have had and has not, by the id of the request that it is about.

    `messages` are a rollout's, oldest first. Whoever got a later one knows; what is on its way says nothing yet.
    """
    missed: dict[str, Message] = {}
    for message in messages:
        request_id = message.facts.get("request_id", "")
        if message.state is MessageState.SENT:
            missed.pop(request_id, None)
        elif message.topic in _ASKS_ANEW and has_not_arrived(message, now):
            missed[request_id] = message
    return missed


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
