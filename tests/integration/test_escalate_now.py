"""Escalating a gate before its time: whoever looks after it takes the plan's next level, with a reason."""

from __future__ import annotations

import pytest

from domain.errors import InvalidInput, NotAllowed, NotFound, RolloutEnded
from models.database import Database
from operations.escalate_gate import escalate_gate
from operations.workspace import Actor
from tests.api_client import ADMIN, BEN, CARLA, DORA, EMIL, Api, refused
from tests.company import KEYS, REQUESTER, Company
from tests.sample_plans import SIGN_OFF, one_gate

PLAN = one_gate(
    f"{SIGN_OFF}, quorum: any, escalate: [{{after: 5 days, to: chair}}, {{after: 9 days, to: finance, replace: true}}]"
)


def escalates(company: Company, by: str = CARLA, key: str = "gate", reason: str = "the fair is on Friday") -> None:
    """Let somebody escalate a gate now, as `etappe gate escalate` does."""
    escalate_gate(company.db, KEYS, company.rollout_id, key, reason, Actor(by, "command"), company.now)


def test_the_next_level_is_asked_at_once_and_the_one_after_keeps_its_time(db: Database) -> None:
    company = Company(db)
    company.start(PLAN, owner=CARLA)
    escalates(company)
    assert EMIL in company.gate()["waiting_for"]
    assert len(company.messages("escalation", EMIL)) == 1
    company.later(days=5)
    company.checks()
    assert len(company.entries("gate.escalated")) == 1
    company.later(days=4)
    company.checks()
    assert company.gate()["waiting_for"] == [DORA]


def test_the_record_and_those_concerned_have_the_reason(db: Database) -> None:
    company = Company(db)
    company.start(PLAN, owner=CARLA)
    escalates(company)
    [entry] = company.entries("gate.escalated")
    assert (entry.actor, entry.comment, entry.facts["to"]) == (CARLA, "the fair is on Friday", [EMIL])
    told = company.messages("information", REQUESTER)[-1]
    assert (told.facts["quote"], told.facts["quoted"]) == ("the fair is on Friday", CARLA)


def test_it_is_refused_with_a_sentence_when_no_level_is_left_or_the_clock_stands_still(db: Database) -> None:
    company = Company(db)
    company.start(PLAN, owner=CARLA)
    escalates(company)
    escalates(company)
    with pytest.raises(InvalidInput, match="no level of escalation is left"):
        escalates(company)
    company.start(PLAN, owner=CARLA)
    company.says(BEN, "request-changes", comment="numbers")
    with pytest.raises(InvalidInput, match="Changes are asked for"):
        escalates(company)
    with pytest.raises(InvalidInput, match="needs a reason"):
        escalates(company, reason=" ")
    with pytest.raises(NotFound):
        escalates(company, key="no-gate")
    company.cancels()
    with pytest.raises(RolloutEnded):
        escalates(company)


def test_only_who_looks_after_the_stage_may_and_the_requester_may_not(company: Company, api: Api) -> None:
    company.start(PLAN.replace("    gates:", "    owner: finance\n    gates:"), owner=CARLA)
    with pytest.raises(NotAllowed):
        escalates(company, by=BEN)
    refused(api.post(REQUESTER, f"{api.at()}/escalate", {"reason": "quick"}), 403, "not-allowed")
    assert api.post(DORA, f"{api.at()}/escalate", {"reason": "quick"}).status_code == 200
    assert api.post(ADMIN, f"{api.at()}/escalate", {"reason": "quick"}).status_code == 200
    refused(api.post(CARLA, f"{api.at()}/escalate", {"reason": "quick"}), 422, "invalid-input")
    assert [entry.channel for entry in company.entries("gate.escalated")] == ["api", "api"]
