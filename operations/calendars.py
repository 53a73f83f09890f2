"""The calendars that times are reckoned by: a plan's own, with the closures of the company's directory. Read only."""

from __future__ import annotations

from sqlalchemy.orm import Session

from domain.plan import Calendar, Closure, Closures
from models.people import closures
from models.reading import read_once


def company_closures(session: Session) -> Closures:
    """Return when the company is closed, as the directory says."""
    return tuple(Closure(first=row.first, last=row.last) for row in read_once(session, closures))


def with_closures(calendar: Calendar, of_company: Closures) -> Calendar:
    """Return a plan's calendar with the company's closures beside its own."""
    return calendar.model_copy(update={"closures": (*calendar.closures, *of_company)})
