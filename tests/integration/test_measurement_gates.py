"""Values that are held against a target: from whom, how old, and what comes of a new one."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.errors import GateSettled, InvalidInput, RolloutEnded
from models.database import Database
from models.requests import Purpose, RequestState
from operations.record_measurement import record_measurement_by_link
from operations.show_request import RequestPage
from tests.company import ANNA, DORA, EMIL, KEYS, Company
from tests.sample_plans import ROLES, SIGN_OFF, one_gate

MEASURED = "kind: measurement, metric: hits, measured_by: finance, at_least: 70"


@pytest.mark.parametrize(
    ("value", "state"), [("69.9999", "held"), ("70", "completed"), ("70.0", "completed"), ("71", "completed")]
)
def test_a_value_is_held_against_its_target(db: Database, value: str, state: str) -> None:
    company = Company(db)
    company.start(one_gate(MEASURED))
    company.measures("hits", value)
    assert company.state == state


def test_a_value_just_below_its_target_stays_below_when_it_is_read_again(db: Database) -> None:
    company = Company(db)
    plan = f"""
plan: later
title: Later
{ROLES}
stages:
  - {{id: first, title: First, gates: [{{id: gate, title: G, {SIGN_OFF}, quorum: any}}]}}
  - {{id: second, title: Second, gates: [{{id: measured, title: M, {MEASURED}}}]}}
"""
    company.start(plan)
    company.measures("hits", "69.999999999")
    company.decides(ANNA)
    assert company.gate("measured")["state"] == "rejected"


def test_a_target_may_be_a_most(db: Database) -> None:
    company = Company(db)
    company.start(one_gate("kind: measurement, metric: hours, measured_by: finance, at_most: 24"))
    company.measures("hours", "24.01")
    assert company.state == "held"
    company.measures("hours", "24")
    assert company.state == "completed"


def test_a_new_value_asks_a_held_stage_again_and_passes_it(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(MEASURED))
    company.measures("hits", "12")
    assert (company.state, company.stage_states()) == ("held", {"only": "held"})
    company.later(days=3)
    company.measures("hits", "13")
    assert (company.state, company.gate()["round"]) == ("held", 2)
    company.measures("hits", "90")
    assert (company.state, company.gate()["round"]) == ("completed", 3)


def test_after_resuming_by_hand_the_old_value_does_not_count(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(MEASURED))
    company.measures("hits", "12")
    company.resumes()
    assert (company.state, company.gate()["state"], company.gate()["round"]) == ("open", "open", 2)


def test_a_new_value_does_not_override_a_review_that_put_the_stage_on_hold(db: Database) -> None:
    company = Company(db)
    review = "- {id: review, title: R, kind: review, question: '?', approvers: [chair]}"
    company.start(f"{one_gate(MEASURED)}      {review}\n")
    company.decides(EMIL, "hold")
    company.measures("hits", "12")
    company.measures("hits", "90")
    assert (company.state, company.gate("review")["round"]) == ("held", 1)
    company.resumes()
    assert company.gate()["state"] == "passed"
    company.decides(EMIL)
    assert company.state == "completed"


def test_too_small_a_sample_leaves_the_gate_open(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(f"{MEASURED}, minimum_sample: 10"))
    for sample in ("", "9"):
        company.measures("hits", "90", sample)
        assert company.gate()["state"] == "open"
    company.measures("hits", "90", "10")
    assert company.state == "completed"


def test_a_value_that_is_too_old_leaves_the_gate_open(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(f"{MEASURED}, maximum_age: 48 hours"))
    company.measures("hits", "90", measured_at=company.now - timedelta(hours=48, seconds=1))
    assert company.gate()["state"] == "open"
    company.measures("hits", "90", measured_at=company.now - timedelta(hours=48))
    assert company.state == "completed"


@pytest.mark.parametrize("value", ["many", "", "NaN", "inf", "1e3", "1,250", "1.250", "--1", "７"])
def test_what_is_not_a_number_in_one_reading_is_refused(db: Database, value: str) -> None:
    company = Company(db)
    company.start(one_gate(MEASURED))
    with pytest.raises(InvalidInput):
        company.measures("hits", value)
    assert company.entries("measurement.recorded") == []


def test_values_of_an_unknown_metric_from_the_future_or_after_the_end_are_refused(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(MEASURED))
    with pytest.raises(InvalidInput, match="hits"):
        company.measures("hit", "90")
    with pytest.raises(InvalidInput, match="future"):
        company.measures("hits", "90", measured_at=company.now + timedelta(seconds=1))
    company.measures("hits", "90")
    with pytest.raises(RolloutEnded):
        company.measures("hits", "90")


def measure_by_link(company: Company, value: str) -> RequestPage:
    [request] = [row for row in company.requests(DORA) if row.purpose is Purpose.MEASURE]
    page = company.page(request)
    return record_measurement_by_link(
        company.db, KEYS, company.token(request), value, "", company.code(request), page.digest, company.now
    )


def test_a_value_can_be_brought_by_link_and_twice_is_once(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(MEASURED))
    assert measure_by_link(company, "90").settlement is not None
    assert measure_by_link(company, "90").settlement is not None
    assert len(company.entries("measurement.recorded")) == 1
    with pytest.raises(GateSettled):
        measure_by_link(company, "91")


def test_a_value_that_fails_is_recorded_once_too(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(MEASURED))
    for _ in range(2):
        assert measure_by_link(company, "12").state is RequestState.DONE
    assert (company.state, len(company.entries("measurement.recorded"))) == ("held", 1)
