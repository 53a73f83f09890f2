"""When people are written to: by their own hours, or by those of a plan where somebody is a stranger. Read only."""

from __future__ import annotations

from collections.abc import Callable, Collection

from sqlalchemy.orm import Session

from domain import mail_times
from domain.mail_times import Hours, Quiet
from domain.plan import Calendar, Closures
from models.people import Person
from operations.calendars import with_closures
from operations.directory import in_directory
from operations.workspace import Workspace


def hours_of(ws: Workspace, address: str) -> Hours:
    """Return when somebody is written to; whoever is not in the directory keeps the plan's days, and no quiet hours."""
    look_up_hours(ws, [address])
    return ws.hours[address]


def look_up_hours(ws: Workspace, addresses: Collection[str]) -> None:
    """Read the hours of everybody who will be written to, in one query instead of one each."""
    if new := set(addresses) - ws.hours.keys():
        ws.hours |= hours_in_directory(ws.session, new, lambda _: ws.plan.calendar, ws.closures)


def hours_in_directory(
    session: Session, addresses: Collection[str], otherwise: Callable[[str], Calendar], closed: Closures
) -> dict[str, Hours]:
    """Return when each address is written to; `otherwise` gives the calendar of one that is not in the directory.

    `closed` is when the company is (operations/calendars.py).
    """
    known = in_directory(session, addresses)
    return {
        address: _hours(known[address], closed)
        if address in known
        else Hours(with_closures(otherwise(address), closed))
        for address in addresses
    }


def _hours(person: Person, closed: Closures) -> Hours:
    return Hours(
        with_closures(Calendar(holidays=person.holidays, time_zone=person.time_zone), closed),
        mail_times.parse_clock(person.morning) if person.morning else mail_times.MORNING,
        Quiet.parse(person.quiet) if person.quiet else None,
    )
