"""A renewal is shown as one wherever somebody looks: mails, the page, Prefect's bars, the command line."""

from __future__ import annotations

from datetime import timedelta
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
from tests.company import ANNA, BEN, KEYS, REQUESTER, Company
from tests.fakes_prefect import FakePrefect
from tests.renewing import BLOCKING, DEADLINE, FINANCE, IN_90_DAYS, RENEWED, plan, stage
from web.app import create_app


def renewing(db: Database, gate: str) -> Company:
    """A rollout with a flow run whose first gate passed on a Monday and is asked again ninety days later."""
    company = Company(db)
    company.start(plan(stage("a", gate), stage("b", FINANCE), stage("c", FINANCE)), flow_run_id=str(uuid4()))
    company.decides(ANNA)
    company.now = IN_90_DAYS
    company.checks()
    return company


def newest_mail(company: Company, topic: str, recipient: str) -> str:
    """What somebody's newest mail of a kind says, as plain text."""
    with company.db.read() as session:
        ws = Workspace(session, KEYS, session.get_one(Rollout, company.rollout_id), company.now)
        mail = Composer(KEYS, "http://etappe").compose(ws, company.messages(topic, recipient)[-1])
    assert mail is not None
    return f"{render(mail).subject}\n{render(mail).text}"


@pytest.mark.parametrize(
    ("person", "subject", "renewal", "silence"),
    [
        (ANNA, "Zur Erneuerung: Gate a", "Erneuerung: Der Prüfpunkt wurde am Montag, 2. März 2026, 10:00 bestanden",
         "öffnet keine weitere Etappe"),
        (BEN, "To be renewed: Gate a", "renewal: the gate passed on Monday, 2 March 2026", "no further stage opens"),
    ],
)  # fmt: skip
def test_the_mail_says_what_is_renewed_since_when_it_holds_and_what_silence_leads_to(
    db: Database, person: str, subject: str, renewal: str, silence: str
) -> None:
    mail = newest_mail(renewing(db, BLOCKING), "request", person)
    assert mail.startswith(subject)
    assert renewal in mail
    assert silence in mail


def test_so_does_the_page(db: Database, tmp_path: Path) -> None:
    company = renewing(db, RENEWED)
    settings = Settings.from_environment({"ETAPPE_HOME": str(tmp_path), "ETAPPE_SECRET_KEYS": KEYS[0].decode()})
    browser = TestClient(create_app(settings, db, now=lambda: company.now))
    page = browser.get(f"/decide/{company.token(company.asked(BEN))}").text
    assert "This is a renewal: the gate passed on Monday, 2 March 2026" in page
    assert "what has passed holds on until it is answered" in page


def test_prefect_shows_a_bar_of_its_own_beside_the_one_that_passed(db: Database) -> None:
    company = renewing(db, RENEWED)
    prefect = FakePrefect()
    prefect.paint(db, company.rollout_id, company.now)
    bars = prefect.bars()
    assert bars["Gate: Gate a (1 of 1)"][0] == "Passed"
    assert bars["Gate: Gate a (0 of 1), renewal"][0] == "Waiting"
    company.decides(BEN)
    prefect = FakePrefect()
    prefect.paint(db, company.rollout_id, company.now)
    assert prefect.bars()["Gate: Gate a (1 of 1), renewal"][0] == "Passed"


def test_and_a_withdrawn_one_when_the_rollout_ends(db: Database) -> None:
    company = renewing(db, RENEWED)
    company.cancels()
    prefect = FakePrefect()
    prefect.paint(db, company.rollout_id, company.now)
    assert prefect.bars()["Gate: Gate a (0 of 1), renewal"][0] == "Withdrawn"


def test_the_tree_says_when_what_is_asked_again_and_what_it_keeps_closed(db: Database) -> None:
    company = renewing(db, BLOCKING)

    def tree() -> str:
        return "\n".join(rollout_tree.lines(company.rollout(), rollout_tree.titles(db, company.rollout_id)))

    assert "Gate a (sign-off)  open, round 2, due 2026-06-12" in tree()
    assert ", renewal" in tree()
    company.now = DEADLINE
    company.checks_on_schedule()
    assert "no further stage opens until renewed: Gate a" in tree()
    assert ", overdue since 2026-06-12" in tree()
    company.decides(BEN)
    assert ", to be renewed 2026-09-10" in tree()
    assert "no further stage" not in tree()


def test_the_owner_reads_why_nothing_opens(db: Database) -> None:
    company = renewing(db, BLOCKING)
    company.now = DEADLINE + timedelta(minutes=1)
    company.checks_on_schedule()
    mail = newest_mail(company, "information", REQUESTER)  # she reads German
    assert mail.startswith("Die Erneuerung von «Gate a» ist überfällig")
    assert "Bis geantwortet ist, öffnet keine weitere Etappe. Die offenen gehen weiter." in mail
    assert "Anna Keller" in mail
