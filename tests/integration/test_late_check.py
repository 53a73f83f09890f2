"""The check itself is watched: when it stays away, the pages, the monitor and the administrators hear of it."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from models.checks import CheckRun
from models.database import Database
from operations.check_health import CheckHealth, check_health
from operations.report_late_check import report_late_check
from tests.api_client import ADMIN, Api
from tests.company import MONDAY, REQUESTER, Company
from tests.integration.test_two_at_once import race
from tests.sample_plans import SIGN_OFF, one_gate

LATE = "The scheduled check is late"
LONG_AGO = MONDAY - timedelta(days=1)


def late(company: Company) -> Company:
    """The check has run once, and not for forty minutes."""
    company.start(one_gate(f"{SIGN_OFF}, expires: {{after: 30 minutes}}"))
    company.checks()
    company.later(minutes=40)
    return company


def test_the_administrators_hear_it_once_each_time_it_stays_away(company: Company) -> None:
    late(company)
    told = [report_late_check(company.db, company.now, LONG_AGO) for _ in range(2)]
    assert told == [[ADMIN], []]
    company.checks()
    assert report_late_check(company.db, company.now, LONG_AGO) == []
    company.later(minutes=40)
    assert report_late_check(company.db, company.now, LONG_AGO) == [ADMIN]
    assert company.told(ADMIN) == [LATE, LATE]


def test_of_two_relays_at_once_one_says_it(company: Company) -> None:
    late(company)
    race([lambda: report_late_check(company.db, company.now, LONG_AGO)] * 4)
    assert company.told(ADMIN) == [LATE]


def test_without_an_administrator_the_owners_of_what_is_under_way_hear_it(db: Database) -> None:
    company = late(Company(db))
    assert report_late_check(db, company.now, LONG_AGO) == [REQUESTER]


def test_a_watcher_that_was_off_as_well_gives_the_check_time_to_come_back(company: Company) -> None:
    late(company)
    assert report_late_check(company.db, company.now, company.now - timedelta(minutes=37)) == []
    assert report_late_check(company.db, company.now, company.now - timedelta(minutes=38)) == [ADMIN]


def test_before_its_first_run_it_is_late_once_a_rollout_has_waited(company: Company) -> None:
    company.later(days=1)
    assert not health(company).late
    company.start(one_gate(SIGN_OFF))
    company.later(minutes=38)
    assert health(company).late


def test_runs_that_died_half_way_leave_it_late_and_are_counted(company: Company) -> None:
    late(company)
    dies(company)
    assert (health(company).late, health(company).unfinished) == (True, 1)
    company.checks()
    assert (health(company).late, health(company).unfinished) == (False, 0)


def test_a_run_that_claims_to_have_finished_tomorrow_hides_nothing(company: Company) -> None:
    late(company)
    company.later(days=1)
    company.checks()
    company.later(days=-1)
    assert health(company).late


def health(company: Company) -> CheckHealth:
    with company.db.read() as session:
        return check_health(session, company.now)


def dies(company: Company) -> None:
    with company.db.write() as session:
        session.add(CheckRun(started_at=company.now, report={}))


def test_readiness_says_that_it_is_late_and_stays_ready(company: Company, api: Api) -> None:
    assert api.client.get("/readyz").json()["check"] == "not yet"
    late(company)
    answer = api.client.get("/readyz")
    assert (answer.status_code, answer.json()["check"], answer.json()["last_check_seconds"]) == (200, "late", 2400)
    company.checks()
    assert api.client.get("/readyz").json()["check"] == "on time"


def test_the_monitor_reads_how_the_check_is_doing_and_what_waits(company: Company, api: Api) -> None:
    late(company)
    measured = metrics(api)
    assert (measured["etappe_check_late"], measured["etappe_gates_overdue"]) == (1, 1)
    assert measured["etappe_check_age_seconds"] == pytest.approx(2400, abs=1)
    assert measured["etappe_check_duration_seconds"] < 5
    assert (measured['etappe_rollouts{state="open"}'], measured["etappe_gates_open"]) == (1, 1)
    assert measured['etappe_messages{state="pending"}'] == len(company.messages())
    assert measured["etappe_oldest_due_message_seconds"] == 2400
    company.checks_on_schedule()
    measured = metrics(api)
    assert (measured["etappe_check_late"], measured['etappe_check_did{what="expired"}']) == (0, 1)


def metrics(api: Api) -> dict[str, float]:
    """What /metrics shows, by name and label; nothing in it names a person."""
    answer = api.client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert "@" not in answer.text
    return {name: float(value) for name, value in re.findall(r"^(etappe_\S+) (\S+)$", answer.text, re.MULTILINE)}
