"""What holds for every call of the API: a token, a shape, and a problem where it is refused."""

from __future__ import annotations

from typing import Any

import pytest

from operations.import_people import import_people
from plans.directory import read_directory
from tests.api_client import BEN, Api, refused
from tests.company import PEOPLE, Company
from tests.sample_plans import SIGN_OFF, one_gate


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
