"""Looking after a gate by API: waiving, answering for changes, asking others, files and links, lending a voice."""

from __future__ import annotations

import pytest
from httpx import Response

from tests.api_client import ADMIN, BEN, DORA, EMIL, Api, refused
from tests.company import REQUESTER, Company
from tests.sample_plans import SIGN_OFF, one_gate


def test_a_gate_is_waived_by_whom_the_plan_names_though_they_were_never_asked(company: Company, api: Api) -> None:
    company.start(one_gate(f"{SIGN_OFF}, waiver: [chair]"))
    assert [one["id"] for one in api.get(EMIL, "/rollouts").json()] == [company.rollout_id]
    refused(api.post(BEN, f"{api.at()}/waive", {"reason": "no time"}), 403, "not-allowed")
    refused(api.post(EMIL, f"{api.at('no-such-gate')}/waive", {"reason": "no time"}), 404, "not-found")
    told = api.post(EMIL, f"{api.at()}/waive", {"reason": "no time"}).json()
    [gate] = told["stages"][0]["gates"]
    assert (gate["state"], gate["waived_by"], told["state"]) == ("waived", EMIL, "completed")
    assert company.entries("gate.waived")[0].channel == "api"


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


def test_an_absence_is_entered_and_ended_and_strangers_see_nothing_of_it(company: Company, api: Api) -> None:
    company.start(one_gate(SIGN_OFF))
    days = {"from": "2026-03-02", "until": "2026-03-06"}
    made = api.post(BEN, "/absences", {**days, "delegate": DORA})
    assert made.status_code == 201, made.text
    told = made.json()
    assert (told["person"], told["delegate"], told["state"], told["last_day"]) == (BEN, DORA, "away", "2026-03-06")
    assert [one["on_behalf_of"] for one in api.get(DORA, "/requests").json()] == [BEN]
    [gate] = api.get(BEN, f"/rollouts/{company.rollout_id}").json()["stages"][0]["gates"]
    assert gate["away"] == [{"person": BEN, "until": "2026-03-06"}]
    assert [api.get(person, "/absences").json() for person in (BEN, ADMIN, DORA)] == [[told], [told], []]
    end = f"/absences/{told['id']}/end"
    refused(api.post(DORA, end), 404, "unknown-absence")
    assert api.post(BEN, end).json() == []
    assert api.get(DORA, "/requests").json() == []
    refused(api.post(BEN, end), 404, "unknown-absence")
    refused(api.post(DORA, "/absences", {**days, "person": BEN}), 403, "not-allowed")
    refused(api.post(BEN, "/absences", {**days, "until": "2026-02-01"}), 422, "invalid-input")
