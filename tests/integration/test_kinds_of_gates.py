"""What confirmations and reviews ask for beside a yes, and what reviewers choose."""

from __future__ import annotations

import pytest

from domain.errors import InvalidInput
from models.database import Database
from tests.company import ANNA, BEN, CARLA, DORA, EMIL, REQUESTER, Company
from tests.sample_plans import LATER, one_gate

READ = 'kind: acknowledgement, text: "Please read", audience: [staff], share: "75 %", invite_comment: "Ideas?"'


def test_the_share_of_the_audience_that_must_confirm_is_enough_and_not_less(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(READ))
    for person in (BEN, CARLA):
        company.decides(person)
    assert company.gate()["state"] == "open"
    company.decides(DORA, comment="we try videos already")
    assert company.state == "completed"
    assert [said["comment"] for said in company.gate()["decisions"]] == ["", "", "we try videos already"]


def test_the_requester_belongs_to_the_audience_too(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(READ.replace("75", "100")), requester=BEN)
    assert BEN in company.gate()["waiting_for"]


def test_a_confirmation_can_only_be_a_yes(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(READ))
    for decision in ("reject", "abstain", "request-changes", "approve-with-conditions"):
        with pytest.raises(InvalidInput):
            company.decides(BEN, decision)
    assert company.gate()["decisions"] == []


REVIEW = 'kind: review, question: "Go on?", approvers: [board], quorum: all'


@pytest.mark.parametrize(("choice", "state"), [("hold", "held"), ("kill", "killed"), ("recycle", "open")])
def test_a_review_comes_to_what_its_reviewers_choose(db: Database, choice: str, state: str) -> None:
    company = Company(db)
    company.start(one_gate(REVIEW))
    company.decides(ANNA, choice)
    assert company.state == state
    assert company.rollout()["stages"][0]["round"] == (2 if choice == "recycle" else 1)


def test_reviewers_of_two_minds_come_to_the_milder_one(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(REVIEW.replace("quorum: all", "quorum: majority")))
    company.decides(ANNA, "kill")
    company.decides(BEN, "hold")
    assert company.state == "held"


@pytest.mark.parametrize("decision", ["approve", "approve-with-conditions", "hold", "kill"])
def test_a_review_without_the_lessons_its_plan_asks_for_is_refused(db: Database, decision: str) -> None:
    company = Company(db)
    company.start(one_gate(f"{REVIEW}, lessons: true") + LATER)
    with pytest.raises(InvalidInput) as refusal:
        company.decides(ANNA, decision)
    assert set(refusal.value.fields) == {"lessons"}
    company.decides(ANNA, decision, lessons="ask earlier")
    [entry] = company.entries("decision.recorded")
    assert entry.facts["lessons"] == "ask earlier"


BOXED = f"{REVIEW}, choices: [go, hold], escalate: [{{after: 2 days, to: chair, replace: true, choices: [go, kill]}}]"


def test_when_the_time_box_is_over_the_sponsor_alone_decides_between_start_and_stop(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(BOXED) + LATER)
    company.decides(ANNA)
    company.later(days=2)
    company.checks()
    assert company.gate()["waiting_for"] == [EMIL]
    choices = company.page(company.asked(EMIL)).question.choices
    assert choices == ("approve", "approve-with-conditions", "kill")
    for decision in ("hold", "recycle", "request-changes", "abstain"):
        with pytest.raises(InvalidInput):
            company.decides(EMIL, decision)
    company.decides(EMIL, "kill")
    assert company.state == "killed"


def test_the_word_of_somebody_who_was_replaced_no_longer_weighs(db: Database) -> None:
    company = Company(db)
    plan = REVIEW.replace("quorum: all", "quorum: any")
    company.start(one_gate(f"{plan}, escalate: [{{after: 2 days, to: chair, replace: true, choices: [go, hold]}}]"))
    company.decides(ANNA, "kill")
    company.decides(BEN, "kill")
    company.later(days=2)
    company.checks()
    company.decides(EMIL, "hold")
    assert company.state == "held"


def test_somebody_who_was_asked_already_can_be_the_one_who_decides_alone(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(BOXED), people={"chair": [CARLA]})
    carla = company.asked(CARLA)
    company.later(days=2)
    company.checks()
    assert company.gate()["waiting_for"] == [CARLA]
    assert company.asked(CARLA).id == carla.id
    assert [message.recipient for message in company.messages("escalation")] == [CARLA]
    company.decides(CARLA)
    assert company.state == "completed"


def test_somebody_who_has_said_yes_already_and_now_decides_alone_is_not_asked_twice(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(BOXED), people={"chair": [CARLA]})
    company.decides(CARLA)
    company.later(days=2)
    company.checks()
    assert company.state == "completed"


def test_the_owner_hears_what_became_of_each_gate_once(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(REVIEW))
    for person in (ANNA, BEN, CARLA):
        company.decides(person)
    assert len(company.messages("outcome", REQUESTER)) == 1
