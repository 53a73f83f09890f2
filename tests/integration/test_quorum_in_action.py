"""Which voices settle a gate, and that nothing else does. The arithmetic itself is in tests/unit/test_quorum.py."""

from __future__ import annotations

import pytest

from domain.errors import GateSettled, NotFound, QuorumImpossible, RoleNotHeld
from models.database import Database
from models.requests import RequestState
from tests.company import PEOPLE, REQUESTER, Company
from tests.sample_plans import SIGN_OFF, one_gate

ANNA, BEN, CARLA = "anna@example.com", "ben@example.com", "carla@example.com"
DORA, EMIL = "dora@example.com", "emil@example.com"
BUDGET = (
    'kind: budget, question: "Release it?", approvers: [finance], quorum: any, '
    "bands: [{above: 25000, approvers: [finance-head]}]"
)


@pytest.mark.parametrize(
    ("quorum", "voices"),
    [("any", 1), ("majority", 2), ("all", 3), ("1", 1), ("2", 2), ('"60 %"', 2), ('"100 %"', 3), ("{each: 2}", 2)],
)
def test_a_gate_passes_with_exactly_the_voices_its_quorum_asks_for(db: Database, quorum: str, voices: int) -> None:
    company = Company(db)
    company.start(one_gate(f"{SIGN_OFF}, quorum: {quorum}"))
    for count, person in enumerate((ANNA, BEN, CARLA)[:voices], start=1):
        assert company.gate()["state"] == "open"
        company.decides(person)
        assert (company.state == "completed") is (count == voices)
    assert len(company.gate()["decisions"]) == voices


def test_one_of_every_role_is_not_met_by_two_of_one_role(db: Database) -> None:
    company = Company(db)
    company.start(one_gate('kind: sign-off, question: "?", approvers: [board, finance], quorum: {each: 1}'))
    company.decides(ANNA)
    company.decides(BEN)
    assert company.gate()["state"] == "open"
    company.decides(DORA)
    assert company.state == "completed"


def test_asked_together_all_are_asked_at_once(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(f"{SIGN_OFF}, quorum: all"))
    assert [message.recipient for message in company.messages("request")] == [ANNA, BEN, CARLA]


def test_asked_in_turn_the_next_is_asked_only_when_the_one_before_has_decided(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(f"{SIGN_OFF}, quorum: all, order: in turn"))
    for asked in ([ANNA], [ANNA, BEN], [ANNA, BEN, CARLA]):
        assert [message.recipient for message in company.messages("request")] == asked
        company.decides(asked[-1])
    assert company.state == "completed"


def test_in_turn_a_request_for_changes_does_not_pass_the_turn_on(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(f"{SIGN_OFF}, quorum: all, order: in turn"))
    company.decides(ANNA, "request-changes")
    assert company.gate()["waiting_for"] == [REQUESTER, ANNA]


def test_in_turn_goes_on_with_those_who_were_to_decide_when_the_gate_opened(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(f"{SIGN_OFF}, quorum: all, order: in turn"))
    company.import_people(
        PEOPLE.replace("[anna@example.com, ben@example.com, carla@example.com]", "[dora@example.com]")
    )
    company.decides(ANNA)
    assert company.gate()["waiting_for"] == [BEN]


def test_in_turn_nobody_is_asked_any_longer_once_the_quorum_is_met(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(f"{SIGN_OFF}, quorum: 2, order: in turn"))
    company.decides(ANNA)
    company.decides(BEN)
    assert company.state == "completed"
    assert company.requests(CARLA) == []


def test_the_requester_is_not_asked_also_when_they_hold_the_role(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(f"{SIGN_OFF}, quorum: all"), requester=ANNA)
    assert company.requests(ANNA) == []
    company.decides(BEN)
    company.decides(CARLA)
    assert company.state == "completed"


def test_the_requester_decides_where_the_plan_excludes_nobody(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(f"{SIGN_OFF}, quorum: any, exclude: []"), requester=ANNA)
    company.decides(ANNA)
    assert company.state == "completed"


def test_a_gate_that_only_the_requester_could_decide_is_refused_at_the_start(db: Database) -> None:
    company = Company(db)
    with pytest.raises(QuorumImpossible):
        company.start(one_gate('kind: sign-off, question: "?", approvers: [finance], quorum: any'), requester=DORA)


def test_a_no_that_is_not_binding_is_heard_and_the_stage_passes(db: Database) -> None:
    company = Company(db)
    company.start(
        one_gate('kind: sign-off, question: "?", approvers: [adviser@example.org], quorum: any, binding: false')
    )
    company.decides("adviser@example.org", "reject", comment="too many channels")
    assert company.state == "completed"
    assert [said["comment"] for said in company.gate()["decisions"]] == ["too many channels"]


def test_one_no_of_three_does_not_stop_a_majority(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(f"{SIGN_OFF}, quorum: majority"))
    company.decides(ANNA, "reject")
    assert company.gate()["state"] == "open"
    company.decides(BEN)
    company.decides(CARLA)
    assert company.state == "completed"


def test_a_gate_is_rejected_as_soon_as_its_quorum_is_out_of_reach(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(f"{SIGN_OFF}, quorum: majority"))
    company.decides(ANNA, "reject")
    carla = company.asked(CARLA)
    company.decides(BEN, "reject")
    assert (company.gate()["state"], company.gate()["waiting_for"]) == ("rejected", [])
    with pytest.raises(GateSettled):
        company.decides(CARLA, request=carla)


def test_an_abstention_is_final_and_counts_for_nothing(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(f"{SIGN_OFF}, quorum: 2"))
    company.decides(ANNA, "abstain")
    assert company.requests(ANNA)[0].state is RequestState.DONE
    company.decides(BEN)
    assert company.gate()["state"] == "open"
    company.decides(CARLA, "abstain")
    assert company.gate()["state"] == "rejected"


def test_a_request_for_changes_keeps_the_link_open_and_the_owner_hears_it(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(f"{SIGN_OFF}, quorum: 3"), owner=DORA)
    company.decides(ANNA, "request-changes", comment="say what it costs")
    assert len(company.messages("request", DORA)) == 1
    assert company.headlines(REQUESTER)[-1] == "Changes are requested at “The gate”"
    assert company.messages("information", REQUESTER)[-1].facts["quote"] == "say what it costs"
    assert company.gate()["waiting_for"] == [DORA, ANNA, BEN, CARLA]
    for person in (ANNA, BEN, CARLA):
        company.decides(person)
    assert company.state == "completed"


@pytest.mark.parametrize(("amount", "needs_the_head"), [("24999.99", False), ("25000", False), ("25000.01", True)])
def test_the_head_of_finance_must_approve_above_the_limit_and_not_at_it(
    db: Database, amount: str, needs_the_head: bool
) -> None:
    company = Company(db)
    company.start(one_gate(BUDGET), budget={"Campaign": amount})
    company.decides(DORA)
    assert (company.state == "completed") is not needs_the_head
    if needs_the_head:
        company.decides(EMIL)
        assert company.state == "completed"


def test_the_head_of_finance_alone_is_not_enough(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(BUDGET), budget={"Campaign": "20000", "Pages": "5000.01"})
    company.decides(EMIL)
    assert company.gate()["state"] == "open"


def test_one_person_in_both_groups_cannot_give_both_voices(db: Database) -> None:
    company = Company(db)
    with pytest.raises(QuorumImpossible):
        company.start(one_gate(BUDGET), budget={"Campaign": "25000.01"}, people={"finance-head": [DORA]})
    assert company.db_is_empty()


def test_the_head_of_finance_is_still_needed_after_the_first_approvers_were_replaced(db: Database) -> None:
    company = Company(db)
    company.start(
        one_gate(f"{BUDGET}, escalate: [{{after: 2 days, to: board, replace: true}}]"), budget={"Campaign": "30000"}
    )
    company.later(days=2)
    company.checks()
    assert company.gate()["waiting_for"] == [EMIL, ANNA, BEN, CARLA]
    company.decides(ANNA)
    assert company.gate()["state"] == "open"
    company.decides(EMIL)
    assert company.state == "completed"


TWO_STEPS = """
plan: two-steps
title: Two steps
roles: {board: {title: Board}, finance: {title: Finance}}
stages:
  - id: first
    title: First
    gates: [{id: first-gate, title: First gate, kind: sign-off, question: "?", approvers: [board], quorum: any}]
  - id: second
    title: Second
    gates: [{id: second-gate, title: Second gate, kind: sign-off, question: "?", approvers: [finance], quorum: any}]
"""
NOBODY_IN_FINANCE = PEOPLE.replace("finance: [dora@example.com]", "finance: []")


def test_a_role_that_nobody_holds_is_refused_at_the_start(db: Database) -> None:
    company = Company(db, directory=NOBODY_IN_FINANCE)
    with pytest.raises(RoleNotHeld, match="finance"):
        company.start(TWO_STEPS)
    assert company.db_is_empty()


def test_a_role_emptied_on_the_way_lets_the_gate_wait_and_never_pass(db: Database) -> None:
    company = Company(db)
    company.start(TWO_STEPS)
    company.import_people(NOBODY_IN_FINANCE)
    company.decides(ANNA)
    assert company.gate("second-gate")["state"] == "waiting"
    assert "finance" in company.gate("second-gate")["problem"]
    for _ in range(3):
        company.later(hours=1)
        company.checks()
    assert company.headlines(REQUESTER).count("Nobody can be asked at “Second gate”") == 1
    company.import_people(PEOPLE)
    company.checks()
    assert (company.gate("second-gate")["waiting_for"], company.gate("second-gate")["problem"]) == ([DORA], None)
    company.decides(DORA)
    assert company.state == "completed"


def test_somebody_who_joins_a_role_after_the_gate_opened_is_not_asked(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(f"{SIGN_OFF}, quorum: any"))
    company.import_people(PEOPLE.replace("board: [anna", "board: [emil@example.com, anna"))
    company.advance()
    assert company.requests(EMIL) == []


def test_every_refused_rollout_leaves_nothing_to_find(db: Database) -> None:
    company = Company(db)
    with pytest.raises(NotFound):
        company.start(one_gate(SIGN_OFF), requester="nobody@example.com")
    assert company.db_is_empty()
