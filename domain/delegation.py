"""Lending a voice: who may lend whose to whom and for how long, when it is lent, and where it cannot be.

One hop: whose voice it is decides who may give it, so what somebody was lent is never lent on. Who may speak at a gate
at all is domain/eligibility.py's.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from domain.authority import OPERATOR
from domain.eligibility import Separation, Voice, why_may_not_speak
from domain.reasons import Reason

LONGEST = timedelta(days=366)
_ONE_DAY = timedelta(days=1)
_YEARS = range(1970, 9000)


@dataclass(frozen=True)
class Term:
    """How long a voice is lent: from `starts_at` until `ends_at`, which is not included. Both are aware."""

    starts_at: datetime
    ends_at: datetime

    def holds(self, at: datetime) -> bool:
        """Whether the voice is lent at this moment (aware)."""
        return self.starts_at <= at < self.ends_at

    def overlaps(self, other: Term) -> bool:
        """Whether there is a moment in both. What ended before it began overlaps nothing."""
        return max(self.starts_at, other.starts_at) < min(self.ends_at, other.ends_at)

    @property
    def last_moment(self) -> datetime:
        """The last moment at which it holds: what ends as Sunday begins is lent until Saturday."""
        return self.ends_at - timedelta(microseconds=1)

    def first_day(self, time_zone: str) -> date:
        """Return the first day on which it holds, in an IANA zone."""
        return self.starts_at.astimezone(ZoneInfo(time_zone)).date()

    def last_day(self, time_zone: str) -> date:
        """Return the last day on which it holds, in an IANA zone."""
        return self.last_moment.astimezone(ZoneInfo(time_zone)).date()


def read_day(typed: str) -> date | None:
    """Return a day that was typed as an ISO date, such as 2026-03-31; None for anything else, and for ages away."""
    try:
        day = date.fromisoformat(typed.strip())
    except ValueError:
        return None
    return day if day.year in _YEARS else None


def whole_days(first: date, last: date, time_zone: str) -> Term:
    """Return the term from the beginning of one day to the end of another, in an IANA zone."""
    return Term(_beginning_of(first, time_zone), _beginning_of(last + _ONE_DAY, time_zone))


def _beginning_of(day: date, time_zone: str) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(time_zone)).astimezone(UTC)


@dataclass(frozen=True)
class Loan:
    """One person's voice, lent to another one by somebody: themself, their assistant, an administrator."""

    delegator: str
    delegate: str
    given_by: str
    term: Term


def why_may_not_act_for(person: str, by: str, assistant: str | None, administrators: Collection[str]) -> Reason | None:
    """Return why `by` may not lend a person's voice, or end that, or None when they may."""
    if may_act_for(person, by, assistant, administrators):
        return None
    return Reason(
        "{by} may not lend the voice of {person}: only they themself, their assistant and administrators may.",
        {"by": by, "person": person},
    )


def may_act_for(person: str, by: str, assistant: str | None, administrators: Collection[str]) -> bool:
    """Whether `by` may say who answers for somebody, and when they are away."""
    return by in {person, assistant, OPERATOR} or by in administrators


def problems(loan: Loan, present: Collection[str], lent: Iterable[Term], now: datetime) -> dict[str, Reason]:
    """Return what is wrong with a loan, by what is to be corrected: to, from, until. Nothing: it can be given.

    `present` are those in the directory, `lent` the terms for which the voice is lent already; `now` is aware.
    """
    found: dict[str, Reason] = {}
    if reason := _about_people(loan, present):
        found["to"] = reason
    if reason := why_no_term(loan.term, now, Reason("A voice can be lent for a year at most.")):
        found["until"] = reason
    elif any(loan.term.overlaps(other) for other in lent):
        found["from"] = Reason(
            "The voice of {person} is lent for some of these days already; end that first.", {"person": loan.delegator}
        )
    return found


def _about_people(loan: Loan, present: Collection[str]) -> Reason | None:
    for person in (loan.delegator, loan.delegate):
        if person not in present:
            return Reason("{person} is not in the directory.", {"person": person})
    if loan.delegate == loan.delegator:
        return Reason("Nobody can lend their voice to themself.")
    if loan.delegate == loan.given_by:
        return Reason("Nobody can give themself the voice of somebody else.")
    return None


def why_no_term(term: Term, now: datetime, too_long: Reason) -> Reason | None:
    """Return why these days cannot be meant: the wrong way round, over already, or `too_long`; None when they can."""
    if now < term.starts_at >= term.ends_at:
        return Reason("The last day comes before the first one.")
    if term.ends_at <= now:
        return Reason("These days are over already.")
    if term.ends_at - term.starts_at > LONGEST:
        return too_long
    return None


def why_not_in_place(
    voice: Voice, may_be_lent: bool, members: Collection[str], separation: Separation, spoken: Iterable[Voice]
) -> Reason | None:
    """Return why somebody is not asked to decide in the place of another one, or None when they are.

    `may_be_lent` is what the plan says of the gate; the rest is what `why_may_not_speak` looks at.
    """
    if not may_be_lent:
        return Reason("The plan says that nobody can decide here for somebody else.")
    return why_may_not_speak(voice, members, separation, spoken)


def why_not_bring_in_place(
    person: str, may_be_lent: bool, members: Collection[str], asked: Collection[str]
) -> Reason | None:
    """Return why somebody is not asked to fill in or to measure in the place of another one, or None when they are.

    `members` are those who decide on what is brought, `asked` those who are asked to bring it themselves.
    """
    if not may_be_lent:
        return Reason("The plan says that nobody can decide here for somebody else.")
    if person in members:
        return Reason("{person} decides here on what is brought.", {"person": person})
    if person in asked:
        return Reason("{person} is asked here already.", {"person": person})
    return None
