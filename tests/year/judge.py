"""What must hold of a year that was played through, and the report on it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import timedelta
from itertools import pairwise
from statistics import median
from zoneinfo import ZoneInfo

from sqlalchemy import select

from domain.deadlines import is_business_day
from models.record import AuditEntry
from models.rollouts import Rollout
from operations.verify_record import verify_record
from tests.year.company import Employee
from tests.year.year import Mailed, Year

BY_THE_CLOCK = ("reminder", "digest")
"""Mails that come because time has passed, and not because somebody has done something."""
AT_ONCE = ("receipt", "code")
"""What comes in quiet hours, too: somebody has just done something, so they are awake."""
HOUR = timedelta(hours=1)
WEEK = timedelta(weeks=1)


def judge(year: Year) -> None:
    """Raise AssertionError for the first rule that the year has broken."""
    assert year.open_rollouts() == [], "these have not ended"
    assert all(report.holds for report in verify_record(year.db)), "the record does not verify"
    assert not year.overdue, f"nobody looked after these in time: {year.overdue[:3]}"
    assert not sum(report.failed for _, report in year.checks), "the check failed"
    for person, mails in _by_person(year.mailboxes.mails).items():
        _judge_mails(year.people[person], mails)


def _judge_mails(reader: Employee, mails: list[Mailed]) -> None:
    by_the_clock = [mail for mail in mails if mail.kind in BY_THE_CLOCK]
    for one, other in pairwise(by_the_clock):
        assert other.at - one.at >= HOUR, f"two mails by the clock within an hour: {one}, {other}"
    for mail in mails:
        wall = mail.at.astimezone(ZoneInfo(reader.zone))
        works = is_business_day(wall.date(), reader.calendar)
        if reader.quiet and not mail.urgent and mail.kind not in AT_ONCE:
            assert works and 7 <= wall.hour < 19, f"in the quiet hours of {reader.email}: {mail}"
        if mail.kind == "digest" and not mail.urgent:  # also what was held back in quiet hours
            assert works and wall.hour >= (7 if reader.quiet else 8), f"not in the morning of a business day: {mail}"


def report(year: Year, seconds: float) -> str:
    """Return what the year was like, as lines of text."""
    with year.db.read() as session:
        rollouts = session.scalars(select(Rollout)).all()
        done = Counter(session.scalars(select(AuditEntry.action)))
    ends = Counter(str(rollout.state) for rollout in rollouts)
    days = [(row.ended_at - row.created_at) / timedelta(days=1) for row in rollouts if row.ended_at]
    kinds = Counter(mail.kind for mail in year.mailboxes.mails)
    weeks = _per_week(year)
    busiest = sorted(weeks)[-max(1, len(weeks) // 100)]
    lines = [
        f"{len(year.people)} people, {ends.total()} rollouts, {(year.last - year.first).days} days; {seconds:.0f} s",
        f"ended: {_counted(ends)}; median {median(days):.1f} days, longest {max(days):.0f}",
        f"mails: {_counted(kinds)}",
        f"mails per person and week: median {median(weeks):g}, one week in a hundred {busiest}, maximum {max(weeks)}",
        f"check: {len(year.checks)} runs; {_counted(_done_by_checks(year))}",
        f"record: {done.total()} entries; {_counted(done)}",
    ]
    return "\n".join(lines)


def _per_week(year: Year) -> list[int]:
    """How many mails each person got in each week, those without any included."""
    weeks = range((year.now - year.first) // WEEK + 1)
    got = Counter((mail.recipient, (mail.at - year.first) // WEEK) for mail in year.mailboxes.mails)
    return [got[person, week] for person in year.people for week in weeks]


def _done_by_checks(year: Year) -> Counter[str]:
    done: Counter[str] = Counter()
    for _, one in year.checks:
        done.update({name: value for name, value in vars(one).items() if isinstance(value, int) and value})
    return done


def _by_person(mails: Iterable[Mailed]) -> dict[str, list[Mailed]]:
    found: dict[str, list[Mailed]] = defaultdict(list)
    for mail in mails:
        found[mail.recipient].append(mail)
    return found


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{number} {name}" for name, number in counts.most_common())
