"""Windows open by themselves, and gates that are asked after others ask nobody before those have passed."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from domain.reasons import Reason
from models.changes import Changes
from models.database import Database
from operations.chart import chart
from operations.check_stalled import check_stalled
from operations.installation import Installation
from settings import Settings
from tests.company import KEYS, REQUESTER, Company
from tests.sample_plans import ROLES, SIGN_OFF, one_gate
from worker.prefect_page import summary
from worker.relay import run

ANNA, BEN, CARLA, EMIL = "anna@example.com", "ben@example.com", "carla@example.com", "emil@example.com"
OFFICE = 'kind: window, weekdays: [tuesday], hours: "09:00-17:00"'
TUESDAY = datetime(2026, 3, 3, 8, 0, tzinfo=UTC)  # 09:00 in Zurich


def stage(*gates: str) -> str:
    """A plan with one stage of these gates, each written as a YAML flow mapping."""
    lines = "".join(f"      - {{{gate}}}\n" for gate in gates)
    return f"plan: ordered\ntitle: Ordered\n{ROLES}\nstages:\n  - id: only\n    title: Only stage\n    gates:\n{lines}"


def test_a_window_that_is_open_passes_at_once(db: Database) -> None:
    company = Company(db, now=TUESDAY)
    company.start(one_gate(OFFICE))
    assert (company.state, company.gate()["outcome"]) == ("completed", "go")
    [entry] = company.entries("gate.passed")
    assert entry.facts["because"] == "the window is open"


def test_one_that_is_closed_waits_asks_nobody_and_says_when_it_opens(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(OFFICE))
    gate = company.gate()
    assert (gate["state"], gate["waiting_for"]) == ("open", [])
    assert gate["waits"] == ["Opens on Tuesday, 3 March 2026, 09:00."]
    assert company.messages("request") == []


def test_it_opens_by_the_check_and_not_a_minute_early(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(OFFICE))
    company.now = TUESDAY - timedelta(minutes=1)
    company.checks()
    assert company.gate()["state"] == "open"
    company.now = TUESDAY
    assert company.checks().advanced == 1
    assert company.state == "completed"


def test_one_that_was_missed_says_when_it_opens_next(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(OFFICE))
    company.now = TUESDAY + timedelta(hours=8)  # the machine was off all day
    company.checks()
    assert company.gate()["waits"] == ["Opens on Tuesday, 10 March 2026, 09:00."]
    sequence = company.entries()[-1].sequence
    company.checks()
    assert company.entries()[-1].sequence == sequence


@pytest.mark.parametrize(("on_reject", "state"), [("hold", "held"), ("kill", "killed")])
def test_one_that_does_not_open_again_is_rejected_and_says_why(db: Database, on_reject: str, state: str) -> None:
    company = Company(db)
    company.start(one_gate(f"kind: window, dates: [{{first: 2026-02-02, last: 2026-02-06}}], on_reject: {on_reject}"))
    assert company.state == state
    [entry] = company.entries("gate.rejected")
    assert entry.facts["because"] == "the window does not open again"
    assert company.messages("outcome", REQUESTER)


def test_resuming_before_one_that_does_not_open_again_holds_once_more(db: Database) -> None:
    company = Company(db)
    company.start(one_gate("kind: window, dates: [{first: 2026-02-02, last: 2026-02-06}]"))
    company.resumes()
    assert (company.state, company.gate()["round"]) == ("held", 2)


def test_time_may_be_up_at_a_window_and_an_escalation_tells_without_asking(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(f"{OFFICE}, escalate: [{{after: 1 hour, to: chair}}], expires: {{after: 2 hours}}"))
    company.later(hours=1)
    company.checks_on_schedule()
    assert company.requests(EMIL) == []
    assert company.headlines(EMIL) == ["“The gate” has not passed yet"]
    [told] = [row for row in company.messages("information", REQUESTER) if row.facts["gate"] == "gate"]
    [sentence] = told.facts["sentences"]
    assert str(Reason.from_json(sentence)) == "Told that it has not passed yet: Emil Vogt."
    company.later(hours=1)
    company.checks_on_schedule()
    assert company.state == "held"


def test_prefects_page_says_when_it_opens(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(OFFICE), flow_run_id="5f2b6d0e-0000-4000-8000-000000000001")
    shown = chart(db, company.rollout_id, company.now)
    assert shown is not None
    [line] = shown.gates
    assert [str(reason) for reason in line.waits] == ["Opens on 2026-03-03T08:00:00+00:00."]
    assert summary(shown) == ("Suspended", "The gate: Opens on Tuesday, 3 March 2026, 09:00.")


def test_whom_the_plan_names_may_waive_one_that_is_closed(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(f"{OFFICE}, waiver: [chair]"))
    company.waives(EMIL)
    assert (company.state, company.gate()["state"]) == ("completed", "waived")


def test_one_whose_hours_are_changed_meanwhile_opens_by_the_new_ones(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(OFFICE))
    company.migrates(one_gate(OFFICE.replace("09:00", "11:00")))
    assert company.gate()["waits"] == ["Opens on Tuesday, 3 March 2026, 11:00."]
    company.now = TUESDAY
    company.checks()
    assert company.gate()["state"] == "open"
    company.later(hours=2)
    company.checks()
    assert company.state == "completed"


def test_the_relay_opens_it_without_waiting_for_the_check(db: Database, tmp_path: Path) -> None:
    company = Company(db)
    company.start(one_gate("kind: window, dates: [{first: 2026-03-03, last: 2099-12-31}]"))
    assert company.state == "open"
    given = {"ETAPPE_HOME": str(tmp_path), "ETAPPE_DATABASE_URL": db.url, "ETAPPE_SECRET_KEYS": KEYS[0].decode(),
             "ETAPPE_SMTP_URL": "smtp://127.0.0.1:9"}  # fmt: skip
    installation, stop = Installation(Settings.from_environment(given)), threading.Event()
    relay = threading.Thread(target=run, args=(installation, stop), kwargs={"with_prefect": False})
    relay.start()
    try:
        with Changes(db) as changes:
            until = time.monotonic() + 20
            while company.state != "completed" and time.monotonic() < until:
                changes.wait(1)
    finally:
        stop.set()
        relay.join(30)
        installation.db.close()
    assert company.state == "completed"


class TestAskedAfter:
    """Nobody's time goes into a stage that cannot pass anyhow."""

    WINDOW = f"id: window, title: Window, {OFFICE}"
    CHECK = "id: check, title: Check, kind: check, signed_with: ci"
    MEASURE = "id: measure, title: Measure, kind: measurement, metric: hits, at_least: 70, measured_by: finance"
    PEOPLE = f"id: people, title: People, {SIGN_OFF}, ask_after: [window, measure]"

    def test_nobody_is_mailed_before_a_window_and_a_measurement_have_passed(self, db: Database) -> None:
        company = Company(db)
        company.start(stage(self.PEOPLE, self.WINDOW, self.MEASURE))
        assert company.gate("people")["waits"] == ["Is asked after: Window, Measure."]
        company.measures("hits", "90")
        assert company.gate("people")["waits"] == ["Is asked after: Window."]
        company.later(hours=3)
        company.checks()
        assert [message.recipient for message in company.messages("request")] == ["dora@example.com"]
        company.now = TUESDAY
        company.checks()
        assert company.gate("people")["state"] == "open"
        asked = {message.recipient for message in company.messages("request")}
        assert {ANNA, BEN, CARLA} <= asked

    def test_nobody_is_mailed_when_it_cannot_pass(self, db: Database) -> None:
        company = Company(db, now=TUESDAY)
        company.start(stage(self.PEOPLE, self.WINDOW, self.MEASURE))
        company.measures("hits", "12")
        assert (company.state, company.gate("people")["state"]) == ("held", "waiting")
        assert [message.recipient for message in company.messages("request")] == ["dora@example.com"]
        company.measures("hits", "80")
        assert company.gate("people")["state"] == "open"

    def test_reminders_and_deadlines_count_from_the_asking(self, db: Database) -> None:
        company = Company(db)
        company.start(stage(f"{self.PEOPLE}, expires: {{after: 2 days}}", self.WINDOW, self.MEASURE))
        company.measures("hits", "90")
        company.now = TUESDAY
        company.checks()
        due = datetime.fromisoformat(company.gate("people")["due_at"])
        assert due == TUESDAY + timedelta(days=2)

    def test_one_after_the_other_also_among_people(self, db: Database) -> None:
        company = Company(db)
        second = (
            'id: second, title: Second, kind: sign-off, question: "Really?", approvers: [chair], ask_after: [first]'
        )
        first = 'id: first, title: First, kind: sign-off, question: "Shall we?", approvers: [finance]'
        company.start(stage(second, first))
        assert company.requests(EMIL) == []
        company.decides("dora@example.com")
        assert company.asked(EMIL)

    def test_after_going_back_it_waits_again(self, db: Database) -> None:
        company = Company(db, now=TUESDAY)
        people = f"{self.PEOPLE}, on_reject: {{recycle: only}}, quorum: any".replace("window, measure", "window")
        company.start(stage(people, self.WINDOW))
        company.now = TUESDAY + timedelta(hours=9)  # the window has closed meanwhile
        for person in (ANNA, BEN, CARLA):
            company.decides(person, "reject")
        assert (company.gate("people")["round"], company.gate("people")["state"]) == (2, "waiting")
        assert company.gate("window")["waits"] == ["Opens on Tuesday, 10 March 2026, 09:00."]


def test_looking_twice_opens_once(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(OFFICE))
    for _ in range(3):
        check_stalled(db, KEYS, TUESDAY)
    assert len(company.entries("gate.passed")) == 1
