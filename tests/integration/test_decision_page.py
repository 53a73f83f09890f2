"""The decision page on real operations: what a browser sends is what the database holds, once."""

from __future__ import annotations

import re
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from models.base import Base
from models.database import Database
from models.requests import Decision, Purpose, Request, RequestState
from models.rollouts import Rollout
from tests.company import Company
from tests.sample_plans import LATER, SIGN_OFF, one_gate

BUDGET = 'kind: budget, question: "May it cost this?", approvers: [board]'
CHECKLIST = """kind: checklist, question: "Who works on it?", filled_by: anna@example.com, items: [
  {id: people, title: People, kind: people, minimum: 2}, {id: willing, title: Willing, kind: yes-no}]"""
MEASUREMENT = "kind: measurement, metric: visits, at_least: 100, measured_by: ben@example.com"
ACKNOWLEDGEMENT = 'kind: acknowledgement, text: "Read this.", audience: [staff], share: "50 %"'


@pytest.fixture
def company(db: Database) -> Company:
    """A company with people in it."""
    return Company(db)


def link(company: Company, request: Request) -> str:
    """The path in a person's newest mail about a request."""
    return f"/decide/{company.token(request)}"


def filled(company: Company, browser: TestClient, request: Request, **typed: str) -> dict[str, str]:
    """The form of the page behind a link, with the code from the mail and what is typed besides."""
    page = browser.get(link(company, request)).text
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page))
    return {**hidden, "code": company.code(request), **typed}


def contents(db: Database) -> dict[str, Any]:
    """Everything the database holds."""
    with db.read() as session:
        tables = Base.metadata.sorted_tables
        return {table.name: [tuple(row) for row in session.execute(table.select())] for table in tables}


def decisions(db: Database) -> int:
    """How many decisions there are."""
    with db.read() as session:
        return session.scalar(select(func.count()).select_from(Decision)) or 0


def test_looking_changes_nothing_however_often(company: Company, browser: TestClient) -> None:
    company.start(one_gate(SIGN_OFF))
    path, before = link(company, company.asked("ben@example.com")), contents(company.db)
    for _ in range(3):
        assert browser.get(path).status_code == 200
        assert browser.head(path).status_code == 200
    assert contents(company.db) == before


def test_a_decision_is_recorded_once_however_often_it_is_sent(company: Company, browser: TestClient) -> None:
    company.start(one_gate(SIGN_OFF))
    request = company.asked("ben@example.com")
    form = filled(company, browser, request, decision="reject", comment="Too <early>")
    for _ in range(3):
        answer = browser.post(link(company, request), data=form)
        assert answer.status_code == 200
        assert "Too &lt;early&gt;" in answer.text
    assert "Too &lt;early&gt;" in browser.get(link(company, request)).text
    assert decisions(company.db) == 1


def test_the_code_may_be_typed_with_a_space(company: Company, browser: TestClient) -> None:
    company.start(one_gate(SIGN_OFF))
    request = company.asked("ben@example.com")
    code = company.code(request)
    form = filled(company, browser, request, decision="approve", code=f"{code[:3]} {code[3:]}")
    assert browser.post(link(company, request), data=form).status_code == 200


def test_conditions_are_recorded_and_what_is_wrong_stands_beside_its_field(
    company: Company, browser: TestClient
) -> None:
    company.start(one_gate(f"{SIGN_OFF}, quorum: any") + LATER)
    request = company.asked("ben@example.com")
    typed = {"condition-2-what": "Texts & pictures", "condition-2-who": "Ben", "condition-2-due": "2026-03-09"}
    form = filled(company, browser, request, decision="approve-with-conditions", **typed)
    refused = browser.post(link(company, request), data=form)
    assert refused.status_code == 422
    assert 'id="error-condition-2-who">“Ben” is not an e-mail address' in refused.text
    assert 'value="Texts &amp; pictures"' in refused.text
    assert decisions(company.db) == 0
    recorded = browser.post(link(company, request), data={**form, "condition-2-who": "dora@example.com"})
    assert recorded.status_code == 200
    assert "Texts &amp; pictures (dora@example.com, 2026-03-09)" in recorded.text
    assert company.gate("condition-1")["waiting_for"] == ["dora@example.com"]


def test_a_missing_reason_stands_beside_its_field_in_german(company: Company, browser: TestClient) -> None:
    company.start(one_gate(SIGN_OFF))
    request = company.asked("anna@example.com")
    answer = browser.post(link(company, request), data=filled(company, browser, request, decision="abstain"))
    [error] = re.findall(r'id="error-comment">([^<]+)<', answer.text)
    assert answer.status_code == 422
    assert error != "A reason is needed for this answer."
    assert decisions(company.db) == 0


def test_no_choice_at_all_is_asked_for(company: Company, browser: TestClient) -> None:
    company.start(one_gate(SIGN_OFF))
    request = company.asked("ben@example.com")
    answer = browser.post(link(company, request), data=filled(company, browser, request, comment="Hm"))
    assert answer.status_code == 422
    assert 'id="error-decision"' in answer.text
    assert ">\nHm</textarea>" in answer.text


def test_after_five_wrong_codes_the_old_link_points_to_the_new_mail(company: Company, browser: TestClient) -> None:
    company.start(one_gate(SIGN_OFF))
    old = company.asked("ben@example.com")
    form = filled(company, browser, old, decision="approve", code="x")
    told = [browser.post(link(company, old), data=form) for _ in range(5)]
    assert [answer.status_code for answer in told] == [403] * 5
    assert "You can try 4 more times" in told[0].text
    assert "You can try once more" in told[3].text
    assert "new mail" in told[4].text
    assert browser.get(link(company, old)).status_code == 410
    new = company.asked("ben@example.com")
    form = filled(company, browser, new, decision="approve")
    assert browser.post(link(company, new), data=form).status_code == 200


def test_a_late_decision_is_told_who_decided(company: Company, browser: TestClient) -> None:
    company.start(one_gate(f"{SIGN_OFF}, quorum: any"))
    late = company.asked("carla@example.com")
    form = filled(company, browser, late, decision="reject", comment="My long reason")
    company.decides("ben@example.com")
    answer = browser.post(link(company, late), data=form)
    assert answer.status_code == 409
    assert "Ben Frei" in answer.text
    assert "My long reason" in answer.text
    assert browser.get(link(company, late)).status_code == 410
    assert decisions(company.db) == 1


def test_a_changed_budget_is_shown_with_the_difference(company: Company, browser: TestClient) -> None:
    company.start(one_gate(BUDGET), budget={"Posters": "100"})
    request = company.asked("ben@example.com")
    form = filled(company, browser, request, decision="approve", comment="Fine")
    with company.db.write() as session:
        rollout = session.get_one(Rollout, company.rollout_id)
        rollout.inputs = {**rollout.inputs, "budget": [{"item": "Posters", "amount": "120"}]}
    answer = browser.post(link(company, request), data=form)
    assert answer.status_code == 409
    assert "Posters: <del>CHF\u00a0100.00</del> → <ins>CHF\u00a0120.00</ins>" in answer.text
    assert ">\nFine</textarea>" in answer.text
    assert decisions(company.db) == 0


def test_a_list_is_refused_until_it_is_complete(company: Company, browser: TestClient) -> None:
    company.start(one_gate(CHECKLIST))
    request = company.asked("anna@example.com")
    typed = {"item-people": "Ada Lo\r\n", "item-willing": "no"}
    answer = browser.post(link(company, request), data=filled(company, browser, request, **typed))
    assert answer.status_code == 422
    assert 'id="error-item-people"' in answer.text
    assert 'id="error-item-willing"' in answer.text
    assert ">\nAda Lo\n</textarea>" in answer.text
    typed = {"item-people": "Ada Lo\r\nBea Ott", "item-willing": "yes"}
    answer = browser.post(link(company, request), data=filled(company, browser, request, **typed))
    assert answer.status_code == 200
    assert "Bea Ott" in browser.get(link(company, request)).text
    assert company.gate()["state"] == "passed"


@pytest.mark.parametrize(("value", "state"), [("120", "passed"), ("99,5", "rejected")])
def test_a_value_is_brought_by_link(company: Company, browser: TestClient, value: str, state: str) -> None:
    company.start(one_gate(MEASUREMENT))
    request = company.asked("ben@example.com")
    wrong = browser.post(link(company, request), data=filled(company, browser, request, value="many", sample=""))
    assert wrong.status_code == 422
    assert 'value="many"' in wrong.text
    answer = browser.post(link(company, request), data=filled(company, browser, request, value=value, sample="12"))
    assert answer.status_code in (200, 410)
    assert company.gate()["state"] == state


def test_a_text_is_confirmed_by_link(company: Company, browser: TestClient) -> None:
    company.start(one_gate(ACKNOWLEDGEMENT))
    for person in ("ben@example.com", "dora@example.com"):
        request = company.asked(person)
        assert request.purpose is Purpose.CONFIRM
        answer = browser.post(link(company, request), data=filled(company, browser, request, decision="approve"))
        assert answer.status_code == 200
    assert company.gate()["state"] == "passed"


@pytest.mark.parametrize("field", ["lessons", "condition-1-what"])
def test_a_text_is_not_confirmed_with_what_its_form_does_not_have(
    company: Company, browser: TestClient, field: str
) -> None:
    company.start(one_gate(ACKNOWLEDGEMENT))
    request = company.asked("dora@example.com")
    form = {**filled(company, browser, request, decision="approve"), field: "Too much"}
    answer = browser.post(link(company, request), data=form)
    assert answer.status_code == 422
    assert f"hat kein Feld «{field}»" in answer.text
    assert decisions(company.db) == 0


@pytest.mark.parametrize(("gate", "person"), [(MEASUREMENT, "ben@example.com"), (CHECKLIST, "anna@example.com")])
def test_what_is_to_be_filled_in_is_not_decided(company: Company, browser: TestClient, gate: str, person: str) -> None:
    company.start(one_gate(gate))
    request = company.asked(person)
    answer = browser.post(link(company, request), data=filled(company, browser, request, decision="approve"))
    assert answer.status_code == 422
    assert decisions(company.db) == 0
    assert company.gate()["state"] == "open"


def test_whoever_asks_for_changes_decides_later_by_the_same_link(company: Company, browser: TestClient) -> None:
    company.start(one_gate(SIGN_OFF))
    request = company.asked("ben@example.com")
    form = filled(company, browser, request, decision="request-changes", comment="Numbers, please")
    assert browser.post(link(company, request), data=form).status_code == 200
    assert "Numbers, please" in browser.get(link(company, request)).text
    assert browser.post(link(company, request), data={**form, "decision": "approve"}).status_code == 200
    assert company.requests("ben@example.com", RequestState.DONE) != []


def test_control_characters_are_refused_with_a_sentence(company: Company, browser: TestClient) -> None:
    company.start(one_gate(SIGN_OFF))
    request = company.asked("ben@example.com")
    form = filled(company, browser, request, decision="reject", comment="a\0b")
    answer = browser.post(link(company, request), data=form)
    assert answer.status_code == 422
    assert 'id="error-comment"' in answer.text


def test_readiness_tells_what_waits_and_when_the_check_last_ran(company: Company, browser: TestClient) -> None:
    assert browser.get("/readyz").json()["last_check_seconds"] is None
    company.start(one_gate(SIGN_OFF))
    company.checks()
    company.later(minutes=2)
    told = browser.get("/readyz").json()
    assert told["status"] == "ready"
    assert told["messages_pending"] > 0
    assert told["oldest_due_message_seconds"] == 120
    assert told["last_check_seconds"] == 120
