"""The page of a rollout: for whoever has its address, in their language; it shows, and changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from domain.links import page_token
from models.database import Database
from operations.compose_message import Composer, workspace_for
from tests.api_client import ANNA, BEN, CARLA, DORA, Api, refused
from tests.company import KEYS, OLDER, Company
from tests.integration.test_api_facts import undocumented
from tests.sample_plans import SIGN_OFF, one_gate
from tests.unit.web_client import text_of
from web.api.explanation_facts import ExplainedFacts


@pytest.fixture
def company(db: Database) -> Company:
    """A company with a rollout that waits for its board, in German."""
    company = Company(db)
    company.start(one_gate(f"{SIGN_OFF}, quorum: 2, waiver: [chair], expires: {{after: 9 days}}"), language="de")
    return company


def address(company: Company, key: bytes = KEYS[0]) -> str:
    """The address of the rollout's page."""
    return f"/rollouts/{company.rollout_id}/{page_token(key, company.rollout_id)}"


def test_it_says_what_is_missing_from_whom_by_when_in_the_plans_zone(company: Company, browser: TestClient) -> None:
    text = text_of(browser.get(address(company)).text)
    for words in ("2 von 2 Zustimmungen fehlen.", "Gewartet wird auf Anna Keller, Ben Frei, Carla Rossi.",
                  "bis Mittwoch, 11. März 2026, 10:00", f"etappe gate waive {company.rollout_id} gate"):  # fmt: skip
        assert words in text


@pytest.mark.parametrize(
    ("accepted", "language"), [("", "de"), ("en-GB,en;q=0.9", "en"), ("fr-CH, de;q=0.5", "de"), ("fr", "de")]
)
def test_it_is_in_the_readers_language_or_else_the_rollouts(
    company: Company, browser: TestClient, accepted: str, language: str
) -> None:
    answer = browser.get(address(company), headers={"Accept-Language": accepted})
    assert answer.headers["content-language"] == language
    assert f'<html lang="{language}">' in answer.text


@pytest.mark.parametrize("key", [KEYS[0], OLDER])
def test_every_key_of_the_installation_opens_it_and_head_is_served(
    company: Company, browser: TestClient, key: bytes
) -> None:
    before = company.entries(), company.messages()
    assert browser.get(address(company, key)).status_code == 200
    assert browser.head(address(company, key)).status_code == 200
    assert browser.get(f"{address(company, key)}.").status_code == 200  # as mail programs take it from a sentence
    assert [len(rows) for rows in (company.entries(), company.messages())] == [len(rows) for rows in before]


@pytest.mark.parametrize(
    "path",
    [
        "/rollouts/{id}/{other}",
        "/rollouts/nothing/{token}",
        "/rollouts/{id}/",
        "/rollouts/{id}/{link}",
        "/rollouts/a%00b/{token}",
    ],
)
def test_any_other_address_leads_nowhere_and_does_not_say_why(company: Company, browser: TestClient, path: str) -> None:
    token, other = (page_token(key, company.rollout_id) for key in (KEYS[0], b"a key of somebody else"))
    link = company.token(company.asked(ANNA))
    answer = browser.get(path.format(id=company.rollout_id, token=token, other=other, link=link))
    assert answer.status_code == 404
    assert "This link leads nowhere" in answer.text


def test_it_shows_what_people_typed_and_never_runs_it(company: Company, browser: TestClient) -> None:
    company.start(one_gate(f"{SIGN_OFF}, quorum: any"), title="<script>alert(1)</script>")
    text = browser.get(address(company)).text
    assert "<script>" not in text and "&lt;script&gt;alert(1)&lt;/script&gt;" in text


def test_what_people_are_told_leads_to_it(company: Company) -> None:
    for person in (ANNA, BEN):
        company.says(person)
    composer = Composer(KEYS, "https://etappe.example.com")
    told = [one for one in company.messages() if one.topic in ("outcome", "information")]
    with company.db.read() as session:
        found = [composer.compose(workspace_for(session, message, company.now), message) for message in told]
    assert {getattr(mail, "page", "") for mail in found} == {f"https://etappe.example.com{address(company)}"}
    assert {mail.kind for mail in found if mail} == {"outcome", "information"}


def test_programs_are_told_the_same_and_only_who_may_see_the_rollout(company: Company, tmp_path: Path) -> None:
    api = Api(company, tmp_path)
    path = f"/rollouts/{company.rollout_id}/explanation"
    refused(api.get(DORA, path), 404, "unknown-rollout")
    told = ExplainedFacts.model_validate(api.get(ANNA, path).json())
    assert list(undocumented(told)) == []
    [gate] = told.explanations
    assert (gate.about, gate.id, gate.missing) == ("gate", "gate", ["2 of 2 approvals are missing."])
    assert [person.email for person in gate.people] == [ANNA, BEN, CARLA]
