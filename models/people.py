"""The directory: people, and who holds which role. What an import drops is marked as gone, never deleted."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime

from sqlalchemy import Date, Index, Select, String, Text, and_, or_, select, type_coerce
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Address, Base, Name
from models.reading import prepared


class Person(Base):
    """Somebody who can be asked, or told."""

    __tablename__ = "people"

    email: Mapped[Address] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    language: Mapped[str] = mapped_column(String(2))
    time_zone: Mapped[str] = mapped_column(String(60))
    holidays: Mapped[str | None] = mapped_column(String(60))
    assistant: Mapped[Address | None]
    gone_at: Mapped[datetime | None]
    quiet: Mapped[str | None] = mapped_column(String(11))  # such as 19:00-07:00, where they live; None: no such hours
    morning: Mapped[str | None] = mapped_column(String(5))  # when their daily digest is wanted, such as 07:30
    chat: Mapped[str | None] = mapped_column(String(500))  # a name in ETAPPE_CHAT_URLS, or an address of apprise's
    calendar_url: Mapped[str | None] = mapped_column(String(500))  # an iCalendar that says when they are away
    calendar_read_at: Mapped[datetime | None]
    calendar_problem: Mapped[str | None] = mapped_column(Text)  # why it could not be read the last time
    feed_number: Mapped[int] = mapped_column(default=1, server_default="1")  # of the address of their own calendar feed


_HAS_A_CHAT = Person.chat.is_not(None)
Index("ix_people_chat", Person.email, sqlite_where=_HAS_A_CHAT, postgresql_where=_HAS_A_CHAT)


class Closure(Base):
    """Days on which the company is closed, both included: no business days, in whichever calendar."""

    __tablename__ = "closures"

    id: Mapped[int] = mapped_column(primary_key=True)
    first: Mapped[date] = mapped_column(Date)
    last: Mapped[date] = mapped_column(Date)
    title: Mapped[str] = mapped_column(String(200), default="")


class RoleHolder(Base):
    """One person in one role; `position` is their place in the file."""

    __tablename__ = "role_holders"

    role: Mapped[Name] = mapped_column(primary_key=True)
    email: Mapped[Address] = mapped_column(primary_key=True)
    position: Mapped[int]
    gone_at: Mapped[datetime | None]


def people_present() -> Select[Person]:
    """Everybody who is in the directory now."""
    return select(Person).where(Person.gone_at.is_(None)).order_by(Person.email)


def feeds() -> Select[str, int]:
    """The address of everybody who is present, and the number of their calendar feed."""
    return select(Person.email, Person.feed_number).where(Person.gone_at.is_(None))


@prepared
def chats() -> Select[str, str]:
    """Who is present and has a chat of their own, and where that is."""
    return (
        select(Person.email, type_coerce(Person.chat, String))
        .where(Person.gone_at.is_(None), Person.chat.is_not(None))
        .order_by(Person.email)
    )


def person_locked(email: str) -> Select[Person]:
    """Somebody in the directory, locked until the transaction ends: their delegations are given one after the other."""
    return select(Person).where(Person.email == email, Person.gone_at.is_(None)).with_for_update()


@prepared
def people_called(addresses: Collection[str]) -> Select[Person]:
    """The people with these addresses, gone or not."""
    return select(Person).where(Person.email.in_(addresses))


def calendars_to_read(read_before: datetime, failed_before: datetime) -> Select[Person]:
    """Those whose calendar was not read since, those first who have waited longest; sooner where it could not be."""
    tried = Person.calendar_read_at
    due = or_(tried.is_(None), tried <= read_before, and_(Person.calendar_problem.is_not(None), tried <= failed_before))
    return (
        select(Person)
        .where(Person.calendar_url.is_not(None), Person.gone_at.is_(None), due)
        .order_by(tried.is_not(None), tried, Person.email)
    )


def calendars_with_a_problem() -> Select[Person]:
    """Those whose calendar could not be read the last time."""
    return people_present().where(Person.calendar_url.is_not(None), Person.calendar_problem.is_not(None))


@prepared
def holders_present() -> Select[RoleHolder]:
    """Who holds which role now, in the order of the directory file."""
    return select(RoleHolder).where(RoleHolder.gone_at.is_(None)).order_by(RoleHolder.role, RoleHolder.position)


def all_people() -> Select[Person]:
    """Everybody ever imported."""
    return select(Person).order_by(Person.email)


def all_holders() -> Select[RoleHolder]:
    """Every role anybody ever held."""
    return select(RoleHolder).order_by(RoleHolder.role, RoleHolder.position)


@prepared
def closures() -> Select[Closure]:
    """When the company is closed."""
    return select(Closure).order_by(Closure.first, Closure.id)
