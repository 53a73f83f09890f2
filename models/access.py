"""What machines need to speak to Etappe: people's tokens for the API, and the signed calls that were taken once."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Delete, Index, Select, String, delete, select
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Address, Base
from models.reading import prepared


class ApiToken(Base):
    """A token that acts for one person of the directory, known by its SHA-256 alone."""

    __tablename__ = "api_tokens"

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    person: Mapped[Address] = mapped_column(index=True)
    name: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class SignedCall(Base):
    """A signed call that was taken, so that it is not taken again (Standard Webhooks: the message's id).

    `said` is the digest of what it said: the same once more is answered, something else is refused.
    """

    __tablename__ = "signed_calls"
    __table_args__ = (Index("ix_signed_calls_taken_at", "taken_at"),)

    key_name: Mapped[str] = mapped_column(String(60), primary_key=True)
    message_id: Mapped[str] = mapped_column(String(200), primary_key=True)
    said: Mapped[str] = mapped_column(String(64))
    taken_at: Mapped[datetime]


def signed_calls_before(moment: datetime) -> Delete:
    """Forget the calls that were taken before a moment."""
    return delete(SignedCall).where(SignedCall.taken_at < moment)


@prepared
def token_with(token_hash: str) -> Select[ApiToken]:
    """The token of this hash."""
    return select(ApiToken).where(ApiToken.token_hash == token_hash)


def all_tokens() -> Select[ApiToken]:
    """Every token ever made, oldest first."""
    return select(ApiToken).order_by(ApiToken.id)
