"""Who is away, and until when: as they say it, or as their calendar does."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, Select, or_, select
from sqlalchemy.orm import Mapped, mapped_column

from domain.delegation import Term
from models.base import Address, Base, state_column
from models.delegations import Delegation
from models.reading import prepared
from models.requests import Request, RequestState


class Source(StrEnum):
    """How an absence is known."""

    SAID = "said"  # somebody entered it
    CALENDAR = "calendar"  # read from the person's iCalendar; of that, only these days are kept


class Absence(Base):
    """One person is away from `starts_at` until `ends_at` (UTC, not included).

    `delegation_id` is the delegation that was given with it, None where there was none. `revoked_at` is when somebody
    ended it early. `noticed_at` is when what waits was last looked through, `ended_at` when they were reminded of what
    they were not reminded of meanwhile.
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
    ended_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]

    @property
    def term(self) -> Term:
        """From when until when they are away; what was ended early holds until then."""
        return Term(self.starts_at, min(self.ends_at, self.revoked_at or self.ends_at))


_HOLDS = Absence.revoked_at.is_(None)
Index("ix_absences_ends_at", Absence.ends_at, sqlite_where=_HOLDS, postgresql_where=_HOLDS)


@prepared
def absences_now(now: datetime) -> Select[Absence]:
    """The absences that hold at this moment, those that last longest first."""
    return (
        select(Absence)
        .where(Absence.starts_at <= now, Absence.ends_at > now, Absence.revoked_at.is_(None))
        .order_by(Absence.ends_at.desc(), Absence.id)
    )


@prepared
def absences_now_of(people: Collection[str], now: datetime) -> Select[Absence]:
    """The absences of these people that hold at this moment, those that last longest first."""
    return absences_now(now).where(Absence.person.in_(people))


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


def absence_locked(absence_id: int) -> Select[Absence]:
    """One absence, locked until the transaction ends."""
    return select(Absence).where(Absence.id == absence_id).with_for_update()


@prepared
def absences_over(now: datetime) -> Select[Absence]:
    """The absences that are over, and whoever is back was not reminded since."""
    over = or_(Absence.ends_at <= now, Absence.revoked_at.is_not(None))
    return select(Absence).where(over, Absence.ended_at.is_(None)).order_by(Absence.id)


def absences_in_calendar(person: str, now: datetime) -> Select[Absence]:
    """What somebody's calendar said of days that are not over, also where they ended it early themself."""
    return (
        select(Absence)
        .where(Absence.person == person, Absence.source == Source.CALENDAR, Absence.ends_at > now)
        .order_by(Absence.starts_at, Absence.id)
    )


@prepared
def is_somebody_away(rollout_id: str, now: datetime) -> Select[int]:
    """The absences that hold now of people who are asked something in a rollout."""
    return (
        select(Absence.id)
        .join(Request, Request.person == Absence.person)
        .where(
            Request.rollout_id == rollout_id,
            Request.state == RequestState.OPEN,
            Absence.starts_at <= now,
            Absence.ends_at > now,
            Absence.revoked_at.is_(None),
        )
        .limit(1)
    )


def rollouts_asking_any(people: Collection[str]) -> Select[str]:
    """The rollouts in which any of these people are asked something."""
    return (
        select(Request.rollout_id)
        .where(Request.person.in_(people), Request.state == RequestState.OPEN)
        .distinct()
        .order_by(Request.rollout_id)
    )
