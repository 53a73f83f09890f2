"""A waiver is marked wherever somebody looks: mails, the decision page, Prefect's bars and table, the command line."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient

from cli import rollout_tree
from models.database import Database
from models.rollouts import Rollout
from notifications.rendering import render
from operations.compose_message import Composer
from operations.workspace import Workspace
from settings import Settings
from tests.company import KEYS, REQUESTER, Company
from tests.fakes_prefect import FakePrefect
from tests.sample_plans import SIGN_OFF, one_gate
from web.app import create_app

ANNA, BEN, EMIL = "anna@example.com", "ben@example.com", "emil@example.com"
WHY = "The fair is on Friday, and “nobody” <reads> {this}."


@pytest.fixture
def company(db: Database) -> Company:
    """A company in which Ben has said yes before Emil waived the gate, in words that are hard to quote."""
    company = Company(db)
    company.start(one_gate(f"{SIGN_OFF}, waiver: [chair]"), flow_run_id=str(uuid4()))
    company.decides(BEN)
    return company


def mails(company: Company, topic: str, recipient: str) -> list[str]:
    """What somebody's mails say, as plain text."""
    with company.db.read() as session:
        ws = Workspace(session, KEYS, session.get_one(Rollout, company.rollout_id), company.now)
        composed = [Composer(KEYS, "http://etappe").compose(ws, row) for row in company.messages(topic, recipient)]
    return [f"{render(mail).subject}\n{render(mail).text}" for mail in composed if mail]


def test_the_outcome_mail_says_by_whom_and_why(company: Company) -> None:
    company.waives(EMIL, reason=WHY)
    [mail] = mails(company, "outcome", REQUESTER)  # she reads German
    assert mail.startswith("Erlassen: The gate")
    assert f"Erlassen von Emil Vogt: «{WHY}»" in mail


def test_those_passed_over_are_told_by_whom_and_why(company: Company) -> None:
    company.waives(EMIL, reason=WHY)
    [mail] = mails(company, "information", ANNA)
    assert "«The gate» wurde erlassen" in mail
    assert "Übergangen wurden: Anna Keller, Carla Rossi." in mail
    assert WHY in mail
    assert "Emil Vogt" in mail


@pytest.mark.parametrize(("person", "status"), [(ANNA, 410), (BEN, 200)])
def test_every_link_says_so_and_why(company: Company, tmp_path: Path, person: str, status: int) -> None:
    settings = Settings.from_environment({"ETAPPE_HOME": str(tmp_path), "ETAPPE_SECRET_KEYS": KEYS[0].decode()})
    browser = TestClient(create_app(settings, company.db, now=lambda: company.now))
    [request] = company.requests(person)
    company.waives(EMIL, reason=WHY)
    page = browser.get(f"/decide/{company.token(request)}")
    assert page.status_code == status
    assert "Emil Vogt" in page.text
    assert "The fair is on Friday" in page.text
    assert ("erlassen" if person == ANNA else "waived") in page.text
    assert "<reads>" not in page.text


def test_prefect_shows_it_as_waived_by_whom_and_why_beside_what_others_had_said(company: Company) -> None:
    company.waives(EMIL, reason=WHY)
    prefect = FakePrefect()
    prefect.paint(company.db, company.rollout_id, company.now)
    state, message = prefect.bars()["Gate: The gate (1 of 3)"]
    assert (state, message) == ("Waived", f"waived by Emil Vogt: “{WHY}”; Ben Frei: approved")
    assert prefect.table[0]["State"] == "waived"
    assert prefect.table[0]["Decided"].startswith(f"waived by Emil Vogt: “{WHY}”")


def test_what_was_waived_before_anybody_was_asked_has_its_bar(db: Database) -> None:
    company = Company(db)
    first = one_gate('kind: sign-off, question: "Now?", approvers: [finance]').replace("id: gate", "id: first")
    second = f"      - {{id: second, title: Second, {SIGN_OFF}, ask_after: [first], waiver: [chair]}}\n"
    company.start(first + second, flow_run_id=str(uuid4()))
    company.waives(EMIL, "second")
    prefect = FakePrefect()
    prefect.paint(db, company.rollout_id, company.now)
    assert prefect.bars()["Gate: Second"][0] == "Waived"


def test_the_command_line_shows_it_in_the_tree(company: Company) -> None:
    company.waives(EMIL, reason="two\nlines")
    tree = "\n".join(rollout_tree.lines(company.rollout(), rollout_tree.titles(company.db, company.rollout_id)))
    assert "The gate (sign-off)  waived: go" in tree
    assert f"waived by Emil Vogt: “two lines” ({EMIL})" in tree
