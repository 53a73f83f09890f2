"""Rollouts by API: who sees which, starting, changing, holding, calling off, going over to a newer version."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from domain.errors import InvalidInput
from operations.describe_rollout import describe_rollout, list_rollouts
from tests.api_client import ADMIN, BEN, DORA, EMIL, Api, refused
from tests.company import REQUESTER, Company
from tests.sample_plans import SIGN_OFF, one_gate

STAGE_OF_DORA = one_gate(SIGN_OFF).replace("    title: Only stage\n", f"    title: Only stage\n    owner: {DORA}\n")


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
    with pytest.raises(InvalidInput, match="Who is administrator is said in the directory file"):
        company.start(plan, people={"administrator": [EMIL]})
    company.start(plan)
    refused(api.get(EMIL, f"/rollouts/{company.rollout_id}"), 404, "unknown-rollout")


def test_the_list_has_the_facts_of_the_command_line_newest_first(company: Company, api: Api) -> None:
    company.start(one_gate(SIGN_OFF))
    company.later(hours=1)
    company.start(one_gate(SIGN_OFF), title="Another", requester=EMIL)
    assert same_moments(api.get(ADMIN, "/rollouts").json()) == same_moments(list_rollouts(company.db))
    assert [one["title"] for one in api.get(EMIL, "/rollouts").json()] == ["Another"]


def test_a_long_list_comes_in_pages(company: Company, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("operations.describe_rollout.AT_ONCE", 2)
    for number in range(7):  # those with odd numbers at the same moment as the one before
        company.start(one_gate(SIGN_OFF), title=str(number), requester=EMIL if number % 3 == 0 else REQUESTER)
        company.later(hours=number % 2)
    whole = [one["id"] for one in api.get(ADMIN, "/rollouts").json()]
    assert len(set(whole)) == 7
    for size in (1, 2, 3, 7, 8):
        pages, before = [], ""
        while page := api.get(ADMIN, f"/rollouts?limit={size}&before={before}").json():
            assert len(page) <= size
            pages += [one["id"] for one in page]
            before = pages[-1]
        assert pages == whole
    assert [one["title"] for one in api.get(EMIL, "/rollouts?limit=2").json()] == ["6", "3"]
    refused(api.get(EMIL, f"/rollouts?before={whole[1]}"), 404, "unknown-rollout")
    refused(api.get(ADMIN, "/rollouts?before=nobody"), 404, "unknown-rollout")
    assert api.get(ADMIN, "/rollouts?limit=0").status_code == 422


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
