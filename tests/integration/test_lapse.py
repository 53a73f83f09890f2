"""An approval lapses when, and only when, something it is pinned to has changed; the person is told why, in words."""

from __future__ import annotations

from typing import Any

import pytest

from domain.errors import InvalidInput, NotAllowed, QuorumImpossible, RoleNotHeld, RolloutEnded
from models.database import Database
from models.requests import RequestState, VoidReason
from models.rollouts import Rollout
from notifications.rendering import render
from operations.compose_message import Composer
from operations.workspace import Workspace
from tests.company import KEYS, REQUESTER, Company
from tests.sample_plans import ROLES

ANNA, BEN, CARLA = "anna@example.com", "ben@example.com", "carla@example.com"
DORA, EMIL = "dora@example.com", "emil@example.com"


def plan(*stages: str, inputs: str = "") -> str:
    return f"""
plan: several
title: Several
calendar: {{holidays: CH-ZH, time_zone: Europe/Zurich}}
{ROLES}
inputs:
  budget: {{kind: budget, currency: CHF, title: Budget}}
  concept: {{kind: text, title: Concept}}
  target: {{kind: number, title: Target, default: "70"}}
stages:
{"".join(stages)}"""


def stage(key: str, *gates: str, more: str = "") -> str:
    return f"  - {{id: {key}, title: Stage {key}, {more}gates: [{', '.join(gates)}]}}\n"


def gate(key: str, approvers: str = "[board]", quorum: str = "all", more: str = "") -> str:
    return (
        f'{{id: {key}, title: Gate {key}, kind: sign-off, question: "Yes?", approvers: {approvers}, '
        f"quorum: {quorum}{more and f', {more}'}}}"
    )


def budget(key: str, approvers: str = "[finance]", quorum: str = "all", more: str = "") -> str:
    return gate(key, approvers, quorum, more).replace("sign-off", "budget")


TWO = plan(
    stage("one", gate("sign", more="pinned_to: [budget]"), gate("other", "[finance]")), stage("two", gate("end"))
)


def test_exactly_the_approvals_pinned_to_it_lapse(db: Database) -> None:
    company = Company(db)
    company.start(TWO, budget={"agency": "20000"})
    company.decides(ANNA)
    company.decides(DORA)
    company.changes(budget={"agency": "26000"})
    assert company.lapsed() == [(ANNA, "“Budget” went from 20 000 CHF to 26 000 CHF")]
    assert (company.gate("sign")["state"], company.gate("other")["state"]) == ("open", "passed")
    assert company.gate("sign")["waiting_for"] == [ANNA, BEN, CARLA]


def test_the_person_is_asked_again_by_a_new_link_and_told_why(db: Database) -> None:
    company = Company(db)
    company.start(TWO, budget={"agency": "20000"})
    old = company.token(company.asked(ANNA))
    company.decides(ANNA)
    company.changes(budget={"agency": "26000"})
    [message] = company.messages("lapsed", ANNA)
    with db.read() as session:
        ws = Workspace(session, (), session.get_one(Rollout, company.rollout_id), company.now)
        mail = Composer(KEYS, "http://etappe").compose(ws, message)
    assert mail is not None
    text = render(mail).text
    assert "«Budget» hat sich von 20 000 CHF auf 26 000 CHF geändert" in text
    new = company.token(company.asked(ANNA))
    assert new != old
    assert f"http://etappe/decide/{new}" in text
    company.decides(ANNA)
    assert company.gate("sign")["waiting_for"] == [BEN, CARLA]


def test_what_is_not_pinned_may_change(db: Database) -> None:
    company = Company(db)
    company.start(TWO, budget={"agency": "20000"}, inputs={"concept": "first"})
    company.decides(ANNA)
    company.changes(concept="second")
    assert company.lapsed() == []
    assert ANNA not in company.gate("sign")["waiting_for"]


def test_a_change_back_does_not_revive_it(db: Database) -> None:
    company = Company(db)
    company.start(TWO, budget={"agency": "20000"})
    company.decides(ANNA)
    company.changes(budget={"agency": "26000"})
    company.changes(budget={"agency": "20000"})
    assert [voice for voice, _ in company.lapsed()] == [ANNA]
    assert ANNA in company.gate("sign")["waiting_for"]


def test_an_approval_of_the_new_amount_stays(db: Database) -> None:
    company = Company(db)
    company.start(TWO, budget={"agency": "20000"})
    company.decides(ANNA)
    company.changes(budget={"agency": "26000"})
    company.decides(BEN)
    company.changes(concept="a concept")
    assert [voice for voice, _ in company.lapsed()] == [ANNA]
    assert company.gate("sign")["waiting_for"] == [ANNA, CARLA]


def test_a_gate_that_has_passed_is_asked_again_and_its_stage_with_it(db: Database) -> None:
    company = Company(db)
    company.start(TWO, budget={"agency": "20000"})
    for person in (ANNA, BEN, CARLA, DORA):
        company.decides(person)
    assert company.stage_states() == {"one": "passed", "two": "open"}
    company.changes(budget={"agency": "26000"})
    assert company.stage_states() == {"one": "open", "two": "open"}, "what runs goes on"
    assert (company.gate("sign")["state"], company.gate("sign")["round"]) == ("open", 2)
    assert (company.gate("other")["state"], company.gate("other")["round"]) == ("passed", 1)
    assert {message.recipient for message in company.messages("lapsed")} == {ANNA, BEN, CARLA}
    for person in (ANNA, BEN, CARLA):
        company.decides(person, request=next(row for row in company.requests(person, RequestState.OPEN)
                                             if row.gate_id != company.requests(person)[1].gate_id))  # fmt: skip
    assert company.stage_states() == {"one": "passed", "two": "open"}


def test_no_further_stage_opens_while_an_earlier_approval_has_lapsed(db: Database) -> None:
    company = Company(db)
    three = plan(
        stage("one", gate("sign", "[finance]", more="pinned_to: [budget]")),
        stage("two", gate("middle", "[chair]")),
        stage("three", gate("last", "[finance-head]")),
    )
    company.start(three, budget={"agency": "20000"})
    company.decides(DORA)
    company.changes(budget={"agency": "26000"})
    company.decides(EMIL)
    assert company.stage_states() == {"one": "open", "two": "passed", "three": "waiting"}
    company.decides(DORA)
    assert company.stage_states() == {"one": "passed", "two": "passed", "three": "open"}


def test_a_rollout_does_not_complete_on_a_lapsed_approval(db: Database) -> None:
    company = Company(db)
    two = plan(
        stage("one", gate("sign", "[finance]", more="pinned_to: [budget]")), stage("two", gate("end", "[chair]"))
    )
    company.start(two, budget={"agency": "20000"})
    company.decides(DORA)
    company.changes(budget={"agency": "26000"})
    company.decides(EMIL)
    assert company.state == "open"
    company.decides(DORA)
    assert company.state == "completed"


def test_a_refusal_given_for_something_else_lapses_too(db: Database) -> None:
    company = Company(db)
    company.start(plan(stage("one", gate("sign", quorum="majority", more="pinned_to: [budget]"))), budget={"a": "1"})
    company.decides(ANNA, "reject")
    company.changes(budget={"a": "2"})
    assert company.lapsed() == [(ANNA, "“Budget” went from 1 CHF to 2 CHF")]
    company.decides(ANNA)
    company.decides(BEN)
    assert company.gate("sign")["state"] == "passed"


def test_a_target_that_is_revised_makes_its_approval_lapse(db: Database) -> None:
    company = Company(db)
    target = (
        "{id: measured, title: Measured, kind: measurement, metric: visits, at_least: {input: target}, "
        "ask_after: [targets]}"
    )
    company.start(plan(stage("one", gate("targets", "[finance]", more="pinned_to: [measured]"), target)))
    company.decides(DORA)
    company.changes(target="80")
    assert company.lapsed() == [(DORA, "what “Measured” asks was reworded")]
    company.measures("visits", "75")
    company.decides(DORA)
    assert company.gate("measured")["state"] == "rejected", "the new target holds"


def test_a_budget_gate_is_pinned_to_its_lines_without_being_told(db: Database) -> None:
    company = Company(db)
    company.start(plan(stage("one", budget("money", "[finance, chair]"))), budget={"agency": "100", "tools": "50"})
    company.decides(DORA)
    company.changes(budget={"agency": "50", "tools": "100"})
    assert company.lapsed() == [(DORA, "the lines of “Budget” have changed; the total is still 150 CHF")]


BANDS = plan(stage("one", budget("money", more="bands: [{above: 25000, approvers: [finance-head]}]")))


def test_a_band_that_is_reached_asks_its_approvers_and_one_that_is_left_no_longer_needs_them(db: Database) -> None:
    company = Company(db)
    company.start(BANDS, budget={"agency": "20000"})
    assert company.gate("money")["waiting_for"] == [DORA]
    company.changes(budget={"agency": "26000"})
    assert company.gate("money")["waiting_for"] == [DORA, EMIL]
    company.changes(budget={"agency": "20000"})
    assert company.gate("money")["waiting_for"] == [DORA]
    assert company.requests(EMIL)[0].void_reason is VoidReason.NOT_NEEDED
    company.changes(budget={"agency": "30000"})
    assert company.gate("money")["waiting_for"] == [DORA, EMIL]
    company.decides(EMIL)
    company.decides(DORA)
    assert company.state == "completed"


def test_a_band_may_ask_for_one_more_of_those_who_are_asked_anyway(db: Database) -> None:
    """Whether the amount was there from the start or came later, it takes two of them."""
    for amounts in (["150"], ["90", "150"], ["150", "90", "150"]):
        company = Company(db)
        more = "bands: [{above: 100, approvers: [board]}]"
        company.start(plan(stage("one", budget("money", "[board]", "any", more))), budget={"agency": amounts[0]})
        for amount in amounts[1:]:
            company.changes(budget={"agency": amount})
        company.decides(ANNA)
        assert company.state == "open", amounts
        company.decides(BEN)
        assert company.state == "completed", amounts


def test_bands_count_any_number_and_may_raise_the_quorum(db: Database) -> None:
    company = Company(db)
    bands = "bands_on: target, bands: [{above: 100, quorum: 2}, {above: 200, quorum: all, approvers: [chair]}]"
    company.start(plan(stage("one", gate("sign", quorum="any", more=bands))), inputs={"target": "150"})
    company.decides(ANNA)
    assert company.gate("sign")["state"] == "open"
    company.changes(target="201")
    company.decides(BEN)
    company.decides(CARLA)
    assert company.gate("sign")["waiting_for"] == [EMIL]
    company.changes(target="200")
    assert company.state == "completed"


def test_a_change_that_nobody_could_approve_is_refused_and_nothing_changes(db: Database) -> None:
    company = Company(db)
    company.start(BANDS, budget={"agency": "20000"})
    company.import_people(company.directory.replace("  finance-head: [emil@example.com]\n", ""))
    before = company.entries()
    with pytest.raises((RoleNotHeld, QuorumImpossible)):
        company.changes(budget={"agency": "26000"})
    assert company.gate("money")["waiting_for"] == [DORA]
    assert len(company.entries()) == len(before)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"budget": {"agency": "20000"}}, "Nothing would change"),
        ({"budget": {}}, "leave at least one line"),
        ({"concept": 7}, "not a plain text"),
        ({"bugdet": "7"}, "did you mean “budget”"),
    ],
)
def test_what_cannot_be_changed_is_refused_in_words(db: Database, changes: dict[str, Any], sentence: str) -> None:
    company = Company(db)
    company.start(BANDS, budget={"agency": "20000"})
    with pytest.raises(InvalidInput, match=sentence):
        company.changes(**changes)


def test_only_those_who_look_after_it_may_change_it_and_only_with_a_reason(db: Database) -> None:
    company = Company(db)
    company.start(BANDS, budget={"agency": "20000"})
    with pytest.raises(NotAllowed, match="does not look after"):
        company.changes(by=DORA, budget={"agency": "1"})
    with pytest.raises(InvalidInput, match="needs a reason"):
        company.changes(reason=" ", budget={"agency": "1"})
    company.cancels()
    with pytest.raises(RolloutEnded):
        company.changes(budget={"agency": "1"})


def test_the_record_says_what_changed_from_what_to_what_and_by_whom(db: Database) -> None:
    company = Company(db)
    company.start(TWO, budget={"agency": "20000"}, inputs={"concept": "first"})
    company.changes(concept="second")
    [entry] = company.entries("rollout.input-changed")
    assert (entry.actor, entry.comment) == (REQUESTER, "prices went up")
    assert (entry.facts["input"], entry.facts["before"], entry.facts["after"]) == ("concept", "first", "second")
