"""Take messages out of the outbox to deliver them. A lease, not a lock: a relay that dies gives them back by itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from domain import mail_times
from domain.mail_times import APART, Hours
from domain.plan import Calendar
from models.database import Database
from models.outbox import (
    Message,
    asking_due,
    messages_due,
    one_relay_at_a_time,
    sent_by_the_clock,
    taking_punctual,
)
from models.rollouts import Rollout
from operations.calendars import company_closures
from operations.hours import hours_in_directory
from operations.kept_plans import plan_of

LEASE = timedelta(minutes=2)


def claim_messages(db: Database, now: datetime, limit: int = 50) -> list[Message]:
    """Return mails that are due and that nobody else delivers until the lease ends.

    What asks somebody comes first. Of whoever is among the readers of the first `limit` messages, all that are due:
    what can be said in one mail is not torn in two. What its reader should not get now after all is put off
    (domain/mail_times.py).
    """
    with db.write(telling=False) as session:
        return _claimed(session, _in_turn(session, db).scalars(messages_due(now, limit)).all(), now)


def claim_punctual(db: Database, now: datetime, limit: int = 50) -> list[Message]:
    """Return only mails that a rollout waits for, written a moment ago by their reader's hours; at most `limit`.

    These need no look at who else is written to, nor when: one statement takes them (see also `_are_punctual`).
    """
    values = {"moment": now, "since": now - mail_times.PUNCTUAL, "until": now + LEASE, "most": limit}
    with db.write_at_once(telling=False) as session:
        taken = session.scalars(taking_punctual(), values).all()
    return sorted(taken, key=lambda message: (message.due_at, message.id))


def claim_asking(db: Database, now: datetime, limit: int = 50) -> list[Message]:
    """Return only mails that a rollout waits for, at most `limit`; otherwise as `claim_messages`.

    Those written a moment ago come first, and by themselves.
    """
    if punctual := claim_punctual(db, now, limit):
        return punctual
    with db.write(telling=False) as session:
        return _claimed(session, _in_turn(session, db).scalars(asking_due(now, limit)).all(), now)


def _in_turn(session: Session, db: Database) -> Session:
    if not db.is_sqlite:
        session.execute(one_relay_at_a_time())
    return session


def _claimed(session: Session, due: Sequence[Message], now: datetime) -> list[Message]:
    by_reader: dict[str, list[Message]] = {}
    for message in due:
        by_reader.setdefault(message.recipient, []).append(message)
    asking_the_hour = {reader: some for reader, some in by_reader.items() if not _are_punctual(some, now)}
    last, hours = _last_by_the_clock(session, due, now), _hours(session, asking_the_hour)
    taken = {
        message.id
        for reader, messages in by_reader.items()
        for message in _left_behind(messages) or _taken(messages, last.get(reader), hours.get(reader), now)
    }
    claimed = [message for message in due if message.id in taken]
    for message in claimed:
        message.leased_until = now + LEASE
    return claimed


def _are_punctual(messages: Iterable[Message], now: datetime) -> bool:
    """Whether they were written a moment ago, by their reader's hours: these need not be looked up again."""
    return not any(one.by_the_clock or one.tries or mail_times.was_held_up(one.created_at, now) for one in messages)


def _last_by_the_clock(session: Session, due: Iterable[Message], now: datetime) -> dict[str, datetime]:
    """Return when each was last sent a mail by the clock within the hour; one on its way counts from its lease."""
    people = {message.recipient for message in due if message.by_the_clock}
    if not people:
        return {}
    return {
        person: max(at for at in (sent_at, leased_until and leased_until - LEASE) if at)
        for person, sent_at, leased_until in session.execute(sent_by_the_clock(people, now - APART, now))
    }


def _hours(session: Session, by_reader: Mapping[str, Sequence[Message]]) -> dict[str, Hours]:
    if not by_reader:
        return {}

    def calendar_of_a_stranger(reader: str) -> Calendar:
        rollout_id = by_reader[reader][0].rollout_id
        return plan_of(session.get_one(Rollout, rollout_id).plan_version).calendar if rollout_id else Calendar()

    return hours_in_directory(session, by_reader.keys(), calendar_of_a_stranger, company_closures(session))


def _left_behind(messages: Sequence[Message]) -> list[Message]:
    """Return what a relay has taken and not settled.

    Perhaps it was sent: it is sent once more, as the same mail, and nothing joins it.
    """
    leases = [message.leased_until for message in messages if message.leased_until]
    return [message for message in messages if leases and message.leased_until == min(leases)]


def _taken(messages: Sequence[Message], last: datetime | None, hours: Hours | None, now: datetime) -> list[Message]:
    """Return what is delivered now, and put the rest off; all of it without `hours`.

    Something has held up what is due at a moment when its reader gets no mail: a mail by the clock less than an hour
    ago, a mail server that was down, a relay that was off.
    """
    if hours is None:
        return list(messages)
    again_at = mail_times.next_by_the_clock(last, now)
    for message in messages:
        at = again_at if message.by_the_clock else now
        due_at = mail_times.due_again_at(message.occasion, hours, at, urgent=message.urgent)
        if due_at > now:
            message.due_at = due_at
    return [message for message in messages if message.due_at <= now]
