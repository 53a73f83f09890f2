"""Measured values by API: one by one or as a file, from whom they are asked, and from nobody else."""

from __future__ import annotations

from typing import Any

import pytest
from httpx import Response

from tests.api_client import ADMIN, ANNA, BEN, EMIL, Api, refused
from tests.company import REQUESTER, Company
from tests.sample_plans import SIGN_OFF, one_gate

MEASUREMENT = "kind: measurement, metric: visits, at_least: 100, measured_by: ben@example.com"


@pytest.mark.parametrize("person", [BEN, REQUESTER, ADMIN])
@pytest.mark.parametrize("value", [100, 100.5, "1000", "1.000", 123456789012345])
def test_a_value_is_brought_by_whom_the_plan_asks_and_by_whoever_looks_after_it(
    company: Company, api: Api, person: str, value: Any
) -> None:
    company.start(one_gate(MEASUREMENT))
    body = {"metric": "visits", "value": value, "sample": 7, "measured_at": "2026-03-02T09:30:00+01:00"}
    answer = api.post(person, f"/rollouts/{company.rollout_id}/measurements", body)
    assert answer.status_code == 201, answer.text
    [entry] = company.entries("measurement.recorded")
    assert (entry.actor, entry.channel, entry.assurance) == (person, "api", "token")
    assert (entry.facts["sample"], entry.facts["measured_at"]) == (7, "2026-03-02T09:30:00+01:00")
    assert company.state == ("held" if value == "1.000" else "completed")


@pytest.mark.parametrize(
    ("changed", "status", "code"),
    [
        ({"metric": "visitors"}, 422, "invalid-input"),
        ({"value": "many"}, 422, "invalid-input"),
        ({"value": True}, 422, "invalid-input"),
        ({"value": "NaN"}, 422, "invalid-input"),
        ({"value": 1e300}, 422, "invalid-input"),
        ({"sample": -1}, 422, "invalid-input"),
        ({"sample": "7"}, 422, "invalid-input"),
        ({"measured_at": "2026-03-02T09:30:00"}, 422, "invalid-input"),
        ({"measured_at": "2030-03-02T09:30:00Z"}, 422, "invalid-input"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused(
    company: Company, api: Api, changed: dict[str, Any], status: int, code: str
) -> None:
    company.start(one_gate(MEASUREMENT))
    body = {"metric": "visits", "value": 1, **changed}
    refused(api.post(BEN, f"/rollouts/{company.rollout_id}/measurements", body), status, code)
    assert company.entries("measurement.recorded") == []


def test_values_are_not_taken_from_somebody_who_only_sees_the_rollout(company: Company, api: Api) -> None:
    company.start(one_gate(MEASUREMENT.replace("ben@example.com", "finance")))
    asked = one_gate(f"{SIGN_OFF}}}\n      - {{id: value, title: Value, {MEASUREMENT}")
    company.start(asked)
    answer = api.post(ANNA, f"/rollouts/{company.rollout_id}/measurements", {"metric": "visits", "value": 1})
    refused(answer, 403, "not-allowed")


def csv(api: Api, person: str, text: str, kind: str = "text/csv") -> Response:
    headers = {**api.headers(person), "Content-Type": kind}
    answer: Response = api.client.post("/api/v1/measurements", headers=headers, content=text.encode())
    return answer


def test_the_values_of_a_file_are_recorded_all_or_none(company: Company, api: Api) -> None:
    first, second = company.start(one_gate(MEASUREMENT)), company.start(one_gate(MEASUREMENT))
    text = f"rollout,metric,value,sample\n{first},visits,50,9\n{second},visits,150,\n"
    assert csv(api, BEN, text, "text/csv; charset=utf-8").json() == {"values": 2, "rollouts": 2}
    states = {one["id"]: one["state"] for one in api.get(BEN, "/rollouts").json()}
    assert states == {first: "held", second: "completed"}
    told = refused(csv(api, BEN, f"{text}{first},visitors,1,1\n{first},visits,many,1\n"), 422, "invalid-file")
    assert told["fields"].keys() == {"line 5"}
    told = refused(csv(api, BEN, f"{text}{first},visitors,1,1\nzzzzzzzz,visits,1,1\n"), 422, "invalid-file")
    assert told["fields"].keys() == {"line 3", "line 4", "line 5"}
    company.rollout_id = first
    assert len(company.entries("measurement.recorded")) == 1


def test_a_file_tells_nothing_of_the_rollouts_of_others(company: Company, api: Api) -> None:
    rollout = company.start(one_gate(f"{SIGN_OFF}}}\n      - {{id: value, title: Value, {MEASUREMENT}"))
    text = "rollout,metric,value\nROLLOUT,visits,1\n"
    there = refused(csv(api, EMIL, text.replace("ROLLOUT", rollout)), 422, "invalid-file")
    nowhere = refused(csv(api, EMIL, text.replace("ROLLOUT", "zzzzzzzz")), 422, "invalid-file")
    assert str(there).replace(rollout, "") == str(nowhere).replace("zzzzzzzz", "")
    told = refused(csv(api, ANNA, text.replace("ROLLOUT", rollout)), 422, "invalid-file")
    assert told["fields"]["line 2"] == f"{ANNA} does not look after this rollout; {REQUESTER} does."


def test_a_file_says_that_it_is_csv(api: Api) -> None:
    refused(csv(api, BEN, "{}", "application/json"), 415, "unsupported-media-type")
    refused(csv(api, BEN, ""), 422, "invalid-input")
    refused(csv(api, BEN, "a,b\n\0,2"), 422, "invalid-file")


def test_no_value_is_taken_from_whom_somebody_else_is_asked_instead_of(company: Company, api: Api) -> None:
    company.start(one_gate(MEASUREMENT))
    body = {"from": BEN, "to": EMIL, "reason": "on leave"}
    assert api.post(REQUESTER, f"{api.at()}/reassign", body).status_code == 200
    value = {"metric": "visits", "value": 100}
    refused(api.post(BEN, f"/rollouts/{company.rollout_id}/measurements", value), 403, "not-allowed")
    assert api.post(EMIL, f"/rollouts/{company.rollout_id}/measurements", value).status_code == 201
