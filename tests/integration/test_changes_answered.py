"""A request for changes is answered: those who are still asked hear it, and see what is different since.

Only those whose pinned inputs changed lose their earlier decision.
"""

from __future__ import annotations

import pytest

from domain.errors import EvidenceChanged, GateSettled, InvalidInput, NotAllowed, NotFound, WrongCode
from models.database import Database
from models.requests import Purpose, RequestState, VoidReason
from operations.answer_changes import Answer, answer_changes, answer_changes_by_link
from operations.record_decision import DecisionForm, record_decision
from operations.workspace import Actor
from tests.changing import MONEY, OWNED, asked, started
from tests.company import ANNA, BEN, CARLA, DORA, EMIL, KEYS, REQUESTER, Company
from tests.integration.test_lapse import budget, plan, stage


def test_those_who_are_still_asked_hear_the_answer_by_the_same_link(db: Database) -> None:
    company = started(db)
    company.decides(ANNA)
    links = {person: company.token(company.asked(person)) for person in (BEN, CARLA)}
    company.decides(BEN, "request-changes", comment="say what it costs")
    company.later(hours=1)
    page = company.answers_changes(DORA, "nothing: we do it ourselves")
    assert page.state is RequestState.DONE
    assert [len(company.messages("request", person)) for person in (ANNA, BEN, CARLA)] == [1, 2, 2]
    for person in (BEN, CARLA):
        request = company.asked(person)
        assert company.token(request) == links[person]
        changed = company.page(request).question.changed
        assert changed is not None
        assert (changed.name, changed.reply) == ("Dora Meier", "nothing: we do it ourselves")
        assert [(wish.name, wish.comment) for wish in changed.asked] == [("Ben Frei", "say what it costs")]
        assert changed.changes == ()
    for person in (BEN, CARLA):
        company.decides(person)
    assert company.state == "completed"


def test_the_other_owner_need_not_answer_any_more(db: Database) -> None:
    company = started(db)
    company.decides(ANNA, "request-changes")
    other = asked(company, EMIL)
    company.answers_changes(DORA)
    page = company.page(other)
    assert (page.state, page.void_reason) == (RequestState.VOID, VoidReason.SETTLED)
    with pytest.raises(GateSettled):
        company.answers_changes(EMIL, request=other)


def test_only_those_whose_pinned_inputs_changed_lose_their_decision(db: Database) -> None:
    company = Company(db)
    company.start(MONEY, owner=DORA, budget={"agency": "20000"}, inputs={"concept": "Bold"})
    for request in company.requests(ANNA):
        company.decides(ANNA, request=request)
    company.decides(BEN, "request-changes", request=company.requests(BEN)[0], comment="too dear")
    company.answers_changes(DORA, "cheaper now", inputs={"budget": "agency: 15'000", "concept": "Bold", "target": ""})
    assert company.lapsed() == [(ANNA, "“Budget” went from 20 000 CHF to 15 000 CHF")]
    assert [entry.gate for entry in company.entries("decision.lapsed")] == ["sign"]
    assert len(company.messages("lapsed", ANNA)) == 1
    assert len(company.messages("request", ANNA)) == 2  # the two gates, and not the answer as well
    assert len(company.messages("request", BEN)) == 3
    changed = company.page(asked(company, ANNA, Purpose.DECIDE)).question.changed
    assert changed is not None
    assert [(shift.label, shift.before, shift.after) for shift in changed.changes] == [
        ("Budget", "agency: 20000.00", "agency: 15000.00")
    ]


def test_what_was_changed_otherwise_meanwhile_is_shown_as_well(db: Database) -> None:
    company = Company(db)
    company.start(MONEY, owner=DORA, budget={"agency": "20000"}, inputs={"concept": "Bold"})
    company.decides(BEN, "request-changes", request=company.requests(BEN)[0])
    company.changes(concept="Modest")
    company.attaches(b"an offer", "Offer.txt")
    company.answers_changes(DORA)
    changed = company.page(company.requests(BEN)[0]).question.changed
    assert changed is not None
    assert [(shift.label, shift.before, shift.after[:9]) for shift in changed.changes] == [
        ("Concept", "Bold", "Modest"),
        ("", "", "Offer.txt"),
    ]


def test_an_answer_by_another_channel_is_the_same(db: Database) -> None:
    company = started(db)
    company.decides(ANNA, "request-changes")
    by = Actor(EMIL, "api")
    answer_changes(db, KEYS, company.rollout_id, "gate", Answer("as agreed"), by, company.now)
    [entry] = company.entries("changes.answered")
    assert (entry.actor, entry.channel, entry.comment) == (EMIL, "api", "as agreed")
    assert company.requests(EMIL)[-1].state is RequestState.DONE
    assert company.requests(DORA)[-1].state is RequestState.VOID


def test_a_stranger_may_not_answer_and_the_administrator_may(db: Database) -> None:
    company = Company(db)
    company.import_people(company.directory.replace("roles:", "roles:\n  administrator: [carla@example.com]", 1))
    company.start(OWNED, owner=DORA)
    company.decides(ANNA, "request-changes")

    def answering(person: str) -> None:
        answer_changes(db, KEYS, company.rollout_id, "gate", Answer("so"), Actor(person, "api"), company.now)

    with pytest.raises(NotAllowed):
        answering(BEN)
    answering(CARLA)
    assert len(company.entries("changes.answered")) == 1


def test_nobody_asks_for_changes_and_there_is_no_such_gate(db: Database) -> None:
    company = started(db)
    for key, refusal in (("gate", InvalidInput), ("gat", NotFound)):
        with pytest.raises(refusal):
            answer_changes(db, KEYS, company.rollout_id, key, Answer("so"), Actor(DORA, "api"), company.now)


def test_everything_that_is_wrong_is_named_under_its_field_and_nothing_is_kept(db: Database) -> None:
    company = Company(db)
    company.start(MONEY, owner=DORA, budget={"agency": "20000"})
    company.decides(BEN, "request-changes", request=company.requests(BEN)[0])
    before = company.actions()
    with pytest.raises(InvalidInput) as refused:
        company.answers_changes(
            DORA, " ", inputs={"budget": "agency 100", "target": "many"}, links=["http://example.com"]
        )
    assert list(refused.value.fields) == ["reply", "budget", "target", "link"]
    assert company.actions() == before
    with pytest.raises(InvalidInput, match="not an input"):
        company.answers_changes(DORA, inputs={"colour": "red"})
    request = asked(company, DORA)
    token, digest = company.token(request), company.page(request).digest
    with pytest.raises(WrongCode):
        answer_changes_by_link(db, KEYS, token, Answer("so"), "000", digest, company.now)


def test_a_budget_that_a_gate_is_about_cannot_be_emptied(db: Database) -> None:
    company = Company(db)
    company.start(plan(stage("one", budget("money"))), owner=REQUESTER, budget={"agency": "20000"})
    company.decides(DORA, "request-changes")
    with pytest.raises(InvalidInput) as refused:
        company.answers_changes(REQUESTER, inputs={"budget": "\n"})
    assert list(refused.value.fields) == ["budget"]


def test_the_same_answer_again_is_answered_and_recorded_once(db: Database) -> None:
    company = started(db)
    company.decides(ANNA, "request-changes")
    request = asked(company, DORA)
    for _ in range(3):
        page = company.answers_changes(DORA, "as agreed", request=request)
        assert page.state is RequestState.DONE
    assert len(company.entries("changes.answered")) == 1
    with pytest.raises(GateSettled):
        company.answers_changes(DORA, "or not", request=request)


def test_what_was_asked_since_the_owner_opened_the_page_is_not_passed_over(db: Database) -> None:
    company = started(db)
    company.decides(ANNA, "request-changes", comment="numbers")
    digest = company.page(asked(company, DORA)).digest
    company.decides(BEN, "request-changes", comment="pictures")
    with pytest.raises(EvidenceChanged):
        company.answers_changes(DORA, digest=digest)
    company.answers_changes(DORA)
    assert len(company.entries("changes.answered")) == 1


def test_a_page_from_before_the_answer_decides_nothing(db: Database) -> None:
    company = started(db)
    request = company.asked(CARLA)
    company.decides(ANNA, "request-changes")
    form = DecisionForm("approve", company.code(request), company.page(request).digest)
    company.answers_changes(DORA, "we do without the agency")
    with pytest.raises(EvidenceChanged):
        record_decision(db, KEYS, company.token(request), form, company.now)


def test_changes_can_be_asked_for_again_also_in_the_same_words(db: Database) -> None:
    company = started(db)
    company.decides(ANNA, "request-changes", comment="numbers")
    link = company.token(asked(company, DORA))
    company.answers_changes(DORA, "soon")
    company.later(days=1)
    company.decides(ANNA, "request-changes", comment="numbers")
    request = asked(company, DORA)
    assert company.token(request) == link
    assert [wish.comment for wish in company.page(request).question.wishes] == ["numbers"]
    assert len(company.messages("request", DORA)) == 2
    company.answers_changes(DORA, "here they are")
    assert [entry.comment for entry in company.entries("changes.answered")] == ["soon", "here they are"]
    changed = company.page(company.asked(ANNA)).question.changed
    assert changed is not None
    assert changed.reply == "here they are"


def test_posting_the_same_request_for_changes_again_after_the_answer_is_answered_and_asks_nobody(db: Database) -> None:
    company = started(db)
    request = company.asked(ANNA)
    form = DecisionForm("request-changes", company.code(request), company.page(request).digest, "numbers")
    record_decision(db, KEYS, company.token(request), form, company.now)
    company.answers_changes(DORA, "soon")
    record_decision(db, KEYS, company.token(request), form, company.now)
    assert len(company.gate()["decisions"]) == 1
    assert company.actions().count("gate.paused") == 1
