"""Who is away, and until when: as they say it, or as their calendar does."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, Select, select
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Address, Base, state_column
from models.delegations import Delegation


class Source(StrEnum):
    """How an absence is known."""

    SAID = "said"  # somebody entered it
    CALENDAR = "calendar"  # read from the person's iCalendar; of that, only these days are kept


class Absence(Base):
    """One person is away from `starts_at` until `ends_at` (UTC, not included).

    `delegation_id` is the delegation that was given with it, None where nobody answers for them. `revoked_at` is when
    it was ended early, or was no longer in the calendar. `noticed_at` is when what waited already was looked through.
    """

    __tablename__ = "absences"
    __table_args__ = (Index("ix_absences_person_ends_at", "person", "ends_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    person: Mapped[Address]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    source: Mapped[Source] = mapped_column(state_column(Source), default=Source.SAID)
    delegation_id: Mapped[int | None] = mapped_column(ForeignKey(Delegation.id))
    entered_by: Mapped[Address]
    created_at: Mapped[datetime]
    noticed_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


def absences_now(now: datetime, people: Collection[str] | None = None) -> Select[Absence]:
    """The absences of these people (None: of everybody) that hold at this moment, those that last longest first."""
    holding = select(Absence).where(Absence.starts_at <= now, Absence.ends_at > now, Absence.revoked_at.is_(None))
    if people is not None:
        holding = holding.where(Absence.person.in_(people))
    return holding.order_by(Absence.ends_at.desc(), Absence.id)


def absences_of(person: str, now: datetime) -> Select[Absence]:
    """Somebody's absences that are not over, the next one first."""
    return (
        select(Absence)
        .where(Absence.person == person, Absence.ends_at > now, Absence.revoked_at.is_(None))
        .order_by(Absence.starts_at, Absence.id)
    )


def absences_not_over(now: datetime) -> Select[Absence]:
    """Everybody's absences that are not over, the next one first."""
    return (
        select(Absence)
        .where(Absence.ends_at > now, Absence.revoked_at.is_(None))
        .order_by(Absence.starts_at, Absence.id)
    )
