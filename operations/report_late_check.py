"""Tell somebody that the scheduled check is late. The relay says it, since the check itself is what is missing."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from domain.lateness import CHECK_MAY_REST, is_late
from domain.plan import ADMINISTRATOR
from domain.reasons import Reason
from models.checks import check_locked
from models.database import Database
from models.outbox import told_already
from models.people import people_called
from models.rollouts import living_owners
from notifications import dedup
from operations.check_health import CheckHealth, check_health
from operations.directory import holders_now
from operations.telling import tell_person


def report_late_check(db: Database, now: datetime, watched_since: datetime) -> list[str]:
    """Tell who can put it right when the check is late, once for each time it stays away; returns who was told.

    Those are the administrators; where there are none, the owners of what is under way. A check that was off together
    with its watcher has as long to come back as any other: counted from `watched_since`. Both moments are aware.
    """
    if not is_late(watched_since, CHECK_MAY_REST, now):
        return []
    with db.read() as session:  # looking writes nothing
        if not check_health(session, now).late:
            return []
    with db.write() as session:
        health = check_health(session, now)
        session.scalars(check_locked(health.last_id)).one_or_none()
        return _tell(session, health, now) if health.late else []


def _tell(session: Session, health: CheckHealth, now: datetime) -> list[str]:
    keys = {dedup.late_check(health.last_id, person): person for person in _who_can_help(session)}
    before = set(session.scalars(told_already(keys)))
    told = {key: person for key, person in keys.items() if key not in before}
    what_to_do = [
        Reason("To see what is wrong: etappe doctor"),
        Reason("To run the check by hand: etappe check-stalled"),
    ]
    for key, person in told.items():
        headline = Reason("The scheduled check is late")
        tell_person(session, now, person, key, headline, _what_is_missing(health), what_to_do, in_the_morning=True)
    return list(told.values())


def _who_can_help(session: Session) -> list[str]:
    people = holders_now(session).get(ADMINISTRATOR) or list(session.scalars(living_owners()))
    return [person.email for person in session.scalars(people_called(people)) if person.gone_at is None]


def _what_is_missing(health: CheckHealth) -> list[Reason]:
    sentences = [Reason("It has never finished a run.")]
    if health.finished_at is not None:
        sentences = [Reason("It finished its last run: {moment}", {"moment": health.finished_at.isoformat()})]
    if health.unfinished:
        died = Reason("Runs that have begun since and have not finished: {count}", {"count": health.unfinished})
        sentences.append(died)
    return [
        *sentences,
        Reason("Until it runs again nobody is reminded, nothing is escalated and nothing expires."),
        Reason("Decisions and mails go on."),
    ]
