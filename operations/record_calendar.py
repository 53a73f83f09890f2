"""Record what somebody's calendar says of when they are away; what was entered by people stays as it is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from domain.absence import Days, reread
from domain.delegation import Term, whole_days
from models.absences import Absence, Source, absences_in_calendar
from models.database import Database
from models.people import Person, person_locked
from operations.calendars_due import CalendarLook
from operations.notice_absences import notice_absence


def record_calendar(
    db: Database, keys: Sequence[bytes], look: CalendarLook, found: Sequence[Days] | str, now: datetime
) -> None:
    """Record the days that a calendar shows as away, or why it could not be read: what it said before then holds on.

    Nothing when the person has another calendar by now, or none.
    """
    with db.write() as session:
        person = session.scalars(person_locked(look.person)).one_or_none()
        if person is None or person.calendar_url != look.address:
            return
        person.calendar_read_at = now
        person.calendar_problem = found if isinstance(found, str) else None
        if isinstance(found, str):
            return
        said = [whole_days(days.first, days.last, look.time_zone) for days in found]
        new = put_calendar(session, person, said, now)
    for absence in new:
        notice_absence(db, keys, absence, now)


def put_calendar(session: Session, person: Person, said: Sequence[Term], now: datetime) -> list[Absence]:
    """Make what is kept of somebody's calendar what it says now, and return what is new.

    What was to come and is not any longer is forgotten; what has begun has ended.
    """
    rows = {row.id: row for row in session.scalars(absences_in_calendar(person.email, now))}
    found = reread({row.id: Term(row.starts_at, row.ends_at) for row in rows.values()}, said, now)
    for id_, term in found.kept.items():
        rows[id_].starts_at, rows[id_].ends_at = term.starts_at, term.ends_at
    for id_ in found.gone:
        if rows[id_].starts_at > now:
            session.delete(rows[id_])
        else:
            rows[id_].ends_at = now
    new = [_absence(person, term, now) for term in found.new]
    session.add_all(new)
    session.flush()
    return new


def _absence(person: Person, term: Term, now: datetime) -> Absence:
    return Absence(
        person=person.email,
        starts_at=term.starts_at,
        ends_at=term.ends_at,
        source=Source.CALENDAR,
        entered_by=person.email,
        created_at=now,
    )
