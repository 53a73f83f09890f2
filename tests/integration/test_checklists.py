"""Lists that somebody fills in, and that others may have to approve."""

from __future__ import annotations

import pytest

from domain.errors import GateSettled, InvalidInput
from models.database import Database
from models.requests import RequestState, VoidReason
from tests.company import ANNA, BEN, DORA, EMIL, KEYS, PEOPLE, REQUESTER, Company
from tests.sample_plans import one_gate

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
