"""What must hold of a year that was played through, and the report on it."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import timedelta
from itertools import pairwise
from statistics import median
from zoneinfo import ZoneInfo

from sqlalchemy import select

from domain.deadlines import is_business_day
from domain.mail_times import Occasion
from models.outbox import CHAT, Message, MessageState
from models.record import AuditEntry
from models.rollouts import Rollout
from operations.verify_record import verify_record
from tests.year.company import Employee
from tests.year.year import Mailed, Year

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
    for mail in year.mailboxes.mails:
        _judge_hours(year.people[mail.recipient], mail)
    for person, sent in _sent_by_the_clock(year).items():
        _judge_the_clock(year.people[person], sent)


def _judge_hours(reader: Employee, mail: Mailed) -> None:
    wall = mail.at.astimezone(ZoneInfo(reader.zone))
    if reader.quiet and not mail.urgent and mail.kind not in AT_ONCE:
        at_work = is_business_day(wall.date(), reader.calendar) and 7 <= wall.hour < 19
        assert at_work, f"in the quiet hours of {reader.email}: {mail}"


def _judge_the_clock(reader: Employee, sent: list[Message]) -> None:
    """What came because time had passed, and not because somebody had done something."""
    moments = sorted({message.settled_at for message in sent if message.settled_at})
    for one, other in pairwise(moments):
        assert other - one >= HOUR, f"two mails by the clock within an hour for {reader.email}: {one}, {other}"
    for message in sent:
        if message.occasion is Occasion.MORNING and message.settled_at:
            wall = message.settled_at.astimezone(ZoneInfo(reader.zone))
            assert is_business_day(wall.date(), reader.calendar), f"on a free day: {message.dedup_key}, {wall}"
            assert wall.hour >= 8, f"not in the morning: {message.dedup_key}, {wall}"


def _sent_by_the_clock(year: Year) -> dict[str, list[Message]]:
    found: dict[str, list[Message]] = defaultdict(list)
    with year.db.read() as session:
        for message in session.scalars(select(Message).where(Message.state == MessageState.SENT)):
            if message.by_the_clock and message.topic != CHAT:
                found[message.recipient].append(message)
    return found


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


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{number} {name}" for name, number in counts.most_common())
