"""The bundled plan software-release as the database sees it: what stops a release, and who can let it go on.

What the flow runs come to is recorded by hand; tests/flows/test_software_release.py has a worker execute them.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.run import RunState
from models.database import Database
from operations.note_run import note_run
from operations.record_measurement import record_measurement
from operations.record_run import RunFacts, record_run
from operations.resume_rollout import resume_rollout
from operations.run_gates import runs_to_follow, wanted_run
from operations.workspace import Actor
from plans.catalogue import BUNDLED, Catalogue
from tests.company import KEYS, MONDAY, Company

LEA, TIM, MEI = "lea.brunner@example.com", "tim.vogel@example.com", "mei.tanaka@example.com"
EMMA, JONAS, SARA = "emma.clarke@example.com", "jonas.baumann@example.com", "sara.lehmann@example.com"
PEOPLE = (BUNDLED / "people" / "sample.yaml").read_text("utf-8")
SATURDAY = MONDAY - timedelta(days=2)
WAVES = (("canary", 1), ("tenth", 10), ("half", 50), ("everything", 100))


def release(db: Database, version: str = "2.4.0", **inputs: str) -> Company:
    """A release that was started, and approved by the engineering lead."""
    company = Company(db, directory=PEOPLE)
    source = Catalogue().load("software-release").source
    company.start(source, title=f"Release {version}", requester=LEA, inputs={"release": version, **inputs})
    company.decides(TIM)
    return company


def shifts(company: Company, state: RunState = RunState.COMPLETED) -> dict[str, object]:
    """Let the flow run that is wanted now come to something; return what it was given."""
    [run] = [run for run in runs_to_follow(company.db) if run.rollout_id == company.rollout_id]
    given = dict(wanted_run(company.db, run.gate_id, company.now).parameters)
    note_run(company.db, KEYS, run.rollout_id, run.gate_id, f"run-{run.gate_id}", "a flow run", company.now)
    record_run(
        company.db, KEYS, run.rollout_id, run.gate_id, RunFacts(f"run-{run.gate_id}", state, "a run"), company.now
    )
    return given


def measures(company: Company, percent: int, errors: str = "0.4", response: str = "250", sample: str = "20000") -> None:
    measure(company, f"error-rate-{percent}", errors, sample)
    measure(company, f"response-time-{percent}", response, sample)


def measure(company: Company, metric: str, value: str, sample: str = "20000") -> None:
    """Record a value, as the release manager does by `etappe measure`."""
    who = Actor(EMMA, "command")
    record_measurement(company.db, KEYS, company.rollout_id, metric, value, who, company.now, sample=sample)


def wave(company: Company, percent: int) -> None:
    """One wave in which all is well, up to the decision."""
    shifts(company)
    measures(company, percent)
    company.decides(EMMA)


def test_from_one_percent_to_all_of_it(db: Database) -> None:
    company = release(db)
    for name, percent in WAVES:
        assert shifts(company) == {"release": "2.4.0", "percent": str(percent), "fail": False}
        assert [request.purpose.value for request in company.requests(EMMA) if request.closed_at is None] == [
            "measure",
            "measure",
        ]
        measures(company, percent)
        company.decides(EMMA, lessons="Look from outside as well." if name == "everything" else "")
    assert company.state == "completed"


def test_nobody_is_asked_before_both_figures_are_right(db: Database) -> None:
    company = release(db)
    shifts(company)
    measures(company, 1, sample="50")
    assert company.gate("canary-go")["state"] == "waiting"
    assert company.gate("canary-errors")["waits"][0] == "The sample is 50; it must be at least 200."
    measures(company, 1, response="900")
    assert (company.state, company.gate("canary-go")["state"]) == ("held", "waiting")
    measures(company, 1, response="390")
    assert (company.state, company.gate("canary-go")["state"]) == ("open", "open")


def test_the_limits_can_be_given(db: Database) -> None:
    company = release(db, **{"error-limit": "0.1"})
    shifts(company)
    measure(company, "error-rate-1", "0.4")
    assert company.gate("canary-errors")["state"] == "rejected"


def test_a_shift_that_fails_is_rehearsed_and_done_again(db: Database) -> None:
    company = release(db, **{"rehearse-failure": "yes"})
    assert shifts(company, RunState.FAILED)["fail"] is True
    assert (company.state, company.gate("canary-errors")["state"]) == ("held", "waiting")
    company.changes(by=LEA, **{"rehearse-failure": "no"})
    resume_rollout(db, KEYS, company.rollout_id, "it answers again", Actor(LEA, "command"), company.now)
    assert shifts(company)["fail"] is False
    assert company.gate("canary-errors")["state"] == "open"


def test_whoever_has_approved_the_release_cannot_be_asked_to_roll_it_out(db: Database) -> None:
    company = Company(db, directory=PEOPLE)
    company.start(
        Catalogue().load("software-release").source,
        requester=LEA,
        inputs={"release": "2.4.0"},
        people={"engineering-lead": [TIM], "release-manager": [TIM, EMMA]},
    )
    company.decides(TIM)
    shifts(company)
    measures(company, 1)
    assert company.gate("canary-go")["waiting_for"] == [EMMA]


def test_a_second_release_waits_for_production(db: Database) -> None:
    company = release(db)
    first = company.rollout_id
    second = release(db, "2.5.0").rollout_id
    waiting = Company(db, directory=PEOPLE, rollout_id=second)
    assert waiting.stage_states()["canary"] == "waiting"
    assert [run.rollout_id for run in runs_to_follow(db)] == [first]
    wave(company, 1)
    company.checks()  # as the relay does at once
    assert waiting.stage_states()["canary"] == "open"
    assert company.stage_states()["tenth"] == "waiting"


def test_all_of_the_traffic_waits_for_office_hours_or_for_who_may_break_the_glass(db: Database) -> None:
    company = Company(db, now=SATURDAY, directory=PEOPLE)
    company.start(Catalogue().load("software-release").source, requester=LEA, inputs={"release": "2.4.0"})
    company.decides(MEI)
    for _, percent in WAVES[:3]:
        wave(company, percent)
    assert (company.gate("office-hours")["state"], company.gate("everything-shift")["state"]) == ("open", "waiting")
    company.waives(SARA, "office-hours", "a security fix")
    assert company.gate("everything-shift")["state"] == "open"


@pytest.mark.parametrize(("hours", "state"), [(40, "open"), (47, "passed")])
def test_the_window_opens_on_monday_morning(db: Database, hours: int, state: str) -> None:
    company = Company(db, now=SATURDAY, directory=PEOPLE)
    company.start(Catalogue().load("software-release").source, requester=LEA, inputs={"release": "2.4.0"})
    company.decides(MEI)
    for _, percent in WAVES[:3]:
        wave(company, percent)
    company.later(hours=hours)
    company.checks()
    assert company.gate("office-hours")["state"] == state
