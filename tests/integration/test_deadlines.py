"""Deadlines in a running rollout: moments of the week, times that gates share, rhythms, and clocks that begin anew."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from models.database import Database
from models.rollouts import PlanVersion
from plans.reading import read_plan
from tests.company import MONDAY, REQUESTER, Company
from tests.sample_plans import SIGN_OFF, one_gate

ANNA, BEN, CARLA, EMIL = "anna@example.com", "ben@example.com", "carla@example.com", "emil@example.com"
FRIDAY_NOON = datetime(2026, 3, 6, 11, tzinfo=UTC)  # 12:00 in Zurich
WEEK = timedelta(weeks=1)


class TestMomentOfTheWeek:
    WEEKLY = one_gate(f"{SIGN_OFF}, quorum: all, expires: {{after: Friday 12:00}}")

    def test_time_is_up_then_and_not_earlier(self, db: Database) -> None:
        company = Company(db)
        company.start(self.WEEKLY)
        company.now = FRIDAY_NOON - timedelta(seconds=1)
        assert company.checks_on_schedule().expired == 0
        company.now = FRIDAY_NOON
        assert company.checks_on_schedule().expired == 1

    @pytest.mark.parametrize(
        ("answered", "due"),
        [(FRIDAY_NOON - timedelta(days=1), FRIDAY_NOON), (FRIDAY_NOON + timedelta(days=1), FRIDAY_NOON + WEEK)],
    )
    def test_it_stays_unless_it_came_while_the_owner_was_asked(
        self, db: Database, answered: datetime, due: datetime
    ) -> None:
        company = Company(db)
        company.start(self.WEEKLY)
        company.later(days=1)
        company.decides(ANNA, "request-changes")
        company.now = answered
        company.answers_changes(REQUESTER)
        assert company.gate()["due_at"] == due.isoformat()


def test_reminders_come_after_each_pause_and_the_last_pause_repeats(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(f"{SIGN_OFF}, quorum: all, remind: [3 business days, 2 business days, 1 business day]"))
    reminded = []
    for day in range(1, 11):
        company.now = MONDAY + timedelta(days=day)
        if company.checks().reminded:
            reminded.append(day)
    assert reminded == [3, 7, 8, 9, 10]  # Thursday; after the weekend Monday; then every business day


def test_after_a_month_without_a_check_one_reminder_of_a_rhythm_comes(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(f"{SIGN_OFF}, quorum: all, remind: [3 business days, 1 business day]"))
    company.later(days=30)
    company.checks()
    company.checks()
    assert len(company.messages("reminder", ANNA)) == 1


@pytest.mark.parametrize(
    ("zone", "deadline", "started", "reached"),
    [
        ("Europe/Zurich", "Sunday 02:30", "2026-03-27T08:00", "2026-03-29T01:30"),  # not on the wall: an hour later
        ("Europe/Zurich", "1 day", "2026-03-28T01:30", "2026-03-29T01:30"),
        ("Europe/Zurich", "Sunday 02:30", "2026-10-20T08:00", "2026-10-25T00:30"),  # twice on the wall: the first
        ("America/New_York", "1 day", "2026-10-31T05:30", "2026-11-01T05:30"),
        ("Australia/Lord_Howe", "Sunday 01:45", "2026-04-01T08:00", "2026-04-04T14:45"),  # half an hour comes twice
    ],
)
def test_the_check_lets_time_be_up_once_and_not_early_over_a_change_of_the_clocks(
    db: Database, zone: str, deadline: str, started: str, reached: str
) -> None:
    due = datetime.fromisoformat(reached).replace(tzinfo=UTC)
    company = Company(db, now=datetime.fromisoformat(started).replace(tzinfo=UTC))
    plan = one_gate(f"{SIGN_OFF}, quorum: all, expires: {{after: {deadline}}}")
    company.start(plan.replace("time_zone: Europe/Zurich", f"time_zone: {zone}"))
    ticks = [due + timedelta(minutes=15) * number - timedelta(minutes=1) for number in range(-4, 8)]
    expired = []
    for company.now in ticks:
        expired += [company.now] * company.checks().expired
    assert expired == [due + timedelta(minutes=29)]  # the run before has seen it, too (domain/check_clock.py)


class TestRestart:
    LEVELS = one_gate(
        f"{SIGN_OFF}, quorum: all, escalate: [{{after: 2 days, to: finance, restart_clock: true}}, "
        "{after: 3 days, to: chair}], expires: {after: 4 days}"
    )

    def test_what_follows_is_counted_from_the_escalation(self, db: Database) -> None:
        company = Company(db)
        company.start(self.LEVELS)
        assert company.gate()["due_at"] == (MONDAY + timedelta(days=6)).isoformat()  # as it would come
        company.later(days=2, hours=5)
        assert company.checks().escalated == 1
        escalated_at = company.now
        assert company.gate()["due_at"] == (escalated_at + timedelta(days=4)).isoformat()
        company.now = escalated_at + timedelta(days=3, seconds=-1)
        assert company.checks().escalated == 0
        company.later(seconds=1)
        assert company.checks().escalated == 1
        company.now = escalated_at + timedelta(days=4)
        assert company.checks_on_schedule().expired == 1

    def test_time_is_not_up_before_the_level_was_taken_however_late_that_is(self, db: Database) -> None:
        company = Company(db)
        company.start(self.LEVELS)
        company.later(days=50)
        report = company.checks_on_schedule()
        assert (report.escalated, report.expired, company.gate()["state"]) == (1, 0, "open")
        assert [entry.facts["level"] for entry in company.entries("gate.escalated")] == [1]
        assert company.gate()["due_at"] == (company.now + timedelta(days=4)).isoformat()


SHARED = """
plan: shared
title: Shared
calendar: {holidays: CH-ZH, time_zone: Europe/Zurich}
roles:
  board: {title: Board}
  chair: {title: Chair}
stalled_after: 5 days
remind: every 2 days
expires: {after: 10 days}
stages:
  - id: first
    title: First
    expires: {after: 4 days}
    escalate: [{after: 1 day, to: chair}]
    gates:
      - {id: by-the-stage, title: By the stage, kind: sign-off, question: "?", approvers: [board]}
      - {id: on-its-own, title: On its own, kind: sign-off, question: "?", approvers: [board], expires: , escalate: }
  - id: second
    title: Second
    needs: []
    stalled_after:
    gates:
      - {id: by-the-plan, title: By the plan, kind: sign-off, question: "?", approvers: [board]}
"""


def test_the_nearest_word_counts_also_when_it_is_nothing(db: Database) -> None:
    company = Company(db)
    company.start(SHARED)
    due = {key: company.gate(key)["due_at"] for key in ("by-the-stage", "on-its-own", "by-the-plan")}
    four, ten = (MONDAY + timedelta(days=days) for days in (4, 10))
    assert due == {"by-the-stage": four.isoformat(), "on-its-own": None, "by-the-plan": ten.isoformat()}
    company.later(days=3)
    report = company.checks()
    assert (report.escalated, report.reminded) == (1, 3)
    company.later(days=3)
    assert company.checks().stalled == 1  # the second stage says that it never stalls


def test_a_stored_plan_reads_back_as_it_was_completed(db: Database) -> None:
    company = Company(db)
    company.start(SHARED)
    with db.read() as session:
        assert session.query(PlanVersion).one().plan == read_plan(SHARED, "plan.yaml")


def test_everybody_concerned_sees_who_was_asked_as_well_since_when_and_who_was_reminded(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(f"{SIGN_OFF}, quorum: all, remind: every 1 day, escalate: [{{after: 2 days, to: chair}}]"))
    company.decides(BEN)
    company.later(days=1)
    company.checks()
    company.later(days=1)
    company.checks()
    seen = [str(reason) for reason in company.page(company.asked(ANNA)).question.chased]
    moment = (MONDAY + timedelta(days=2)).isoformat()
    assert len(seen) == 2
    assert "Emil Vogt, because Anna Keller, Carla Rossi had not answered." in seen[0]
    assert "Reminded 2 times" in seen[1]
    assert all(moment in str(reason.facts["moment"]).replace(" ", "T") for reason in
               company.page(company.asked(EMIL)).question.chased)  # fmt: skip
    assert any(EMIL in sentence for sentence in company.gate()["chased"])
