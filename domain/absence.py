"""Being away: who may say so, which days a calendar comes to, and when a gate waits in vain for those who are away.

How it is answered for somebody who is away is domain/delegation.py's.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from domain.delegation import Term, may_act_for, why_no_term
from domain.plan_automatic import address_problem
from domain.quorum import Standing, Tally
from domain.reasons import Reason

LONGEST_ADDRESS = 500
READ_AHEAD = timedelta(days=120)
"""How far into the future a calendar is read, however far it reaches."""
WORKING_HOURS = time(9), time(17)
"""A day counts when all of it is busy: whoever is free for one of these hours can answer in it."""
_ONE_DAY = timedelta(days=1)
_SATURDAY = 5


def why_may_not_enter(person: str, by: str, assistant: str | None, administrators: Collection[str]) -> Reason | None:
    """Return why `by` may not say when somebody is away, or that they are back, or None when they may."""
    if may_act_for(person, by, assistant, administrators):
        return None
    return Reason(
        "{by} may not say when {person} is away: only they themself, their assistant and administrators may.",
        {"by": by, "person": person},
    )


def why_not(term: Term, now: datetime) -> Reason | None:
    """Return why nobody can be entered as away for these days, or None. `now` is aware."""
    return why_no_term(term, now, Reason("An absence can be a year long at most."))


@dataclass(frozen=True)
class Days:
    """Whole days, both included."""

    first: date
    last: date


def is_busy(status: str, transparency: str, busy_status: str) -> bool:
    """Whether an event of a calendar takes its time: STATUS, TRANSP (RFC 5545, 3.8) and X-MICROSOFT-CDO-BUSYSTATUS.

    Each is "" where it is not given. What Microsoft's programs say is more exact than TRANSP, so it is believed first.
    """
    if status.upper() == "CANCELLED":
        return False
    if busy_status:
        return busy_status.upper() in ("OOF", "BUSY")
    return status.upper() != "TENTATIVE" and transparency.upper() != "TRANSPARENT"


def why_no_calendar(address: str) -> Reason | None:
    """Return why an address cannot be read as somebody's calendar, or None when it can."""
    if not address.startswith("https://"):
        return Reason("A calendar's address begins with https://, such as https://calendar.example.com/anna.ics")
    if "@" in urlsplit(address).netloc:
        return Reason("A calendar's address holds no user and no password; use the one that the calendar gives out.")
    if len(address) > LONGEST_ADDRESS:
        return Reason("A calendar's address has at most {count} characters.", {"count": LONGEST_ADDRESS})
    if problem := address_problem(address):
        return Reason("This address cannot be read: {problem}.", {"problem": problem})
    return None


def days_away(busy: Iterable[Term], time_zone: str, window: Days) -> list[Days]:
    """Return the days of a window on which somebody is away whose calendar shows these times as busy, in order.

    A day counts when its working hours, in an IANA zone, are busy from end to end. Days in a row are one absence, also
    with a weekend between them; a weekend by itself is none.
    """
    merged = list(_merged(busy))
    zone = ZoneInfo(time_zone)
    found: list[Days] = []
    for day in _days(window):
        if not _is_covered(day, zone, merged):
            continue
        if found and _only_weekend_between(found[-1].last, day):
            found[-1] = Days(found[-1].first, day)
        else:
            found.append(Days(day, day))
    return [days for days in found if not all(map(_is_weekend, _days(days)))]


def _merged(busy: Iterable[Term]) -> Iterator[Term]:
    running: Term | None = None
    for term in sorted(busy, key=lambda each: each.starts_at):
        if running is None or term.starts_at > running.ends_at:
            if running:
                yield running
            running = term
        else:
            running = Term(running.starts_at, max(running.ends_at, term.ends_at))
    if running:
        yield running


def _is_covered(day: date, zone: ZoneInfo, merged: Sequence[Term]) -> bool:
    begins, ends = (datetime.combine(day, hour, zone).astimezone(UTC) for hour in WORKING_HOURS)
    return any(term.starts_at <= begins and ends <= term.ends_at for term in merged)


def _only_weekend_between(earlier: date, later: date) -> bool:
    return all(map(_is_weekend, _days(Days(earlier + _ONE_DAY, later - _ONE_DAY))))


def _is_weekend(day: date) -> bool:
    return day.weekday() >= _SATURDAY


def _days(days: Days) -> Iterator[date]:
    return (days.first + timedelta(days=number) for number in range((days.last - days.first).days + 1))


@dataclass(frozen=True)
class Reread:
    """What a new reading of a calendar comes to: how what is known goes on, by its id, what is new, what is gone."""

    kept: Mapping[int, Term]
    new: Sequence[Term]
    gone: Sequence[int]


def reread(known: Mapping[int, Term], read: Sequence[Term], now: datetime) -> Reread:
    """Compare what a calendar said before with what it says now (aware), from today on.

    An absence that was shortened or lengthened stays the same one, so that nothing follows from it a second time. What
    has begun keeps its beginning, and is the same as nothing that is still to come.
    """
    kept: dict[int, Term] = {}
    new: list[Term] = []
    for term in read:
        begun = term.starts_at <= now
        same = next(
            (each for each, before in known.items()
             if each not in kept and before.overlaps(term) and (before.starts_at <= now) is begun),
            None,
        )  # fmt: skip
        if same is None:
            new.append(term)
        else:
            kept[same] = Term(known[same].starts_at if begun else term.starts_at, term.ends_at)
    return Reread(kept, new, [each for each in known if each not in kept])


def waits_in_vain(asked: Collection[str], absent: Collection[str], without_them: Tally | None) -> bool:
    """Whether a gate cannot go on before somebody is back.

    `asked` are the voices asked for now, and `absent` those of them that nobody gives meanwhile; `without_them` is how
    the quorum stands when these say nothing, None where one answer is enough.
    """
    if not absent:
        return False
    out_of_reach = without_them is not None and without_them.standing is Standing.OUT_OF_REACH
    return out_of_reach or set(asked) <= set(absent)
