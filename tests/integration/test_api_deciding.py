"""Deciding by API: looked at first, recorded once, in one's own name or in the place of another one."""

from __future__ import annotations

from datetime import timedelta

from operations.delegate import delegate
from operations.workspace import Actor
from tests.api_client import ANNA, BEN, CARLA, DORA, EMIL, Api, refused
from tests.company import KEYS, REQUESTER, Company
from tests.sample_plans import SIGN_OFF, one_gate

CHECKLIST = """kind: checklist, question: "Who works on it?", filled_by: anna@example.com, items: [
  {id: people, title: People, kind: people, minimum: 2}, {id: posts, title: Posts, kind: number, minimum: 3},
  {id: willing, title: Willing, kind: yes-no}]"""
MEASUREMENT = "kind: measurement, metric: visits, at_least: 100, measured_by: ben@example.com"


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
