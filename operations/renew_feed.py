"""Say where somebody's calendar feed is, or give it a new address; the old one leads nowhere from then on."""

from __future__ import annotations

from collections.abc import Sequence

from domain.eligibility import normalise_address
from domain.errors import UnknownPerson
from domain.reasons import Reason
from models.database import Database
from models.people import person_locked
from operations.feeds import address_of


def renew_feed(db: Database, keys: Sequence[bytes], base_url: str, person: str, *, renew: bool = True) -> str:
    """Return the address of somebody's feed: a new one, or, without `renew`, the one it has.

    Raises UnknownPerson for somebody who is not in the directory, InvalidInput for what is no address.
    """
    email = normalise_address(person)
    with db.write() as session:
        found = session.scalars(person_locked(email)).one_or_none()
        if found is None:
            raise UnknownPerson(Reason("{person} is not in the directory.", {"person": email}))
        if renew:
            found.feed_number += 1
        return address_of(keys, base_url, found)
