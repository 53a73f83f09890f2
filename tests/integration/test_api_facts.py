"""Whatever the operations tell is described: the API leaves nothing out, and its description names everything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from pydantic import BaseModel

from models.database import Database
from operations.describe_request import describe_request
from operations.describe_rollout import describe_rollout
from operations.show_gate import show_gate
from tests.company import REQUESTER, Company
from tests.sample_plans import ROLES
from web.api.facts import RolloutFacts
from web.api.question_facts import QuestionFacts

ANNA, BEN = "anna@example.com", "ben@example.com"
PLAN = f"""
plan: everything
title: Everything
calendar: {{holidays: CH-ZH, time_zone: Europe/Zurich}}
{ROLES}
inputs:
  budget: {{kind: budget, currency: CHF}}
  goal: {{kind: text, title: Goal}}
stages:
  - id: first
    title: First
    exclusive: market
    gates:
      - {{id: money, title: Money, kind: budget, question: "May it cost this?", approvers: [board]}}
      - id: list
        title: List
        kind: checklist
        question: Who?
        filled_by: {ANNA}
        items: [{{id: people, title: People, kind: people, minimum: 2}}]
      - {{id: value, title: Value, kind: measurement, metric: visits, at_least: 10, measured_by: owner}}
  - id: second
    title: Second
    gates:
      - {{id: last, title: Last, kind: sign-off, question: "All?", approvers: [board], quorum: any}}
"""


@pytest.fixture
def company(db: Database) -> Company:
    """A company in which much is said about one rollout."""
    company = Company(db)
    company.start(PLAN, budget={"Video": "1200"}, inputs={"goal": "More readers"})
    company.says(BEN, "request-changes", "money", comment="Numbers, please")
    return company


def undocumented(told: Any, path: str = "") -> Iterator[str]:
    """The paths of everything that a shape holds and does not name."""
    if isinstance(told, BaseModel):
        yield from (f"{path}.{name}" for name in told.model_extra or {})
        for name in type(told).model_fields:
            yield from undocumented(getattr(told, name), f"{path}.{name}")
    elif isinstance(told, list):
        for each in told:
            yield from undocumented(each, path)
    else:
        assert not isinstance(told, Mapping), f"{path} is not described"


def test_everything_told_of_a_rollout_is_described(company: Company) -> None:
    facts = describe_rollout(company.db, company.rollout_id, company.now)
    assert list(undocumented(RolloutFacts.model_validate(facts))) == []


@pytest.mark.parametrize(
    ("person", "gate"), [(BEN, "money"), (ANNA, "list"), (REQUESTER, "value"), (REQUESTER, "money")]
)
def test_everything_told_of_a_question_is_described(company: Company, person: str, gate: str) -> None:
    facts = describe_request(show_gate(company.db, company.rollout_id, gate, person, company.now))
    assert list(undocumented(QuestionFacts.model_validate(facts))) == []
