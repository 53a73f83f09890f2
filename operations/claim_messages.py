"""Take messages out of the outbox to deliver them. A lease, not a lock: a relay that dies gives them back by itself."""

from __future__ import annotations

from datetime import datetime, timedelta

from models.database import Database
from models.outbox import Message, messages_due

LEASE = timedelta(minutes=2)


def claim_messages(db: Database, now: datetime, limit: int = 50) -> list[Message]:
    """Return mails that are due and that nobody else delivers until the lease ends."""
    with db.write() as session:
        messages = list(session.scalars(messages_due(now, limit)))
        for message in messages:
            message.leased_until = now + LEASE
        return messages
