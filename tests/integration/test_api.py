"""The API on real operations: each call is somebody's, tells the facts of the command line, or says why not."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from httpx import Response

from models.database import Database
from operations.delegate import delegate
from operations.describe_rollout import describe_rollout, list_rollouts
from operations.import_people import import_people
from operations.workspace import Actor
from plans.directory import read_directory
from tests.api_client import Api
from tests.company import KEYS, PEOPLE, REQUESTER, SIGN_OFF, Company, one_gate

ANNA, BEN, CARLA, DORA = "anna@example.com", "ben@example.com", "carla@example.com", "dora@example.com"
EMIL, ADMIN = "emil@example.com", "admin@example.com"
WITH_ADMIN = PEOPLE.replace("people:\n", f"people:\n  - {{email: {ADMIN}, name: Ada Min, language: en}}\n").replace(
    "roles:\n", f"roles:\n  administrator: [{ADMIN}]\n"
)
CHECKLIST = """kind: checklist, question: "Who works on it?", filled_by: anna@example.com, items: [
  {id: people, title: People, kind: people, minimum: 2}, {id: posts, title: Posts, kind: number, minimum: 3},
  {id: willing, title: Willing, kind: yes-no}]"""
MEASUREMENT = "kind: measurement, metric: visits, at_least: 100, measured_by: ben@example.com"
STAGE_OF_DORA = one_gate(SIGN_OFF).replace("    title: Only stage\n", f"    title: Only stage\n    owner: {DORA}\n")


@pytest.fixture
def company(db: Database) -> Company:
    """A company with people in it, one of them an administrator."""
    return Company(db, directory=WITH_ADMIN)


@pytest.fixture
def api(company: Company, tmp_path: Path) -> Api:
    """Its API."""
    return Api(company, tmp_path)


def refused(answer: Response, status: int, code: str) -> dict[str, Any]:
    """Check that an answer is a problem of this kind, and return it."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    told: dict[str, Any] = answer.json()
    assert (answer.status_code, told["status"], told["code"]) == (status, status, code), told
    assert told["detail"]
    return told


def test_a_rollout_is_shown_with_the_facts_of_the_command_line(company: Company, api: Api) -> None:
    company.start(one_gate(SIGN_OFF))
    company.decides(BEN, "reject", comment="too early")
    answer = api.get(REQUESTER, f"/rollouts/{company.rollout_id}")
    assert answer.status_code == 200
    assert same_moments(answer.json()) == same_moments(describe_rollout(company.db, company.rollout_id, company.now))


def same_moments(facts: Any) -> Any:
    """The facts with moments written alike: “Z” and “+00:00” are one."""
    if isinstance(facts, dict):
        return {name: same_moments(value) for name, value in facts.items()}
    if isinstance(facts, list):
        return [same_moments(value) for value in facts]
    return facts.replace("+00:00", "Z") if isinstance(facts, str) else facts


@pytest.mark.parametrize("person", [REQUESTER, BEN, DORA, ADMIN])
def test_a_rollout_is_seen_by_requester_approver_stage_owner_and_administrator(
    company: Company, api: Api, person: str
) -> None:
    rollout = company.start(STAGE_OF_DORA)
    assert api.get(person, f"/rollouts/{rollout}").status_code == 200
    assert [one["id"] for one in api.get(person, "/rollouts").json()] == [rollout]


def test_for_everybody_else_there_is_no_such_rollout(company: Company, api: Api) -> None:
    rollout = company.start(STAGE_OF_DORA)
    assert api.get(EMIL, "/rollouts").json() == []
    there = refused(api.get(EMIL, f"/rollouts/{rollout}"), 404, "unknown-rollout")
    nowhere = refused(api.get(EMIL, "/rollouts/zzzzzzzz"), 404, "unknown-rollout")
    assert there["detail"].replace(rollout, "") == nowhere["detail"].replace("zzzzzzzz", "")
    for path, body in (
        ("resume", {"reason": "x"}),
        ("cancel", {"reason": "x"}),
        ("gates/gate/decisions", {"decision": "approve", "digest": "0" * 64}),
        ("gates/no-such-gate/decisions", {"decision": "approve", "digest": "0" * 64}),
        ("measurements", {"metric": "visits", "value": 1}),
    ):
        refused(api.post(EMIL, f"/rollouts/{rollout}/{path}", body), 404, "unknown-rollout")
    refused(api.get(EMIL, f"/rollouts/{rollout}/gates/gate"), 404, "unknown-rollout")
    assert company.state == "open"


def test_nobody_becomes_administrator_by_what_a_rollout_was_started_with(company: Company, api: Api) -> None:
    plan = one_gate(SIGN_OFF).replace("roles:\n", "roles:\n  administrator: {title: Administrator}\n")
    company.start(plan, people={"administrator": [EMIL]})
    refused(api.get(EMIL, f"/rollouts/{company.rollout_id}"), 404, "unknown-rollout")


def test_the_list_has_the_facts_of_the_command_line_newest_first(company: Company, api: Api) -> None:
    company.start(one_gate(SIGN_OFF))
    company.later(hours=1)
    company.start(one_gate(SIGN_OFF), title="Another", requester=EMIL)
    assert same_moments(api.get(ADMIN, "/rollouts").json()) == same_moments(list_rollouts(company.db))
    assert [one["title"] for one in api.get(EMIL, "/rollouts").json()] == ["Another"]


def test_what_somebody_is_asked_now_is_listed_with_its_digest_and_choices(company: Company, api: Api) -> None:
    company.start(one_gate(SIGN_OFF))
    [asked] = api.get(BEN, "/requests").json()
    assert asked == api.get(BEN, api.at()).json()
    assert (asked["rollout"], asked["gate"], asked["purpose"]) == (company.rollout_id, "gate", "decide")
    assert (asked["question"], asked["on_behalf_of"], asked["state"]) == ("Shall we?", None, "open")
    assert asked["choices"] == ["approve", "reject", "request-changes", "abstain"]
    assert asked["digest"] == company.page(company.asked(BEN)).digest
    api.decides(BEN)
    assert api.get(BEN, "/requests").json() == []
    assert api.get(EMIL, "/requests").json() == []


def test_a_decision_is_recorded_and_answered_with_how_it_stands(company: Company, api: Api) -> None:
    company.start(one_gate(f"{SIGN_OFF}, quorum: 2"))
    told = api.decides(BEN, "approve", comment="fine").json()
    assert (told["state"], told["mine"]["decision"], told["mine"]["comment"]) == ("done", "approve", "fine")
    assert (told["counted"], told["needed"], told["settlement"]) == (1, 2, None)
    assert api.decides(ANNA).json()["settlement"]["outcome"] == "go"
    [first, _] = company.gate()["decisions"]
    assert (first["by"], first["channel"], first["assurance"]) == (BEN, "api", "token")
    assert company.state == "completed"


def test_the_same_decision_again_is_answered_with_what_was_recorded(company: Company, api: Api) -> None:
    company.start(one_gate(f"{SIGN_OFF}, quorum: any"))
    body = {"decision": "approve", "digest": api.get(BEN, api.at()).json()["digest"]}
    answers = [api.post(BEN, f"{api.at()}/decisions", body) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert answers[0].json()["mine"] == answers[2].json()["mine"]
    assert len(company.gate()["decisions"]) == 1


def test_whoever_comes_too_late_is_told_who_decided_what(company: Company, api: Api) -> None:
    company.start(one_gate(f"{SIGN_OFF}, quorum: any"))
    digest = api.get(BEN, api.at()).json()["digest"]
    api.decides(ANNA)
    late = api.post(BEN, f"{api.at()}/decisions", {"decision": "reject", "comment": "no", "digest": digest})
    told = refused(late, 409, "gate-settled")
    assert told["detail"].startswith("Enough of the others have answered")
    assert [word["name"] for word in told["asked"]["said"]] == ["Anna Keller"]
    assert told["asked"]["settlement"]["state"] == "passed"


def test_nothing_is_recorded_about_something_else_than_was_shown(company: Company, api: Api) -> None:
    company.start(one_gate(SIGN_OFF))
    told = refused(
        api.post(BEN, f"{api.at()}/decisions", {"decision": "approve", "digest": "0" * 64}), 409, "evidence-changed"
    )
    assert told["asked"]["digest"] == api.get(BEN, api.at()).json()["digest"]
    assert company.gate()["decisions"] == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "decision"),
        ({"decision": "approve"}, "digest"),
        ({"decision": "perhaps", "digest": "0" * 64}, "decision"),
        ({"decision": "approve", "digest": "0" * 63}, "digest"),
        ({"decision": "approve", "digest": "0" * 64, "coment": "x"}, "coment"),
        ({"decision": "approve", "digest": "0" * 64, "comment": 7}, "comment"),
        ({"decision": "approve", "digest": "0" * 64, "comment": "x" * 5001}, "comment"),
        ([], "body"),
    ],
)
def test_a_body_of_the_wrong_shape_names_its_fields(company: Company, api: Api, body: Any, field: str) -> None:
    company.start(one_gate(SIGN_OFF))
    told = refused(api.post(BEN, f"{api.at()}/decisions", body), 422, "invalid-input")
    assert field in told["fields"]
    assert company.gate()["decisions"] == []


def test_what_is_missing_is_said_beside_its_field_in_the_language_asked_for(company: Company, api: Api) -> None:
    company.start(one_gate(SIGN_OFF))
    told = refused(api.decides(BEN, "reject"), 422, "invalid-input")
    assert told["fields"] == {"comment": "A reason is needed for this answer."}
    api.client.headers["Accept-Language"] = "de"
    assert refused(api.decides(BEN, "reject"), 422, "invalid-input")["fields"].keys() == {"comment"}
    assert "reason" not in api.decides(BEN, "reject").text


def test_whoever_is_not_asked_at_a_gate_learns_nothing_of_it(company: Company, api: Api) -> None:
    company.start(one_gate(SIGN_OFF))
    told = refused(api.decides(REQUESTER), 403, "not-eligible")
    assert told["detail"] == (
        f"You cannot decide this. Nothing was recorded. {REQUESTER} is not asked at the gate “gate”."
    )
    assert told.keys() == {"title", "status", "code", "detail", "fields"}
    refused(api.get(REQUESTER, api.at()), 403, "not-eligible")
    refused(api.get(REQUESTER, api.at("no-such-gate")), 403, "not-eligible")
    refused(api.get(BEN, api.at(), params={"on_behalf_of": ANNA}), 403, "not-eligible")


def test_a_list_is_filled_in(company: Company, api: Api) -> None:
    company.start(one_gate(CHECKLIST))
    [asked] = api.get(ANNA, "/requests").json()
    assert [(item["id"], item["kind"], item["minimum"]) for item in asked["items"]] == [
        ("people", "people", "2"),
        ("posts", "number", "3"),
        ("willing", "yes-no", None),
    ]
    body = {"answers": {"people": ["Max", "Eva"], "posts": 4, "willing": True}, "digest": asked["digest"]}
    few = api.post(ANNA, f"{api.at()}/answers", {**body, "answers": {**body["answers"], "people": ["Max"]}})
    assert refused(few, 422, "invalid-input")["fields"].keys() == {"people"}
    wrong = api.post(ANNA, f"{api.at()}/answers", {**body, "answers": {**body["answers"], "pepole": "Max"}})
    assert refused(wrong, 422, "invalid-input")["fields"].keys() == {"pepole"}
    for _ in range(2):
        answer = api.post(ANNA, f"{api.at()}/answers", body)
        assert answer.status_code == 200, answer.text
        assert answer.json()["state"] == "done"
    assert company.state == "completed"
    assert len(company.entries("checklist.filled")) == 1


def test_a_list_is_no_decision_and_a_decision_no_list(company: Company, api: Api) -> None:
    company.start(one_gate(CHECKLIST))
    refused(api.decides(ANNA), 422, "invalid-input")
    company.start(one_gate(SIGN_OFF))
    refused(api.post(BEN, f"{api.at()}/answers", {"answers": {}, "digest": "0" * 64}), 422, "invalid-input")


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


def test_a_rollout_is_started_in_the_name_of_whoever_calls(company: Company, api: Api, tmp_path: Path) -> None:
    (tmp_path / "plans").mkdir()
    (tmp_path / "plans" / "one-gate.yaml").write_text(one_gate(SIGN_OFF))
    api = Api(company, tmp_path, ETAPPE_PLANS=str(tmp_path / "plans"))
    budget = [{"item": "Video", "amount": "1200.50"}, {"item": "Text", "amount": 300}]
    answer = api.post(EMIL, "/rollouts", {"plan": "one-gate", "title": "By API", "owner": DORA, "budget": budget})
    assert answer.status_code == 201, answer.text
    told = answer.json()
    assert answer.headers["location"] == f"/api/v1/rollouts/{told['id']}"
    assert (told["title"], told["requester"], told["owner"], told["state"]) == ("By API", EMIL, DORA, "open")
    assert (
        api.client.get(answer.headers["location"], headers={"Authorization": f"Bearer {api.token(DORA)}"}).json()
        == told
    )
    company.rollout_id = told["id"]
    assert company.entries("rollout.started")[0].channel == "api"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"plan": "no-such-plan"}, 404, "unknown-plan"),
        ({"plan": "../one-gate"}, 422, "invalid-input"),
        ({"plan": "office-policy"}, 422, "invalid-input"),
        ({"plan": "office-policy", "inputs": {"policy": "x"}, "owner": "stranger@example.com"}, 404, "unknown-person"),
        ({"plan": "office-policy", "inputs": {"policy": "x"}, "owner": "x"}, 422, "invalid-input"),
        ({"plan": "office-policy", "inputs": {"policy": 7}}, 422, "invalid-input"),
        ({"plan": "office-policy", "inputs": {"policy": "x"}, "requester": BEN}, 422, "invalid-input"),
        ({"plan": "office-policy", "inputs": {"policy": "x"}, "title": "a\nb"}, 422, "invalid-input"),
        ({"plan": "office-policy", "inputs": {"policy": "x"}, "people": {"bord": [BEN]}}, 422, "invalid-input"),
        ({"plan": "office-policy", "inputs": {"policy": "x"}}, 400, "role-not-held"),
        ({"plan": "office-policy", "start_on": "tomorrow"}, 422, "invalid-input"),
    ],
)
def test_a_start_that_cannot_work_begins_nothing(
    company: Company, api: Api, body: dict[str, Any], status: int, code: str
) -> None:
    refused(api.post(EMIL, "/rollouts", body), status, code)
    assert company.db_is_empty()


@pytest.mark.parametrize("person", [REQUESTER, DORA, ADMIN])
def test_whoever_looks_after_a_rollout_resumes_it_and_calls_it_off(company: Company, api: Api, person: str) -> None:
    company.start(one_gate(f"{SIGN_OFF}"), owner=DORA)
    company.decides(BEN, "reject")
    rollout = f"/rollouts/{company.rollout_id}"
    assert api.post(person, f"{rollout}/resume", {"reason": "talked"}).json()["state"] == "open"
    assert api.post(person, f"{rollout}/cancel", {"reason": "enough"}).json()["state"] == "cancelled"
    [entry] = company.entries("rollout.cancelled")
    assert (entry.actor, entry.channel, entry.assurance) == (person, "api", "token")
    refused(api.post(person, f"{rollout}/cancel", {"reason": "enough"}), 410, "rollout-ended")
    refused(api.post(person, f"{rollout}/resume", {"reason": "again"}), 422, "invalid-input")


def test_an_approver_may_neither_resume_nor_call_off(company: Company, api: Api) -> None:
    company.start(one_gate(SIGN_OFF))
    for verb in ("resume", "cancel"):
        told = refused(api.post(BEN, f"/rollouts/{company.rollout_id}/{verb}", {"reason": "x"}), 403, "not-allowed")
        assert told["detail"] == f"{BEN} does not look after this rollout; {REQUESTER} does."
    assert company.state == "open"


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Basic YTpi"}, {"Authorization": "Bearer etappe_x"}])
def test_without_a_token_of_ours_nothing_is_told(company: Company, api: Api, headers: dict[str, str]) -> None:
    company.start(one_gate(SIGN_OFF))
    for path in ("/rollouts", "/requests", f"/rollouts/{company.rollout_id}", api.at()):
        answer = api.client.get(f"/api/v1{path}", headers=headers)
        refused(answer, 401, "token-refused")
        assert answer.headers["www-authenticate"] == "Bearer"
    body = {"decision": "approve", "digest": "0" * 64}
    refused(api.client.post(f"/api/v1{api.at()}/decisions", headers=headers, json=body), 401, "token-refused")


def test_a_cookie_or_a_query_is_no_token(company: Company, api: Api) -> None:
    token = api.token(BEN)
    refused(api.client.get("/api/v1/rollouts", params={"access_token": token}), 401, "token-refused")
    api.client.cookies.set("Authorization", f"Bearer {token}")
    refused(api.client.get("/api/v1/rollouts"), 401, "token-refused")


def test_somebody_who_has_gone_calls_no_more(company: Company, api: Api) -> None:
    assert api.get(BEN, "/rollouts").status_code == 200
    without = PEOPLE.replace("  - {email: ben@example.com, name: Ben Frei, language: en}\n", "").replace(f"{BEN}, ", "")
    import_people(company.db, read_directory(without, "people.yaml"), company.now)
    told = refused(api.get(BEN, "/rollouts"), 401, "token-refused")
    assert told["detail"] == "The person this token acts for is no longer in the directory."


@pytest.mark.parametrize("kind", ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_only_json_is_taken(company: Company, api: Api, kind: str) -> None:
    company.start(one_gate(SIGN_OFF))
    headers = {"Authorization": f"Bearer {api.token(BEN)}", **({"Content-Type": kind} if kind else {})}
    answer = api.client.post(f"/api/v1{api.at()}/decisions", headers=headers, content=b'{"decision": "approve"}')
    refused(answer, 415, "unsupported-media-type")


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"{", 400, "unreadable"),
        (b'"\xff"', 400, "unreadable"),
        (b"[" * 60_000, 400, "unreadable"),
        (b'{"decision": "approve", "comment": "\\ud800", "digest": "x"}', 422, "invalid-input"),
        (b'{"decision": "approve", "\\ud800": 1}', 422, "invalid-input"),
        (b'{"decision": NaN}', 422, "invalid-input"),
        (b'{"comment": "' + b"x" * 70_000 + b'"}', 413, "too-large"),
    ],
)
def test_what_cannot_be_read_is_a_problem_too(
    company: Company, api: Api, content: bytes, status: int, code: str
) -> None:
    company.start(one_gate(SIGN_OFF))
    headers = {"Authorization": f"Bearer {api.token(BEN)}", "Content-Type": "application/json"}
    refused(api.client.post(f"/api/v1{api.at()}/decisions", headers=headers, content=content), status, code)


@pytest.mark.parametrize(
    "path", ["/nowhere", "/rollouts/%00", "/rollouts/zzzzzzzz%00", "/rollouts/ROLLOUT/gates/a%00b"]
)
def test_an_address_that_leads_nowhere_is_a_problem(company: Company, api: Api, path: str) -> None:
    company.start(one_gate(SIGN_OFF))
    assert api.get(BEN, path.replace("ROLLOUT", company.rollout_id)).status_code == 404


def test_a_method_that_is_not_offered_is_a_problem_that_names_the_others(api: Api) -> None:
    answer = api.client.put("/api/v1/rollouts")
    refused(answer, 405, "method-not-allowed")
    assert answer.headers["allow"] in ("GET", "POST", "GET, POST")


def test_a_failure_of_ours_is_a_problem_without_a_trace(
    company: Company, api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError(f"boom with {api.token(BEN)}")

    monkeypatch.setattr("web.api.rollouts.list_rollouts", broken)
    refused(api.get(BEN, "/rollouts"), 500, "failed")
    assert "GET /api/v1/rollouts failed: RuntimeError" in caplog.text


def test_the_description_is_there_for_everybody_and_nothing_else_is(api: Api) -> None:
    described = api.client.get("/api/v1/openapi.json").json()
    assert described["openapi"].startswith("3.")
    assert described["servers"] == [{"url": "/api/v1"}]
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            assert operation["security"], f"{method} {path} needs no token"
            assert "application/problem+json" in operation["responses"]["422"]["content"]
    assert [api.client.get(f"/api/v1/{page}").status_code for page in ("docs", "redoc", "docs/oauth2-redirect")] == [
        404
    ] * 3


def test_every_answer_carries_the_headers_of_the_house(company: Company, api: Api) -> None:
    for answer in (api.get(BEN, "/rollouts"), api.get(BEN, "/nowhere"), api.client.get("/api/v1/rollouts")):
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "set-cookie" not in answer.headers
        assert "access-control-allow-origin" not in answer.headers


def test_what_a_rollout_is_about_is_changed_and_what_was_approved_lapses(company: Company, api: Api) -> None:
    plan = one_gate('kind: budget, question: "May it cost this?", approvers: [board], pinned_to: [budget]')
    company.start(plan, budget={"Video": "100"})
    api.decides(BEN)
    body = {"inputs": {"budget": [{"item": "Video", "amount": 120}]}, "reason": "dearer"}
    refused(api.post(BEN, f"/rollouts/{company.rollout_id}/inputs", body), 403, "not-allowed")
    answer = api.post(REQUESTER, f"/rollouts/{company.rollout_id}/inputs", body)
    assert answer.status_code == 200, answer.text
    [word] = answer.json()["stages"][0]["gates"][0]["decisions"]
    assert "120" in word["lapsed"]
    [asked] = api.get(BEN, "/requests").json()
    assert asked["budget_total"] == "120"


@pytest.mark.parametrize(
    "inputs", [{}, {"budget": []}, {"budget": "x"}, {"budget": 7}, {"budget": ["x"]}, {"budget": True}, {"colour": "x"},
               {"budget": [{"item": "Video", "amount": "-1"}]}, {"budget": [{"item": "Video", "amount": 100}]}]
)  # fmt: skip
def test_what_cannot_be_changed_changes_nothing(company: Company, api: Api, inputs: dict[str, Any]) -> None:
    plan = one_gate('kind: budget, question: "May it cost this?", approvers: [board]')
    company.start(plan, budget={"Video": "100"})
    body = {"inputs": inputs, "reason": "x"}
    refused(api.post(REQUESTER, f"/rollouts/{company.rollout_id}/inputs", body), 422, "invalid-input")
    assert company.entries("rollout.input-changed") == []


def test_a_gate_is_waived_by_whom_the_plan_names_though_they_were_never_asked(company: Company, api: Api) -> None:
    company.start(one_gate(f"{SIGN_OFF}, waiver: [chair]"))
    assert [one["id"] for one in api.get(EMIL, "/rollouts").json()] == [company.rollout_id]
    refused(api.post(BEN, f"{api.at()}/waive", {"reason": "no time"}), 403, "not-allowed")
    refused(api.post(EMIL, f"{api.at('no-such-gate')}/waive", {"reason": "no time"}), 404, "not-found")
    told = api.post(EMIL, f"{api.at()}/waive", {"reason": "no time"}).json()
    [gate] = told["stages"][0]["gates"]
    assert (gate["state"], gate["waived_by"], told["state"]) == ("waived", EMIL, "completed")
    assert company.entries("gate.waived")[0].channel == "api"


def test_conditions_go_with_an_approval_and_are_named_by_their_place(company: Company, api: Api) -> None:
    later = f"  - id: later\n    title: Later\n    gates:\n      - {{id: last, title: Last, {SIGN_OFF}"
    company.start(one_gate(f"{SIGN_OFF}, quorum: any}}\n{later}"))
    assert [stage["id"] for stage in api.get(BEN, api.at()).json()["condition_stages"]] == ["later"]
    digest = api.get(BEN, api.at()).json()["digest"]
    body = {"decision": "approve-with-conditions", "digest": digest, "conditions": []}
    assert refused(api.post(BEN, f"{api.at()}/decisions", body), 422, "invalid-input")["fields"]
    body["conditions"] = [{"what": "Check the texts", "who": "nobody", "due_on": "soon"}]
    told = refused(api.post(BEN, f"{api.at()}/decisions", body), 422, "invalid-input")
    assert told["fields"].keys() == {"condition-1-who", "condition-1-due"}
    body["conditions"] = [{"what": "Check the texts", "who": DORA, "due_on": "2026-03-31"}]
    assert api.post(BEN, f"{api.at()}/decisions", body).status_code == 200
    gates = api.get(REQUESTER, f"/rollouts/{company.rollout_id}").json()["stages"][1]["gates"]
    assert [gate["condition"]["who"] for gate in gates if gate["condition"]] == [DORA]


def test_a_request_for_changes_is_answered_with_what_has_changed(company: Company, api: Api) -> None:
    company.start(one_gate('kind: budget, question: "May it cost this?", approvers: [board]'), budget={"Video": "100"})
    api.decides(BEN, "request-changes", comment="cheaper, please")
    [asked] = api.get(REQUESTER, "/requests").json()
    assert (asked["purpose"], asked["wishes"][0]["comment"]) == ("respond", "cheaper, please")
    body = {
        "reply": "Done",
        "inputs": {"budget": [{"item": "Video", "amount": 90}]},
        "links": ["https://example.com/offer"],
    }
    refused(api.post(BEN, f"{api.at()}/responses", body), 403, "not-allowed")
    wrong = refused(
        api.post(REQUESTER, f"{api.at()}/responses", {**body, "inputs": {"budget": 7}}), 422, "invalid-input"
    )
    assert wrong["fields"].keys() == {"budget"}
    assert api.post(REQUESTER, f"{api.at()}/responses", body).status_code == 200
    [asked] = api.get(BEN, "/requests").json()
    assert (asked["changed"]["reply"], asked["budget_total"], asked["paused_at"]) == ("Done", "90", None)
    assert [one["url"] for one in asked["attachments"]] == ["https://example.com/offer"]
    refused(api.post(REQUESTER, f"{api.at()}/responses", body), 422, "invalid-input")


def test_somebody_else_is_asked_or_one_more(company: Company, api: Api) -> None:
    company.start(one_gate(f"{SIGN_OFF}, quorum: any"), owner=DORA)
    body = {"from": BEN, "to": EMIL, "reason": "on leave"}
    refused(api.post(BEN, f"{api.at()}/reassign", body), 403, "not-allowed")
    assert api.post(DORA, f"{api.at()}/reassign", body).status_code == 200
    told = refused(api.decides(BEN), 409, "gate-settled")
    assert told["detail"].startswith("Whoever looks after this stage has passed the question on.")
    body = {"person": ADMIN, "reason": "knows the law"}
    refused(api.post(BEN, f"{api.at()}/approvers", body), 403, "not-allowed")
    assert api.post(DORA, f"{api.at()}/approvers", body).status_code == 200
    assert [one["gate"] for one in api.get(ADMIN, "/requests").json()] == ["gate"]
    assert api.decides(EMIL).json()["settlement"] is None
    assert api.decides(ADMIN).json()["settlement"]["outcome"] == "go"


def test_only_a_gate_that_starts_a_flow_run_is_started_anew(company: Company, api: Api) -> None:
    company.start(one_gate(SIGN_OFF))
    refused(api.post(REQUESTER, f"{api.at()}/restart", {"reason": "hangs"}), 422, "invalid-input")


def test_files_are_put_fetched_as_downloads_and_taken_off(company: Company, api: Api) -> None:
    company.start(one_gate(SIGN_OFF))
    files = f"/rollouts/{company.rollout_id}/attachments"
    [one] = send(api, REQUESTER, f"{files}/Offer%20%C3%A4.pdf", b"%PDF-1.7").json()
    assert (one["name"], one["size"], one["added_by"]) == ("Offer ä.pdf", 8, REQUESTER)
    assert send(api, REQUESTER, f"{files}/Offer%20%C3%A4.pdf", b"%PDF-1.7").json() == [one]
    fetched = api.get(BEN, f"{files}/Offer%20%C3%A4.pdf")
    assert (fetched.status_code, fetched.content) == (200, b"%PDF-1.7")
    assert fetched.headers["content-type"] == "application/octet-stream"
    assert fetched.headers["content-disposition"].startswith("attachment;")
    refused(send(api, BEN, f"{files}/other.txt", b"x"), 403, "not-allowed")
    refused(send(api, EMIL, f"{files}/other.txt", b"x"), 404, "unknown-rollout")
    refused(api.get(BEN, f"{files}/nothing"), 404, "unknown-attachment")
    assert [each["name"] for each in api.get(BEN, files).json()] == ["Offer ä.pdf"]
    assert remove(api, REQUESTER, f"{files}/Offer%20%C3%A4.pdf").json() == []
    refused(remove(api, REQUESTER, f"{files}/Offer%20%C3%A4.pdf"), 404, "unknown-attachment")


def test_a_link_is_attached_and_has_no_bytes(company: Company, api: Api) -> None:
    company.start(one_gate(SIGN_OFF))
    files = f"/rollouts/{company.rollout_id}/attachments"
    [one] = api.post(REQUESTER, files, {"url": "https://example.com/offer"}).json()
    assert (one["name"], one["url"], one["digest"]) == ("offer", "https://example.com/offer", None)
    refused(api.get(REQUESTER, f"{files}/offer"), 404, "unknown-attachment")
    refused(api.post(REQUESTER, files, {"url": "http://example.com/offer"}), 422, "invalid-input")


@pytest.mark.parametrize(
    ("size", "status", "code"),
    [(0, 422, "invalid-input"), (10 * 1024**2 + 1, 422, "invalid-input"), (11 * 1024**2 + 1, 413, "too-large")],
)
def test_a_file_has_something_in_it_and_at_most_10_mb(
    company: Company, api: Api, size: int, status: int, code: str
) -> None:
    company.start(one_gate(SIGN_OFF))
    answer = send(api, REQUESTER, f"/rollouts/{company.rollout_id}/attachments/large", b"x" * size)
    refused(answer, status, code)
    assert api.get(REQUESTER, f"/rollouts/{company.rollout_id}/attachments").json() == []


def send(api: Api, person: str, path: str, content: bytes) -> Response:
    answer: Response = api.client.put(f"/api/v1{path}", headers=api.headers(person), content=content)
    return answer


def remove(api: Api, person: str, path: str) -> Response:
    answer: Response = api.client.delete(f"/api/v1{path}", headers=api.headers(person))
    return answer


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


def test_a_rollout_goes_over_to_a_newer_version_once_somebody_has_seen_what_it_means(
    company: Company, tmp_path: Path
) -> None:
    plan, folder = tmp_path / "plans" / "one-gate.yaml", tmp_path / "plans"
    folder.mkdir()
    plan.write_text(one_gate(SIGN_OFF))
    api = Api(company, tmp_path, ETAPPE_PLANS=str(folder))
    company.start(one_gate(SIGN_OFF), owner=DORA)
    company.decides(BEN)
    path = f"/rollouts/{company.rollout_id}/migration"
    told = api.get(BEN, path).json()
    assert (told["from"], told["to"], told["done"]) == (1, 1, False)
    plan.write_text(one_gate(SIGN_OFF.replace("Shall we?", "Shall we really?")))
    told = api.get(BEN, path).json()
    assert (told["from"], told["to"], told["done"]) == (1, 2, False)
    assert [gate["lapses"] for gate in told["stages"][0]["gates"]] == [[BEN]]
    for person in (BEN, REQUESTER):
        refused(api.post(person, path, {"reason": "clearer"}), 403, "not-allowed")
    assert api.post(DORA, path, {"reason": "clearer"}).json() == {**told, "done": True}
    assert api.get(BEN, f"/rollouts/{company.rollout_id}").json()["version"] == 2
    plan.unlink()
    refused(api.get(BEN, path), 404, "unknown-plan")


def lend(company: Company, of: str, to: str) -> None:
    delegate(
        company.db, KEYS, of, to, company.now, company.now + timedelta(days=9), Actor(of, "api", "token"), company.now
    )


def test_whoever_answers_in_another_ones_place_says_so_and_the_record_has_both(company: Company, api: Api) -> None:
    company.start(one_gate(SIGN_OFF))
    lend(company, BEN, EMIL)
    [asked] = api.get(EMIL, "/requests").json()
    assert (asked["on_behalf_of"], asked["lent_until"][:10]) == (BEN, "2026-03-11")
    told = refused(api.decides(EMIL), 403, "not-eligible")
    assert told["detail"].endswith(f"{EMIL} is asked at the gate “gate” on behalf of {BEN}; say for whom.")
    assert api.decides(EMIL, on_behalf_of=BEN.upper()).json()["mine"]["on_behalf_of"] == BEN
    [entry] = company.entries("decision.recorded")
    assert (entry.actor, entry.on_behalf_of, entry.channel) == (EMIL, BEN, "api")
    late = refused(api.decides(BEN), 409, "gate-settled")
    assert late["asked"]["spoken"]["by"] == EMIL


def test_a_list_and_a_value_are_brought_in_another_ones_place(company: Company, api: Api) -> None:
    company.start(one_gate(CHECKLIST))
    lend(company, ANNA, CARLA)
    [asked] = api.get(CARLA, "/requests").json()
    body = {"answers": {"people": ["Max", "Eva"], "posts": 4, "willing": True}, "digest": asked["digest"]}
    refused(api.post(CARLA, f"{api.at()}/answers", body), 403, "not-eligible")
    assert api.post(CARLA, f"{api.at()}/answers", {**body, "on_behalf_of": ANNA}).json()["state"] == "done"
    assert company.entries("checklist.filled")[0].on_behalf_of == ANNA
    company.start(one_gate(MEASUREMENT))
    lend(company, BEN, CARLA)
    value = {"metric": "visits", "value": 100}
    assert api.post(CARLA, f"/rollouts/{company.rollout_id}/measurements", value).status_code == 201
    [entry] = company.entries("measurement.recorded")
    assert (entry.actor, entry.on_behalf_of) == (CARLA, BEN)


def test_no_value_is_taken_from_whom_somebody_else_is_asked_instead_of(company: Company, api: Api) -> None:
    company.start(one_gate(MEASUREMENT))
    body = {"from": BEN, "to": EMIL, "reason": "on leave"}
    assert api.post(REQUESTER, f"{api.at()}/reassign", body).status_code == 200
    value = {"metric": "visits", "value": 100}
    refused(api.post(BEN, f"/rollouts/{company.rollout_id}/measurements", value), 403, "not-allowed")
    assert api.post(EMIL, f"/rollouts/{company.rollout_id}/measurements", value).status_code == 201


def test_a_voice_is_lent_by_its_owner_and_ended_and_strangers_see_nothing_of_it(company: Company, api: Api) -> None:
    company.start(one_gate(SIGN_OFF))
    body = {"to": EMIL, "from": "2026-03-02", "until": "2026-03-06"}
    made = api.post(BEN, "/delegations", body)
    assert made.status_code == 201, made.text
    told = made.json()
    assert (told["delegator"], told["delegate"], told["state"]) == (BEN, EMIL, "holds")
    assert (told["last_day"], told["given_by"]) == ("2026-03-06", BEN)
    assert [one["on_behalf_of"] for one in api.get(EMIL, "/requests").json()] == [BEN]
    for person in (BEN, EMIL, ADMIN):
        assert api.get(person, "/delegations").json() == [told]
    assert api.get(DORA, "/delegations").json() == []
    end = f"/delegations/{told['id']}/end"
    refused(api.post(DORA, end), 404, "unknown-delegation")
    refused(api.post(EMIL, end), 403, "not-allowed")
    assert api.post(BEN, end).json()["state"] == "ended"
    assert api.get(EMIL, "/requests").json() == []
    refused(api.post(BEN, end), 422, "invalid-input")


@pytest.mark.parametrize(
    ("caller", "changed", "status", "code"),
    [
        (DORA, {"person": BEN}, 403, "not-allowed"),
        (BEN, {"to": BEN}, 422, "invalid-input"),
        (BEN, {"to": "stranger@example.com"}, 422, "invalid-input"),
        (BEN, {"until": "2026-02-01"}, 422, "invalid-input"),
        (BEN, {"until": "2999-12-31"}, 422, "invalid-input"),
        (BEN, {"until": "9999-12-31"}, 422, "invalid-input"),
        (BEN, {"from": "soon"}, 422, "invalid-input"),
        (ADMIN, {"person": "stranger@example.com"}, 404, "unknown-person"),
    ],
)
def test_a_voice_that_cannot_be_lent_is_not(
    company: Company, api: Api, caller: str, changed: dict[str, str], status: int, code: str
) -> None:
    body = {"to": EMIL, "from": "2026-03-02", "until": "2026-03-06", **changed}
    refused(api.post(caller, "/delegations", body), status, code)
    assert api.get(ADMIN, "/delegations").json() == []
