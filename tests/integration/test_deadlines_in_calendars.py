"""Deadlines reach people's calendars: one by one with the mail that asks, and all of them by a feed of their own."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from icalendar import Calendar
from sqlalchemy import event

from domain.errors import UnknownPerson
from models.database import Database
from notifications.facts import Deadline
from notifications.messages import Asking, ReceiptMail
from operations.compose_message import Composer, workspace_for
from operations.renew_feed import renew_feed
from settings import Settings
from tests.company import KEYS, PEOPLE, Company
from tests.sample_plans import SIGN_OFF, one_gate
from web.app import create_app

ANNA, BEN, DORA = "anna@example.com", "ben@example.com", "dora@example.com"
BASE = "https://etappe.example.com"
DUE = one_gate(f"{SIGN_OFF}, quorum: all, remind: every 1 days, expires: {{after: 6 days}}")
ENDLESS = one_gate(f"{SIGN_OFF}, quorum: all")


@pytest.fixture
def company(db: Database) -> Company:
    """A company without any rollout yet."""
    return Company(db)


@pytest.fixture
def browser(company: Company, tmp_path: Path) -> TestClient:
    """A calendar program."""
    given = {"ETAPPE_HOME": str(tmp_path), "ETAPPE_SECRET_KEYS": KEYS[0].decode(), "ETAPPE_BASE_URL": BASE}
    app = create_app(Settings.from_environment(given), company.db, now=lambda: company.now)
    return TestClient(app, raise_server_exceptions=False)


def newest_deadline(company: Company, topic: str, person: str = ANNA) -> Deadline | None:
    message = company.messages(topic, person)[-1]
    with company.db.read() as session:
        mail = Composer(KEYS, BASE).compose(workspace_for(session, message, company.now), message)
    assert isinstance(mail, Asking)
    return mail.deadline


def feed_of(company: Company, person: str = ANNA) -> str:
    address = renew_feed(company.db, KEYS, BASE, person, renew=False)
    assert address.startswith(f"{BASE}/calendar/")
    return address.removeprefix(BASE)


def summaries(text: str) -> list[str]:
    return [str(one["summary"]) for one in Calendar.from_ical(text).walk("VEVENT")]


def test_a_deadline_that_has_moved_keeps_its_identity_and_has_a_higher_revision(company: Company) -> None:
    company.start(DUE, owner=DORA)
    first = newest_deadline(company, "request")
    company.decides(BEN, "request-changes")
    assert newest_deadline(company, "request") is None  # the clock stands still, so there is no moment to name
    company.later(days=2)
    company.answers_changes(DORA)
    company.later(days=2)
    company.checks()
    moved = newest_deadline(company, "reminder")
    assert first and moved
    assert moved.request_id == first.request_id
    assert moved.due_at == first.due_at + timedelta(days=2)
    assert moved.revision > first.revision


def test_what_is_due_at_no_moment_is_in_no_calendar(company: Company, browser: TestClient) -> None:
    company.start(ENDLESS)
    assert newest_deadline(company, "request") is None
    assert summaries(browser.get(feed_of(company)).text) == []


def test_the_feed_has_all_that_somebody_is_asked_now_in_every_rollout(company: Company, browser: TestClient) -> None:
    company.start(DUE, title="The later one")
    company.now -= timedelta(days=1)
    company.start(DUE, title="The first one")
    assert summaries(browser.get(feed_of(company)).text) == [
        "Zu entscheiden: The gate (The first one)",
        "Zu entscheiden: The gate (The later one)",
    ]
    company.decides(ANNA)
    assert summaries(browser.get(feed_of(company)).text) == ["Zu entscheiden: The gate (The later one)"]
    assert summaries(browser.get(feed_of(company, DORA)).text) == []


def test_a_calendar_program_is_told_when_nothing_has_changed(company: Company, browser: TestClient) -> None:
    company.start(DUE)
    answer = browser.get(feed_of(company))
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    assert answer.headers["cache-control"] == "private, no-cache"
    company.later(hours=1)
    known = {"If-None-Match": answer.headers["etag"]}
    assert (browser.head(feed_of(company)).status_code, browser.head(feed_of(company)).content) == (200, b"")
    assert browser.get(feed_of(company), headers=known).status_code == 304
    company.decides(ANNA)
    assert browser.get(feed_of(company), headers=known).status_code == 200


def test_a_feed_that_was_renewed_and_that_of_somebody_who_is_gone_lead_nowhere(
    company: Company, browser: TestClient
) -> None:
    before = feed_of(company)
    renew_feed(company.db, KEYS, BASE, ANNA)
    after = feed_of(company)
    assert [browser.get(path).status_code for path in (before, after)] == [404, 200]
    assert browser.get(after.replace("/calendar/", "/calendar/x")).status_code == 404
    without_anna = PEOPLE.replace("  - {email: anna@example.com, name: Anna Keller, language: de}\n", "")
    company.import_people(without_anna.replace("anna@example.com, ", ""))
    assert browser.get(after).status_code == 404
    with pytest.raises(UnknownPerson):
        renew_feed(company.db, KEYS, BASE, ANNA)


def test_a_feed_by_an_older_key_goes_on_while_that_key_is_known(company: Company, browser: TestClient) -> None:
    older = b"the key of the years before"
    path = renew_feed(company.db, (older,), BASE, ANNA, renew=False).removeprefix(BASE)
    assert browser.get(path).status_code == 404
    given = {"ETAPPE_HOME": "/nowhere", "ETAPPE_SECRET_KEYS": f"{KEYS[0].decode()},{older.decode()}"}
    knowing_both = create_app(Settings.from_environment(given), company.db, now=lambda: company.now)
    assert TestClient(knowing_both).get(path).status_code == 200


def test_a_long_feed_takes_no_more_queries_than_a_short_one(company: Company, browser: TestClient) -> None:
    def queries() -> int:
        seen: list[str] = []

        def note(connection: object, cursor: object, statement: str, *_: object) -> None:
            seen.append(statement)

        event.listen(company.db.engine, "before_cursor_execute", note)
        assert browser.get(path).status_code == 200
        event.remove(company.db.engine, "before_cursor_execute", note)
        return len(seen)

    path = feed_of(company)
    company.start(DUE)
    queries()  # whichever plan is read for the first time is kept by the process
    short = queries()
    for _ in range(5):
        company.start(DUE)
    assert queries() == short <= 5
    assert len(summaries(browser.get(path).text)) == 6


def test_the_receipt_says_where_the_feed_is(company: Company, browser: TestClient) -> None:
    company.start(DUE)
    company.decides(ANNA)
    [receipt] = company.messages("receipt", ANNA)
    with company.db.read() as session:
        mail = Composer(KEYS, BASE).compose(workspace_for(session, receipt, company.now), receipt)
    assert isinstance(mail, ReceiptMail)
    assert browser.get(mail.feed.removeprefix(BASE)).status_code == 200
