"""A rollout from its start to its end, the way people drive it: each gate by the links in their mails."""

from __future__ import annotations

from models.database import Database
from tests.company import Company
from tests.sample_plans import ROLES, SIGN_OFF, one_gate

TWO_STAGES = f"""
plan: two-stages
title: Two stages
{ROLES}
stages:
  - id: first
    title: First
    gates:
      - {{id: sign-off, title: Sign-off, {SIGN_OFF}, quorum: all}}
  - id: second
    title: Second
    gates:
      - {{id: review, title: Review, kind: review, question: "Go?", approvers: [finance]}}
"""


def test_a_rollout_goes_through_its_stages_and_completes(db: Database) -> None:
    company = Company(db)
    company.start(TWO_STAGES)
    assert company.stage_states() == {"first": "open", "second": "waiting"}
    assert company.gate("sign-off")["waiting_for"] == ["anna@example.com", "ben@example.com", "carla@example.com"]
    for person in ("anna@example.com", "ben@example.com"):
        company.decides(person)
    assert company.stage_states() == {"first": "open", "second": "waiting"}
    company.decides("carla@example.com", "approve-with-conditions")
    assert company.stage_states() == {"first": "passed", "second": "open"}
    company.decides("dora@example.com")
    assert company.stage_states() == {"first": "passed", "second": "open"}
    company.sees_to("ben@example.com")
    company.decides("carla@example.com")
    assert company.state == "completed"


def test_a_refusal_that_makes_the_quorum_unreachable_holds_the_stage_at_once(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(f"{SIGN_OFF}, quorum: all"))
    page = company.decides("anna@example.com", "reject", comment="too early")
    assert page.settlement is not None
    assert (company.state, company.gate()["state"], company.gate()["outcome"]) == ("held", "rejected", "hold")
    assert company.gate()["waiting_for"] == []
