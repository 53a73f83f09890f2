"""Calendar feeds: where somebody's is, and whose an address is. Read only."""

from __future__ import annotations

import hmac
from collections.abc import Sequence

from sqlalchemy.orm import Session

from domain import links
from domain.errors import FeedUnknown
from models.people import Person, feeds


def address_of(keys: Sequence[bytes], base_url: str, person: Person) -> str:
    """Return the address of somebody's calendar feed, by the first key."""
    return f"{base_url}/calendar/{links.feed_token(keys[0], person.email, person.feed_number)}.ics"


def owner_of(session: Session, keys: Sequence[bytes], token: str) -> Person:
    """Return whose feed this is. Raises FeedUnknown: nobody's, an older one, or of somebody who is gone.

    No token is kept, so everybody's is made again and compared; how long that takes is in
    docs/adr/0012-calendars-and-chat.md.
    """
    if links.looks_like_token(token):
        for email, number in session.execute(feeds()):
            for key in keys:
                if hmac.compare_digest(links.feed_token(key, email, number), token):
                    return session.get_one(Person, email)
    raise FeedUnknown
