"""Whoever reads of others in a mail reads their names; addresses stand in what is to be typed, and in the record."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from models.database import Database
from models.rollouts import Rollout
from operations.naming import names_of
from operations.workspace import Workspace
from tests.changing import started
from tests.company import ANNA, BEN, DORA, EMIL, Company
from tests.integration.test_check_costs import counted
from tests.lending import DIRECTORY
from tests.sample_plans import SIGN_OFF, one_gate


def who_lapsed(db: Database) -> Company:
    company = Company(db)
    company.start(one_gate(f"{SIGN_OFF}, quorum: all, pinned_to: [budget]"), budget={"agency": "20000"})
    company.decides(ANNA)
    company.changes(budget={"agency": "26000"})
    return company


def who_is_to_answer(db: Database) -> Company:
    company = started(db)
    company.decides(ANNA, "request-changes", comment="say what it costs")
    return company


def who_was_added(db: Database) -> Company:
    company = Company(db)
    company.start(one_gate(SIGN_OFF))
    company.adds(DORA)
    return company


def who_may_not_answer_for_whom(db: Database) -> Company:
    company = Company(db, directory=DIRECTORY)
    company.start(one_gate(f"{SIGN_OFF}, exclude: [finance]"))
    company.lends(ANNA, DORA)
    return company


def who_decides_instead(db: Database) -> Company:
    company = Company(db)
    company.start(one_gate(f"{SIGN_OFF}, escalate: [{{after: 1 day, to: {EMIL}, replace: true}}]"))
    company.later(days=2)
    company.checks()
    return company


@pytest.mark.parametrize(
    ("tell", "said"),
    [
        (who_lapsed, "What these had answered no longer counts, and they are asked again: Anna Keller"),
        (who_is_to_answer, "its clock stands still until this is answered by Dora Meier, Emil Vogt."),
        (who_was_added, "“The gate” needs the approval of Dora Meier as well"),
        (who_may_not_answer_for_whom, "Dora Meier is not asked here in the place of Anna Keller:"),
        (who_decides_instead, "Deciding instead from now on: Emil Vogt."),
    ],
)
def test_a_mail_calls_people_by_their_names(db: Database, tell: Callable[[Database], Company], said: str) -> None:
    news = tell(db).news()
    assert any(said in sentence for sentence in news), news
    assert not any("@example.com" in sentence for sentence in news), news


def test_many_names_are_read_at_once(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(SIGN_OFF))
    with db.read() as session, counted(db) as made:
        ws = Workspace.to_look_at(session, session.get_one(Rollout, company.rollout_id), company.now)
        names_of(ws, [ANNA])
        few = len(made)
        names_of(ws, [f"somebody-{number}@example.com" for number in range(50)])
        assert len(made) == few + 1


def test_names_come_in_the_order_of_the_addresses_and_whoever_is_unknown_by_their_address(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(SIGN_OFF))
    with db.read() as session:
        ws = Workspace.to_look_at(session, session.get_one(Rollout, company.rollout_id), company.now)
        assert names_of(ws, [BEN, "who@example.com", ANNA, BEN]) == "Ben Frei, who@example.com, Anna Keller"
        assert names_of(ws, []) == ""
