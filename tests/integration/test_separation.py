"""Separation of duties across gates: other people, or the same person; whatever the order, the way and the round."""

from __future__ import annotations

import pytest

from domain.errors import GateSettled, LinkVoid, NotEligible
from models.database import Database
from models.requests import RequestState, VoidReason
from tests.company import Company
from tests.sample_plans import ROLES

ANNA, BEN, CARLA = "anna@example.com", "ben@example.com", "carla@example.com"
DORA, EMIL = "dora@example.com", "emil@example.com"


def plan(*gates: str, second: str = "") -> str:
    later = f"  - {{id: later, title: Later, gates: [{second}]}}\n" if second else ""
    only = f"  - {{id: only, title: Only, gates: [{', '.join(gates)}]}}\n"
    return f"plan: several\ntitle: Several\n{ROLES}stages:\n{only}{later}"


def gate(key: str, approvers: str = "[board]", quorum: str = "any", more: str = "") -> str:
    return (
        f'{{id: {key}, title: Gate {key}, kind: sign-off, question: "?", approvers: {approvers}, quorum: {quorum}'
        f"{more and f', {more}'}}}"
    )


APART = plan(gate("x"), gate("y", more="different_people_than: [x]"))


def request_at(company: Company, person: str, key: str):  # type: ignore[no-untyped-def]
    return next(row for row in company.requests(person) if company.page(row).question.gate_key == key)


@pytest.mark.parametrize(("first", "second"), [("x", "y"), ("y", "x")])
def test_who_decided_one_cannot_decide_the_other_whichever_names_whom(db: Database, first: str, second: str) -> None:
    company = Company(db)
    company.start(APART)
    other = request_at(company, ANNA, second)
    company.decides(ANNA, request=request_at(company, ANNA, first))
    assert company.requests(ANNA, RequestState.VOID)[0].void_reason is VoidReason.SEPARATED
    with pytest.raises((GateSettled, LinkVoid, NotEligible)):
        company.decides(ANNA, request=other)
    assert company.gate(second)["waiting_for"] == [BEN, CARLA]
    company.decides(BEN, request=request_at(company, BEN, second))
    assert company.state == "completed"


def test_a_refusal_and_an_abstention_separate_as_an_approval_does(db: Database) -> None:
    for word in ("reject", "abstain"):
        company = Company(db)
        company.start(plan(gate("x", quorum="majority"), gate("y", more="different_people_than: [x]")))
        company.decides(ANNA, word, request=request_at(company, ANNA, "x"))
        assert company.gate("y")["waiting_for"] == [BEN, CARLA]


def test_a_quorum_that_needs_those_who_decided_elsewhere_is_out_of_reach_and_never_passes(db: Database) -> None:
    company = Company(db)
    company.start(plan(gate("x"), gate("y", quorum="all", more="different_people_than: [x]")))
    company.decides(ANNA, request=request_at(company, ANNA, "x"))
    assert (company.gate("y")["state"], company.gate("y")["outcome"]) == ("rejected", "hold")


def test_a_later_gate_is_not_asked_of_those_who_decided_the_earlier_one(db: Database) -> None:
    company = Company(db)
    company.start(plan(gate("x"), second=gate("y", quorum="all", more="different_people_than: [x]")))
    company.decides(BEN)
    assert company.gate("y")["waiting_for"] == [ANNA, CARLA]
    company.decides(ANNA)
    company.decides(CARLA)
    assert company.state == "completed"


def test_nobody_left_is_a_problem_and_not_a_pass(db: Database) -> None:
    company = Company(db)
    company.start(plan(gate("x", "[finance]"), second=gate("y", "[finance]", more="different_people_than: [x]")))
    company.decides(DORA)
    assert company.gate("y")["state"] == "waiting"
    assert "nobody who may decide" in company.gate("y")["problem"]
    assert company.state == "open"


def test_also_through_escalation(db: Database) -> None:
    company = Company(db)
    escalate = "different_people_than: [x], escalate: [{after: 1 day, to: chair}]"
    company.start(plan(gate("x", "[chair]"), second=gate("y", more=escalate)))
    company.decides(EMIL)
    company.later(days=2)
    company.checks()
    assert company.gate("y")["waiting_for"] == [ANNA, BEN, CARLA]
    assert not company.requests(EMIL, RequestState.OPEN)


def test_also_through_escalation_of_the_requester(db: Database) -> None:
    company = Company(db)
    company.start(plan(gate("x", "[finance]", more="escalate: [{after: 1 day, to: chair}]")), requester=EMIL)
    company.later(days=2)
    company.checks()
    assert not company.requests(EMIL)


def test_in_a_new_round_what_was_decided_before_separates_nobody(db: Database) -> None:
    company = Company(db)
    review = gate("x", more="choices: [go, recycle], recycle_to: only").replace("sign-off", "review")
    company.start(plan(review, gate("y", quorum="all", more="different_people_than: [x]")))
    company.decides(ANNA, "recycle", request=request_at(company, ANNA, "x"))
    company.decides(BEN, "recycle", request=request_at(company, BEN, "x"))
    company.decides(CARLA, "recycle", request=request_at(company, CARLA, "x"))
    assert (company.gate("y")["round"], company.gate("y")["waiting_for"]) == (2, [ANNA, BEN, CARLA])


SAME = plan(gate("x"), second=gate("y", more="same_person_as: x"))


def test_only_who_approved_there_may_decide_here(db: Database) -> None:
    company = Company(db)
    company.start(SAME)
    company.decides(BEN)
    assert company.gate("y")["waiting_for"] == [BEN]
    company.decides(BEN)
    assert company.state == "completed"


def test_in_the_same_stage_it_is_asked_only_once_the_other_has_passed(db: Database) -> None:
    company = Company(db)
    company.start(plan(gate("x"), gate("y", more="same_person_as: x")))
    assert (company.gate("y")["state"], company.gate("y")["waiting_for"]) == ("waiting", [])
    company.decides(CARLA)
    assert company.gate("y")["waiting_for"] == [CARLA]


def test_the_same_person_must_hold_the_role_here_as_well(db: Database) -> None:
    company = Company(db)
    company.start(plan(gate("x"), second=gate("y", "[staff]", more="same_person_as: x")))
    company.decides(ANNA)
    assert company.gate("y")["problem"], "Anna is not of the staff, and nobody else may"
    assert company.gate("y")["waiting_for"] == []


def test_two_gates_by_the_same_two_people(db: Database) -> None:
    company = Company(db)
    company.start(plan(gate("x", quorum="2"), second=gate("y", quorum="2", more="same_person_as: x")))
    company.decides(ANNA)
    company.decides(CARLA)
    assert company.gate("y")["waiting_for"] == [ANNA, CARLA]
