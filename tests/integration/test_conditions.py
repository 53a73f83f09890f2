"""Conditions of an approval: each becomes a gate of a later stage, is asked for at once, and holds that stage."""

from __future__ import annotations

from datetime import date

import pytest

from domain.conditions import TypedCondition
from models.database import Database
from models.requests import Purpose, RequestState
from tests.company import ANNA, BEN, CARLA, DORA, EMIL, REQUESTER, Company
from tests.integration.test_two_at_once import deciding, race
from tests.with_conditions import OUTSIDER, WITH_CONDITIONS, agreed, kept, keys, plan


def test_a_condition_becomes_a_gate_of_the_next_stage_and_is_asked_for_at_once(db: Database) -> None:
    company = agreed(db)
    assert company.stage_states() == {"a": "passed", "b": "open", "c": "waiting"}
    assert keys(company, "b") == ["y", "condition-1"]
    gate = company.gate("condition-1")
    assert (gate["kind"], gate["state"], gate["waiting_for"]) == ("checklist", "open", [BEN])
    assert company.asked(BEN).purpose is Purpose.ANSWER
    assert gate["due_at"] == "2026-03-09T22:59:59+00:00"  # the end of the ninth of March in Zurich


def test_it_is_asked_for_while_its_stage_still_waits(db: Database) -> None:
    company = agreed(db, Company(db).condition(stage="c"))
    assert company.stage_states()["c"] == "waiting"
    assert company.gate("condition-1")["state"] == "open"
    assert len(company.messages("request", BEN)) == 2  # to decide at the first gate, and to see to the condition


def test_nothing_becomes_a_gate_before_the_gate_has_passed(db: Database) -> None:
    company = agreed(db, source=plan("all"))
    assert keys(company, "b") == ["y"]
    company.decides(CARLA)
    company.decides(BEN)
    assert keys(company, "b") == ["y", "condition-1"]


def test_a_gate_that_does_not_pass_makes_no_conditions(db: Database) -> None:
    company = agreed(db, source=plan("all"))
    company.decides(BEN, "reject")
    assert company.state == "held"
    company.resumes()
    for person in (ANNA, BEN, CARLA):
        company.decides(person)
    assert keys(company, "b") == ["y"]


def test_the_stage_passes_only_when_the_condition_is_fulfilled(db: Database) -> None:
    company = agreed(db)
    company.decides(DORA)
    assert company.stage_states()["b"] == "open"
    company.sees_to(BEN, "legal has checked them")
    assert company.gate("condition-1")["waiting_for"] == [ANNA]
    company.decides(ANNA)
    assert company.stage_states() == {"a": "passed", "b": "passed", "c": "open"}
    company.decides(EMIL)
    assert company.state == "completed"


def test_a_condition_fulfilled_before_its_stage_opens_does_not_stop_it(db: Database) -> None:
    company = agreed(db, Company(db).condition(stage="c"))
    company.sees_to(BEN)
    company.decides(ANNA)
    assert company.gate("condition-1")["state"] == "passed"
    company.decides(DORA)
    company.decides(EMIL)
    assert company.state == "completed"


def test_whoever_acts_and_whoever_made_it_read_whose_condition_it_is(db: Database) -> None:
    company = agreed(db, Company(db).condition("check the texts"))
    asked = company.page(company.asked(BEN)).question
    assert (asked.gate_title, asked.question) == (
        "Condition: check the texts",
        "Condition of the approval “Gate X”: check the texts",
    )
    assert str(asked.why) == "Anna Keller approved “Gate X” on the condition that you see to this."
    assert str(asked.on_yes) == "Whoever made the condition then says whether it is met."
    company.sees_to(BEN, "legal has checked them")
    back = company.page(company.asked(ANNA)).question
    assert back.gate_title == "Auflage: check the texts"
    assert [(line.title, line.value) for line in back.filled] == [("Was wurde getan?", "legal has checked them")]
    assert str(back.why) == "You made this a condition of your approval at “Gate X”: say whether it is met."


def test_the_receipt_and_the_pages_show_conditions_in_words(db: Database) -> None:
    company = agreed(db, TypedCondition("check the texts", " Ben@Example.com ", "2026-03-09"))
    words = "check the texts (ben@example.com, 2026-03-09)"
    assert company.gate("x")["decisions"][0]["conditions"] == words
    [recorded] = company.entries("decision.recorded")
    assert recorded.facts["conditions"] == words
    [made] = company.entries("condition.made")
    assert (made.gate, made.stage, made.facts["who"], made.facts["due_on"]) == ("condition-1", "b", BEN, "2026-03-09")


def test_anybody_may_be_responsible_also_the_requester_and_somebody_unknown(db: Database) -> None:
    make = Company(db).condition
    company = agreed(db, make("first", REQUESTER), make("second", OUTSIDER), make("third", ANNA))
    assert [company.gate(f"condition-{n}")["waiting_for"] for n in (1, 2, 3)] == [[REQUESTER], [OUTSIDER], [ANNA]]
    for person in (REQUESTER, OUTSIDER, ANNA):
        company.sees_to(person)
    for request in company.requests(ANNA, RequestState.OPEN):
        company.decides(ANNA, request=request)
    assert {company.gate(f"condition-{n}")["state"] for n in (1, 2, 3)} == {"passed"}


@pytest.mark.parametrize(("to", "asked"), [(CARLA, {ANNA, CARLA}), (REQUESTER, {ANNA})])
def test_the_makers_voice_can_be_lent_but_not_to_whoever_may_not_decide(db: Database, to: str, asked: set[str]) -> None:
    company = agreed(db)
    company.lends(ANNA, to=to)
    company.sees_to(BEN)
    assert set(company.gate("condition-1")["waiting_for"]) == asked
    company.decides(max(asked))
    assert company.gate("condition-1")["state"] == "passed"


def test_three_conditions_become_three_gates_in_the_stages_they_name(db: Database) -> None:
    make = Company(db).condition
    company = agreed(db, make("first"), TypedCondition(), make("second", stage="c"), make("third", stage="b"))
    assert keys(company, "b") == ["y", "condition-1", "condition-3"]
    assert keys(company, "c") == ["z", "condition-2"]


def test_two_approvers_with_conditions_each_say_whether_theirs_is_met(db: Database) -> None:
    company = agreed(db, Company(db).condition("Anna's", EMIL), source=plan("2"))
    company.decides(CARLA, WITH_CONDITIONS, conditions=[company.condition("Carla's", OUTSIDER)])
    assert keys(company, "b") == ["y", "condition-1", "condition-2"]
    company.sees_to(EMIL)
    company.sees_to(OUTSIDER)
    assert [company.gate(f"condition-{n}")["waiting_for"] for n in (1, 2)] == [[ANNA], [CARLA]]
    company.decides(ANNA)
    company.decides(CARLA, "reject")
    assert [company.gate(f"condition-{n}")["state"] for n in (1, 2)] == ["passed", "rejected"]
    assert company.stage_states()["b"] == "held"


def test_conditions_of_somebody_who_no_longer_counts_are_not_made(db: Database) -> None:
    """Anna's word stands in the record, but others decide instead of her by then."""
    company = agreed(db, source=plan("all", ", escalate: [{after: 2 days, to: chair, replace: true}]"))
    company.later(days=2)
    company.checks()
    company.decides(EMIL)
    assert company.stage_states()["a"] == "passed"
    assert keys(company, "b") == ["y"]


def test_the_plan_names_the_stage_for_conditions(db: Database) -> None:
    company = agreed(db, source=plan(more=", conditions_in: c"))
    assert keys(company, "c") == ["z", "condition-1"]


def test_a_reviewers_go_with_conditions_works_alike(db: Database) -> None:
    company = agreed(db, source=plan(kind="review"))
    assert company.gate("condition-1")["waiting_for"] == [BEN]


def test_a_checklists_approver_may_set_conditions_too(db: Database) -> None:
    company = Company(db)
    company.start(plan(kind="checklist", more=", items: [{id: note, title: Note, kind: text}]"))
    company.fills_in(REQUESTER, {"note": "done"})
    company.decides(ANNA, WITH_CONDITIONS)
    assert company.gate("condition-1")["waiting_for"] == [BEN]


def test_a_yes_to_a_condition_may_carry_one_of_its_own(db: Database) -> None:
    company = agreed(db)
    company.sees_to(BEN)
    company.decides(ANNA, WITH_CONDITIONS, conditions=[company.condition("keep it so", CARLA)])
    assert keys(company, "c") == ["z", "condition-2"]
    assert company.page(company.asked(CARLA)).question.question == (
        "Condition of the approval “Condition: check the texts”: keep it so"
    )


def test_the_gate_passing_twice_at_once_makes_its_conditions_once(db: Database) -> None:
    company = agreed(db, source=plan("2"))
    race([deciding(company, BEN), deciding(company, CARLA), company.advance])
    assert len(company.entries("condition.made")) == 1
    assert company.gate("condition-1")["round"] == 1


def test_the_dates_are_kept_as_dates(db: Database) -> None:
    [condition] = kept(agreed(db))
    assert (condition.due_on, condition.days, condition.stage) == (date(2026, 3, 9), 7, "b")
