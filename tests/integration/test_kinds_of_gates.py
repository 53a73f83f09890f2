"""What each kind of gate asks for beside a yes: lists, values, confirmations, lessons."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.errors import GateSettled, InvalidInput, RolloutEnded
from models.database import Database
from models.requests import Purpose, RequestState, VoidReason
from operations.record_measurement import record_measurement_by_link
from operations.show_request import RequestPage
from tests.company import KEYS, PEOPLE, REQUESTER, Company
from tests.sample_plans import LATER, ROLES, SIGN_OFF, one_gate

ANNA, BEN, CARLA = "anna@example.com", "ben@example.com", "carla@example.com"
DORA, EMIL = "dora@example.com", "emil@example.com"

ITEMS = """items: [
  {id: team, title: Team, kind: people, minimum: 2},
  {id: hours, title: Hours, kind: number, each: true, people_from: team, minimum: 4},
  {id: why, title: Why, kind: text},
  {id: training, title: Training, kind: yes-no}]"""
LIST = f'kind: checklist, question: "Who does it?", filled_by: finance, {ITEMS}'
APPROVED_LIST = f"{LIST}, approvers: [chair]"
FULL = {"team": "Mia\nNoa", "hours": "Mia: 4\nNoa: 12,5", "why": "They like to", "training": "yes"}


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("team", "Mia"),
        ("team", "Mia\nMIA"),
        ("hours", "Mia: 4\nNoa: 3.9"),
        ("hours", "Mia: 4"),
        ("hours", "Mia: 4\nNoa: many"),
        ("why", "  "),
        ("training", "no"),
        ("why", None),
    ],
)
def test_a_list_below_its_minimums_is_refused_by_field_and_nothing_recorded(
    db: Database, field: str, typed: str | None
) -> None:
    company = Company(db)
    company.start(one_gate(APPROVED_LIST))
    fields = {name: text for name, text in {**FULL, field: typed}.items() if text is not None}
    with pytest.raises(InvalidInput) as refusal:
        company.fills_in(DORA, fields)
    assert field in refusal.value.fields
    assert (company.requests(EMIL), company.asked(DORA).state) == ([], RequestState.OPEN)
    assert company.entries("checklist.filled") == []


def test_a_complete_list_goes_to_those_who_approve_it_and_they_see_it(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(APPROVED_LIST))
    assert [message.recipient for message in company.messages("request")] == [DORA]
    company.fills_in(DORA, FULL)
    assert company.gate()["state"] == "open"
    filled = company.page(company.asked(EMIL)).question.filled
    assert [(line.title, line.value) for line in filled] == [
        ("Team", "Mia\nNoa"), ("Hours", "Mia: 4\nNoa: 12.5"), ("Why", "They like to"), ("Training", "yes"),
    ]  # fmt: skip
    company.decides(EMIL)
    assert company.state == "completed"


def test_a_list_that_nobody_approves_passes_when_it_is_complete(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(LIST))
    company.fills_in(DORA, FULL)
    assert company.state == "completed"


def test_a_list_that_was_turned_down_is_filled_in_again_after_resuming(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(APPROVED_LIST))
    company.fills_in(DORA, FULL)
    company.decides(EMIL, "reject")
    company.resumes()
    assert company.gate()["waiting_for"] == [DORA]
    company.fills_in(DORA, {**FULL, "team": "Mia\nNoa\nLia", "hours": "Mia: 4\nNoa: 5\nLia: 6"})
    company.decides(EMIL)
    assert company.state == "completed"


def test_changes_requested_at_a_list_send_it_back_to_whoever_fills_it_in(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(APPROVED_LIST))
    company.fills_in(DORA, FULL)
    page = company.decides(EMIL, "request-changes", comment="name a third person")
    assert (page.mine.comment if page.mine else "", page.void_reason) == ("name a third person", VoidReason.WITHDRAWN)
    assert (company.gate()["state"], company.gate()["round"], company.gate()["waiting_for"]) == ("open", 2, [DORA])
    told = {message.recipient for message in company.messages("information") if message.facts["quote"]}
    assert told == {REQUESTER, DORA}
    before = {line.item.id: line.value for line in company.page(company.asked(DORA)).question.to_fill}
    assert before["team"] == "Mia\nNoa"  # what was typed is changed, not typed again
    company.fills_in(DORA, {**FULL, "team": "Mia\nNoa\nLou", "hours": "Mia: 4\nNoa: 4\nLou: 4"})
    company.decides(EMIL)
    assert company.state == "completed"


def test_one_of_several_fills_the_list_in_and_the_others_links_say_so(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(APPROVED_LIST.replace("filled_by: finance", "filled_by: board")))
    ben = company.asked(BEN)
    company.fills_in(ANNA, FULL)
    assert company.page(ben).void_reason is VoidReason.SETTLED
    assert company.gate()["waiting_for"] == [EMIL]


def test_the_same_list_again_records_nothing_new(db: Database) -> None:
    from operations.record_answers import record_answers

    company = Company(db)
    company.start(one_gate(APPROVED_LIST))
    request, page = company.asked(DORA), company.page(company.asked(DORA))
    for _ in range(2):
        record_answers(db, KEYS, company.token(request), FULL, company.code(request), page.digest, company.now)
    assert len(company.entries("checklist.filled")) == 1
    with pytest.raises(GateSettled):
        record_answers(db, KEYS, company.token(request), {**FULL, "why": "other"}, company.code(request), page.digest,
                       company.now)  # fmt: skip


def test_those_who_approve_a_list_are_those_of_the_gates_opening(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(APPROVED_LIST))
    company.import_people(PEOPLE.replace("chair: [emil@example.com]", "chair: []"))
    company.fills_in(DORA, FULL)
    assert company.gate()["waiting_for"] == [EMIL]
    company.decides(EMIL)
    assert company.state == "completed"


def test_a_link_to_fill_in_a_list_does_not_decide(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(APPROVED_LIST))
    with pytest.raises(InvalidInput):
        company.decides(DORA)
    assert company.gate()["decisions"] == []


MEASURED = "kind: measurement, metric: hits, measured_by: finance, at_least: 70"


@pytest.mark.parametrize(
    ("value", "state"), [("69.9999", "held"), ("70", "completed"), ("70.0", "completed"), ("71", "completed")]
)
def test_a_value_is_held_against_its_target(db: Database, value: str, state: str) -> None:
    company = Company(db)
    company.start(one_gate(MEASURED))
    company.measures("hits", value)
    assert company.state == state


def test_a_value_just_below_its_target_stays_below_when_it_is_read_again(db: Database) -> None:
    company = Company(db)
    plan = f"""
plan: later
title: Later
{ROLES}
stages:
  - {{id: first, title: First, gates: [{{id: gate, title: G, {SIGN_OFF}, quorum: any}}]}}
  - {{id: second, title: Second, gates: [{{id: measured, title: M, {MEASURED}}}]}}
"""
    company.start(plan)
    company.measures("hits", "69.999999999")
    company.decides(ANNA)
    assert company.gate("measured")["state"] == "rejected"


def test_a_target_may_be_a_most(db: Database) -> None:
    company = Company(db)
    company.start(one_gate("kind: measurement, metric: hours, measured_by: finance, at_most: 24"))
    company.measures("hours", "24.01")
    assert company.state == "held"
    company.measures("hours", "24")
    assert company.state == "completed"


def test_a_new_value_asks_a_held_stage_again_and_passes_it(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(MEASURED))
    company.measures("hits", "12")
    assert (company.state, company.stage_states()) == ("held", {"only": "held"})
    company.later(days=3)
    company.measures("hits", "13")
    assert (company.state, company.gate()["round"]) == ("held", 2)
    company.measures("hits", "90")
    assert (company.state, company.gate()["round"]) == ("completed", 3)


def test_after_resuming_by_hand_the_old_value_does_not_count(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(MEASURED))
    company.measures("hits", "12")
    company.resumes()
    assert (company.state, company.gate()["state"], company.gate()["round"]) == ("open", "open", 2)


def test_a_new_value_does_not_override_a_review_that_put_the_stage_on_hold(db: Database) -> None:
    company = Company(db)
    review = "- {id: review, title: R, kind: review, question: '?', approvers: [chair]}"
    company.start(f"{one_gate(MEASURED)}      {review}\n")
    company.decides(EMIL, "hold")
    company.measures("hits", "12")
    company.measures("hits", "90")
    assert (company.state, company.gate("review")["round"]) == ("held", 1)
    company.resumes()
    assert company.gate()["state"] == "passed"
    company.decides(EMIL)
    assert company.state == "completed"


def test_too_small_a_sample_leaves_the_gate_open(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(f"{MEASURED}, minimum_sample: 10"))
    for sample in ("", "9"):
        company.measures("hits", "90", sample)
        assert company.gate()["state"] == "open"
    company.measures("hits", "90", "10")
    assert company.state == "completed"


def test_a_value_that_is_too_old_leaves_the_gate_open(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(f"{MEASURED}, maximum_age: 48 hours"))
    company.measures("hits", "90", measured_at=company.now - timedelta(hours=48, seconds=1))
    assert company.gate()["state"] == "open"
    company.measures("hits", "90", measured_at=company.now - timedelta(hours=48))
    assert company.state == "completed"


@pytest.mark.parametrize("value", ["many", "", "NaN", "inf", "1e3", "1,250", "1.250", "--1", "７"])
def test_what_is_not_a_number_in_one_reading_is_refused(db: Database, value: str) -> None:
    company = Company(db)
    company.start(one_gate(MEASURED))
    with pytest.raises(InvalidInput):
        company.measures("hits", value)
    assert company.entries("measurement.recorded") == []


def test_values_of_an_unknown_metric_from_the_future_or_after_the_end_are_refused(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(MEASURED))
    with pytest.raises(InvalidInput, match="hits"):
        company.measures("hit", "90")
    with pytest.raises(InvalidInput, match="future"):
        company.measures("hits", "90", measured_at=company.now + timedelta(seconds=1))
    company.measures("hits", "90")
    with pytest.raises(RolloutEnded):
        company.measures("hits", "90")


def measure_by_link(company: Company, value: str) -> RequestPage:
    [request] = [row for row in company.requests(DORA) if row.purpose is Purpose.MEASURE]
    page = company.page(request)
    return record_measurement_by_link(
        company.db, KEYS, company.token(request), value, "", company.code(request), page.digest, company.now
    )


def test_a_value_can_be_brought_by_link_and_twice_is_once(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(MEASURED))
    assert measure_by_link(company, "90").settlement is not None
    assert measure_by_link(company, "90").settlement is not None
    assert len(company.entries("measurement.recorded")) == 1
    with pytest.raises(GateSettled):
        measure_by_link(company, "91")


def test_a_value_that_fails_is_recorded_once_too(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(MEASURED))
    for _ in range(2):
        assert measure_by_link(company, "12").state is RequestState.DONE
    assert (company.state, len(company.entries("measurement.recorded"))) == ("held", 1)


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
