"""When a calendar changes, the times of what runs are reckoned anew at the next check, and only then."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.mail_times import Occasion
from models.database import Database
from operations import follow_calendar as following
from tests.company import MONDAY, PEOPLE, REQUESTER, Company
from tests.sample_plans import ROLES, SIGN_OFF, one_gate

ANNA = "anna@example.com"
DUE = one_gate(f"{SIGN_OFF}, quorum: all, escalate: [{{after: 2 business days, to: chair}}], "
               "expires: {after: 5 business days}")  # fmt: skip
CLOSED = PEOPLE + "closures:\n  - {first: 2026-03-05, last: 2026-03-06, title: Betriebsferien}\n"
WITHOUT = PEOPLE
NEXT_MONDAY, WEDNESDAY_AFTER = MONDAY + timedelta(days=7), MONDAY + timedelta(days=9)


def due_at(company: Company) -> datetime:
    return datetime.fromisoformat(company.gate()["due_at"])


def test_a_closure_of_the_directory_moves_what_is_due_at_the_next_check(db: Database) -> None:
    company = Company(db)
    company.start(DUE)
    company.checks()
    company.import_people(CLOSED)
    assert due_at(company) == NEXT_MONDAY
    assert company.checks().moved == 1
    assert due_at(company) == WEDNESDAY_AFTER
    [entry] = company.entries("gate.deadlines-moved")
    assert entry.facts == {"expires_at": [NEXT_MONDAY.isoformat(), WEDNESDAY_AFTER.isoformat()]}
    told = company.messages("information", REQUESTER)[-1]
    assert (told.facts["headline"]["text"][:24], told.occasion) == ("The calendar has changed", Occasion.MORNING)
    assert company.headlines(ANNA)[-1] == "“The gate” is to be decided by another date"


def test_a_file_without_closures_takes_them_away_and_the_dates_come_back(db: Database) -> None:
    company = Company(db, directory=CLOSED)
    company.start(DUE)
    assert due_at(company) == WEDNESDAY_AFTER
    company.import_people(WITHOUT)
    company.checks()
    assert due_at(company) == NEXT_MONDAY


def test_a_check_that_finds_the_same_calendar_changes_nothing(db: Database) -> None:
    company = Company(db)
    company.start(DUE)
    company.checks()
    before = company.actions()
    assert following.rollouts_off_calendar(db) == []
    company.import_people(CLOSED)
    company.checks()
    assert following.rollouts_off_calendar(db) == []
    assert company.checks().moved == 0
    assert company.actions() == [*before, "gate.deadlines-moved"]


def test_no_time_moves_to_where_it_would_have_passed_already(db: Database) -> None:
    """Without the closure time would have been up on Monday; on Tuesday nobody's time is up at once."""
    company = Company(db, directory=CLOSED)
    company.start(DUE)
    company.now = NEXT_MONDAY + timedelta(days=1)
    company.import_people(WITHOUT)
    report = company.checks_on_schedule()
    assert (report.expired, company.gate()["state"]) == (0, "open")
    assert due_at(company) == WEDNESDAY_AFTER


def test_a_reminder_that_has_come_is_sent_all_the_same(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(f"{SIGN_OFF}, quorum: all, remind: every 2 business days"))
    company.later(days=2)
    company.import_people(CLOSED)
    assert company.checks().reminded == 1


RENEWED = f"""
plan: renewed
title: Renewed
calendar: {{holidays: CH-ZH, time_zone: Europe/Zurich}}
{ROLES}
stages:
  - id: first
    title: First
    gates:
      - {{id: gate, title: The gate, {SIGN_OFF}, quorum: any, renew: {{every: every 10 business days, within: 2 days}}}}
  - id: second
    title: Second
    stalled_after: 5 business days
    gates:
      - {{id: open, title: Open, {SIGN_OFF}, quorum: any}}
"""


def test_a_renewal_to_come_and_a_stage_that_is_watched_move_as_well(db: Database) -> None:
    company = Company(db)
    company.start(RENEWED)
    company.decides(ANNA)
    company.import_people(CLOSED)
    company.checks()
    assert company.gate()["renew_at"] == (WEDNESDAY_AFTER + timedelta(days=7)).isoformat()
    company.now = WEDNESDAY_AFTER - timedelta(seconds=1)
    assert company.checks().stalled == 0
    company.later(seconds=1)
    assert company.checks().stalled == 1
    assert [entry.stage for entry in company.entries("stage.deadlines-moved")] == ["second"]


def test_a_window_opens_by_the_closures_as_they_are(db: Database) -> None:
    company = Company(db, now=datetime(2026, 3, 4, 20, tzinfo=UTC))
    company.start(one_gate('kind: window, hours: "09:00-17:00", business_days: true'))
    company.import_people(CLOSED)
    company.checks()
    company.now = datetime(2026, 3, 5, 9, tzinfo=UTC)  # Thursday, closed
    company.checks()
    assert company.gate()["state"] == "open"
    company.now = datetime(2026, 3, 9, 8, tzinfo=UTC)
    company.checks()
    assert company.gate()["state"] == "passed"


def test_a_newer_list_of_holidays_is_followed_too(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    from domain import days_off
    from domain.calendar_digest import digest_of

    company = Company(db)
    company.start(DUE)
    known = days_off.in_year
    new_holiday = (MONDAY + timedelta(days=1)).date()

    def newer(name: str, year: int) -> Any:
        return known(name, year) | {new_holiday}

    monkeypatch.setattr(days_off, "in_year", newer)
    digest_of.cache_clear()
    company.checks()
    assert due_at(company) == NEXT_MONDAY + timedelta(days=1)
    digest_of.cache_clear()
