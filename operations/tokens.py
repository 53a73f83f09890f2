"""People's tokens for the API: made, revoked, listed, and found again by what a caller shows."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy.orm import Session

from domain import tokens, typed_text
from domain.eligibility import normalise_address
from domain.errors import InvalidInput, TokenRefused, UnknownPerson, UnknownToken
from domain.reasons import Reason
from models.access import ApiToken, all_tokens, token_with
from models.database import Database
from models.people import Person
from models.reading import ask

LONGEST_NAME = 100  # characters
LONGEST_LIFE = 3650  # days


@dataclass(frozen=True)
class MadeToken:
    """A token at the only moment at which it can be read."""

    id: int
    token: str
    person: str
    expires_at: datetime | None


class TokenState(StrEnum):
    """Whether a token opens anything."""

    VALID = "valid"
    REVOKED = "revoked"
    EXPIRED = "expired"
    GONE = "person gone"  # whom it acts for is not in the directory


def make_token(db: Database, person: str, name: str, now: datetime, days: int | None = None) -> MadeToken:
    """Make a token that acts for one person, for so many days or until it is revoked.

    Raises UnknownPerson for somebody who is not in the directory, InvalidInput without a name, or for too many days.
    """
    email, called = normalise_address(person), typed_text.clean_line(name, LONGEST_NAME)
    if not called:
        raise InvalidInput("A token needs a name that says what it is for, so that it can be told from others.")
    if days is not None and not 1 <= days <= LONGEST_LIFE:
        raise InvalidInput(f"A token holds for 1 to {LONGEST_LIFE} days, or until it is revoked.")
    token = tokens.written(secrets.token_bytes(tokens.SECRET_BYTES))
    expires_at = None if days is None else now + timedelta(days=days)
    with db.write() as session:
        if not _is_present(session, email):
            raise UnknownPerson(f"“{email}” is not in the directory; import them with `etappe people import`.")
        row = ApiToken(
            token_hash=tokens.token_hash(token), person=email, name=called, created_at=now, expires_at=expires_at
        )
        session.add(row)
        session.flush()
        return MadeToken(row.id, token, email, expires_at)


def revoke_token(db: Database, token_id: int, now: datetime) -> None:
    """Let a token open nothing from now on; one that was revoked stays so. Raises UnknownToken."""
    with db.write() as session:
        row = session.get(ApiToken, token_id)
        if row is None:
            raise UnknownToken(f"There is no token {token_id}; `etappe token list` shows them all.")
        row.revoked_at = row.revoked_at or now


def list_tokens(db: Database, now: datetime) -> list[dict[str, Any]]:
    """Return every token ever made, oldest first: id, person, name, state, created_at, expires_at, revoked_at."""
    with db.read() as session:
        return [
            {
                "id": row.id,
                "person": row.person,
                "name": row.name,
                "state": _state(session, row, now).value,
                "created_at": row.created_at.isoformat(),
                "expires_at": row.expires_at.isoformat() if row.expires_at else None,
                "revoked_at": row.revoked_at.isoformat() if row.revoked_at else None,
            }
            for row in session.scalars(all_tokens())
        ]


def person_of(db: Database, token: str, now: datetime) -> str:
    """Return the address of the person a token acts for. Raises TokenRefused, with the reason."""
    with db.read() as session:
        known = tokens.looks_like_token(token)
        row = ask(session, token_with, tokens.token_hash(token)).scalars().first() if known else None
        if row is None:
            raise TokenRefused(Reason("This token is not one of ours."))
        state = _state(session, row, now)
        if state is not TokenState.VALID:
            raise TokenRefused(_REFUSALS[state])
        return row.person


_REFUSALS = {
    TokenState.REVOKED: Reason("This token was revoked."),
    TokenState.EXPIRED: Reason("This token has expired."),
    TokenState.GONE: Reason("The person this token acts for is no longer in the directory."),
}


def _state(session: Session, row: ApiToken, now: datetime) -> TokenState:
    if row.revoked_at is not None:
        return TokenState.REVOKED
    if row.expires_at is not None and row.expires_at <= now:
        return TokenState.EXPIRED
    return TokenState.VALID if _is_present(session, row.person) else TokenState.GONE


def _is_present(session: Session, email: str) -> bool:
    person = session.get(Person, email)
    return person is not None and person.gone_at is None
