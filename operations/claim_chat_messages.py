"""Take what is to be said in chats out of the outbox, by a lease as with mails (operations/claim_messages.py)."""

from __future__ import annotations

from datetime import datetime

from models.database import Database
from models.outbox import Message, chat_messages_due
from operations.claim_messages import LEASE


def claim_chat_messages(db: Database, now: datetime, limit: int = 50) -> list[Message]:
    """Return what is due in chats and that nobody else says until the lease ends."""
    with db.write() as session:
        messages = list(session.scalars(chat_messages_due(now, limit)))
        for message in messages:
            message.leased_until = now + LEASE
        return messages
