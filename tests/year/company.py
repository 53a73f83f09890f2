"""A made-up company: its people, how they answer, when they are away, and what it rolls out. All by one seed."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import yaml

from domain.deadlines import is_business_day
from domain.plan import Calendar

ZONES = ("Europe/Zurich", "Europe/Zurich", "Europe/Zurich", "Europe/Berlin", "Europe/London", "America/New_York")
HOLIDAYS = {"Europe/Zurich": "CH-ZH", "Europe/Berlin": "DE-BY", "Europe/London": "GB-ENG", "America/New_York": "US-NY"}
ROLES = {"board": 3, "finance": 2, "chair": 1, "hr": 2, "lead": 1, "staff": 6, "reviewers": 3, "sponsor": 1}
"""How many hold each role in one rollout."""
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Away:
    """Whole days, both included. `delegate` answers meanwhile; "": nobody does."""

    first: date
    last: date
    delegate: str = ""


@dataclass(frozen=True)
class Employee:
    """Somebody who is asked. `pace` is how many hours they usually take to answer, `shirks` how often they do not."""

    email: str
    language: str
    zone: str
    pace: float
    shirks: float
    quiet: str
    away: tuple[Away, ...]

    @property
    def calendar(self) -> Calendar:
        """When they work."""
        return Calendar(holidays=HOLIDAYS[self.zone], time_zone=self.zone)

    def is_away(self, day: date) -> bool:
        """Whether they are away on a day of theirs."""
        return any(one.first <= day <= one.last for one in self.away)

    def at_work(self, moment: datetime) -> datetime:
        """The first moment from `moment` on (aware) at which they are at work, nine to five, in UTC."""
        wall = moment.astimezone(ZoneInfo(self.zone))
        if wall.hour >= 17:
            wall = _morning(wall.date() + ONE_DAY, self.zone)
        elif wall.hour < 9:
            wall = _morning(wall.date(), self.zone)
        while not is_business_day(wall.date(), self.calendar) or self.is_away(wall.date()):
            wall = _morning(wall.date() + ONE_DAY, self.zone)
        return wall.astimezone(UTC)


def _morning(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(9), ZoneInfo(zone))


def employees(count: int, first: date, days: int, chance: random.Random) -> list[Employee]:
    """Make up so many people for a time that begins on `first`."""
    emails = [f"person{number}@example.com" for number in range(count)]
    return [_employee(email, emails, first, days, chance) for email in emails]


def _employee(email: str, emails: list[str], first: date, days: int, chance: random.Random) -> Employee:
    return Employee(
        email,
        chance.choice(("de", "en")),
        chance.choice(ZONES),
        pace=chance.choice((1, 3, 8, 8, 20)),
        shirks=chance.choice((0.0, 0.05, 0.1, 0.4)),
        quiet=chance.choice(("", "", "19:00-07:00")),
        away=tuple(_absences(email, emails, first, days, chance)),
    )


def _absences(email: str, emails: list[str], first: date, days: int, chance: random.Random) -> Iterator[Away]:
    """Some of a few days, and some of two or three weeks; they do not overlap."""
    day = first + timedelta(days=chance.randrange(60))
    while day < first + timedelta(days=days):
        last = day + timedelta(days=chance.choice((0, 1, 4, 6, 11, 18)))
        others = [other for other in chance.sample(emails, 2) if other != email]
        yield Away(day, last, others[0] if chance.random() < 0.5 else "")
        day = last + timedelta(days=chance.randrange(20, 120))


def directory(people: list[Employee]) -> str:
    """Write the directory file of a company."""
    entries = [_entry(one) for one in people]
    return yaml.safe_dump({"people": entries, "roles": {"administrator": [people[0].email]}})


def _entry(one: Employee) -> Mapping[str, str]:
    return {
        "email": one.email,
        "name": one.email.partition("@")[0].capitalize(),
        "language": one.language,
        "time_zone": one.zone,
        "holidays": HOLIDAYS[one.zone],
        "quiet": one.quiet or "none",
    }


_ROLES = "\n".join(f"  {role}: {{title: {role.capitalize()}}}" for role in ROLES if role != "sponsor")
_HEAD = f"""
calendar: {{holidays: CH-ZH, time_zone: Europe/Zurich}}
roles:
{_ROLES}
  sponsor: {{title: Sponsor}}
"""
_CHASED = "remind: every 2 business days, escalate: [{after: 4 business days, to: chair}], \
expires: {after: 12 business days}"

POLICY = f"""
plan: policy
title: A policy
{_HEAD}
stages:
  - id: approval
    title: Approval
    stalled_after: 8 business days
    gates:
      - {{id: sign-off, title: The sign-off, kind: sign-off, question: "Shall we?", approvers: [board],
          quorum: majority, {_CHASED}}}
  - id: announcement
    title: Announcement
    gates:
      - id: read
        title: Read
        kind: acknowledgement
        text: Please read this.
        audience: [staff]
        share: 80 %
        remind: every 3 business days
        escalate: [{{after: 6 business days, to: owner}}]
        expires: {{after: 20 business days}}
"""

PROJECT = f"""
plan: project
title: A project
{_HEAD}
inputs:
  budget: {{kind: budget, currency: CHF, required: true}}
stages:
  - id: go
    title: Go
    stalled_after: 10 business days
    gates:
      - {{id: sign-off, title: The sign-off, kind: sign-off, question: "Shall we?", approvers: [board], quorum: all,
          {_CHASED.replace("to: chair", "to: sponsor, replace: true")}}}
      - {{id: money, title: The money, kind: budget, question: "Is it worth it?", approvers: [finance], quorum: any,
          bands: [{{above: 20000, approvers: [chair]}}], pinned_to: [budget], {_CHASED.replace("chair}", "sponsor}")}}}
  - id: pilot
    title: Pilot
    gates:
      - id: team
        title: The team
        kind: checklist
        question: Who does it?
        filled_by: lead
        items: [{{id: hours, title: Hours, kind: number, minimum: 4}}]
        approvers: [hr]
        quorum: any
        remind: every 2 business days
        escalate: [{{after: 5 business days, to: sponsor}}, {{after: 9 business days, to: chair}}]
        expires: {{after: 15 business days}}
      - {{id: review, title: The review, kind: review, question: "Did it work?", approvers: [reviewers], quorum: 2,
          order: in turn, ask_after: [team], {_CHASED.replace("4 business", "7 business")}}}
"""

RELEASE = f"""
plan: release
title: A release
{_HEAD}
stages:
  - id: ship
    title: Ship
    stalled_after: 2 business days
    gates:
      - {{id: ship, title: Ship it, urgent: true, kind: sign-off, question: "Ship it?",
          approvers: [lead, sponsor], quorum: any,
          remind: every 8 hours, escalate: [{{after: 8 hours, to: chair}}, {{after: 24 hours, to: board}}],
          expires: {{after: 96 hours, outcome: reject}}, on_reject: kill}}
"""

PLANS = (POLICY, PROJECT, RELEASE)
