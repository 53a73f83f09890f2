"""Request changes: the gate stays open, and the owners are asked, once each, with what is asked for."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.errors import EvidenceChanged, GateSettled, InvalidInput
from models.database import Database
from operations.answer_changes import Answer, answer_changes_by_link
from tests.changing import MONEY, asked, started
from tests.company import ANNA, BEN, CARLA, DORA, EMIL, KEYS, REQUESTER, Company
from tests.delivering import written
from tests.integration.test_two_at_once import deciding, race
from tests.sample_plans import SIGN_OFF, one_gate


def test_the_owners_of_rollout_and_stage_are_asked_once_each_and_the_requester_hears_of_it(db: Database) -> None:
    company = started(db)
    company.decides(ANNA, "request-changes", comment="say what it costs")
    assert company.gate()["state"] == "open"
    assert asked(company, DORA).asked_for == ["owner"]
    assert asked(company, EMIL).asked_for == ["finance-head"]
    assert [len(company.messages("request", person)) for person in (DORA, EMIL)] == [1, 1]
    assert company.headlines(REQUESTER)[-1] == "Changes are requested at “The gate”"
    assert company.messages("information", REQUESTER)[-1].facts["quote"] == "say what it costs"
    assert company.gate()["waiting_for"] == [DORA, EMIL, ANNA, BEN, CARLA]


def test_an_owner_of_both_is_asked_once(db: Database) -> None:
    company = started(db, owner=EMIL)
    company.decides(ANNA, "request-changes")
    assert asked(company, EMIL).asked_for == ["owner", "finance-head"]
    assert len(company.messages("request", EMIL)) == 1


def test_the_owners_page_shows_who_asks_for_what_and_the_inputs_as_they_are(db: Database) -> None:
    company = Company(db)
    company.start(MONEY, owner=DORA, budget={"agency": "20000"}, inputs={"concept": "Bold"})
    company.decides(ANNA, "request-changes", request=company.requests(ANNA)[0], comment="too dear")
    question = company.page(asked(company, DORA)).question
    assert [(wish.name, wish.comment) for wish in question.wishes] == [("Anna Keller", "too dear")]
    assert [(one.title, one.value) for one in question.to_change] == [
        ("Budget", "agency: 20000.00"),
        ("Concept", "Bold"),
        ("Target", "70"),
    ]
    assert question.on_no is None
    assert question.due_at is None


def test_a_second_request_adds_to_the_first_and_pauses_no_further(db: Database) -> None:
    company = started(db)
    company.decides(ANNA, "request-changes", comment="numbers")
    company.later(hours=5)
    company.decides(BEN, "request-changes", comment="pictures")
    assert company.actions().count("gate.paused") == 1
    question = company.page(asked(company, DORA)).question
    assert [wish.comment for wish in question.wishes] == ["numbers", "pictures"]
    assert question.paused_at == company.now - timedelta(hours=5)
    assert len(company.messages("request", DORA)) == 2


def test_the_same_person_may_add_to_what_they_asked_for(db: Database) -> None:
    company = started(db)
    for comment in ("numbers", "numbers", "better numbers"):
        company.decides(ANNA, "request-changes", comment=comment)
    wishes = company.page(asked(company, DORA)).question.wishes
    assert [wish.comment for wish in wishes] == ["numbers", "better numbers"]


def test_a_request_for_changes_cannot_be_answered_with_a_decision(db: Database) -> None:
    company = started(db)
    company.decides(ANNA, "request-changes")
    with pytest.raises(InvalidInput, match="not for a decision"):
        company.decides(DORA, "approve", request=asked(company, DORA))


def test_a_decision_cannot_be_given_as_an_answer(db: Database) -> None:
    company = started(db)
    with pytest.raises(InvalidInput, match="something else than an answer"):
        company.answers_changes(ANNA, request=company.asked(ANNA))


def test_the_mails_quote_what_is_asked_for_and_what_was_answered(db: Database) -> None:
    company = started(db)
    company.attaches(b"an offer", "Offer.txt")
    company.decides(BEN, "request-changes", comment="What does it cost?")
    request = asked(company, DORA)
    to_owner = written(company, "request", DORA)
    for part in (
        "Ben Frei",
        "What does it cost?",
        company.token(request),
        "Ansehen und antworten",
        "Offer.txt (8 bytes)",
    ):
        assert part in to_owner
    code = company.code(request)
    assert f"{code[:3]} {code[3:]}" in to_owner
    company.answers_changes(DORA, "Nothing at all.", links=["https://example.com/price"])
    to_ben = written(company, "request", BEN)
    for part in ("What does it cost?", "Dora Meier", "Nothing at all.", "nothing → price (https://example.com/price)"):
        assert part in to_ben


def test_a_delegate_asks_for_changes_in_anothers_place_and_both_hear_the_answer(db: Database) -> None:
    company = started(db)
    company.lends(BEN, EMIL)
    company.decides(EMIL, "request-changes", request=company.asked_for(BEN, EMIL), comment="shorter")
    wishes = company.page(asked(company, DORA)).question.wishes
    assert [wish.comment for wish in wishes] == ["shorter"]
    company.answers_changes(DORA)
    again = [row.recipient for row in company.messages("request") if row.dedup_key.startswith("asked-again/")]
    assert sorted(again) == [ANNA, BEN, CARLA, EMIL]


def test_a_review_can_be_asked_to_change_and_an_acknowledgement_cannot(db: Database) -> None:
    company = started(db, one_gate('kind: review, question: "How on?", approvers: [board]'))
    company.decides(ANNA, "request-changes")
    assert asked(company, DORA)
    company = started(db, one_gate('kind: acknowledgement, text: "Read", audience: [board], share: "50 %"'))
    with pytest.raises(InvalidInput):
        company.decides(ANNA, "request-changes")


def test_in_turn_the_next_one_sees_the_answer(db: Database) -> None:
    company = started(db, one_gate(f"{SIGN_OFF}, quorum: all, order: in turn"))
    company.decides(ANNA, "request-changes")
    company.answers_changes(DORA, "here it is")
    assert company.messages("request", BEN) == []
    company.decides(ANNA)
    changed = company.page(company.asked(BEN)).question.changed
    assert changed is not None
    assert changed.reply == "here it is"


def test_the_owner_answers_while_the_last_approver_decides(db: Database) -> None:
    """Whoever comes first: the gate passes and there is nothing to answer, or the approver must look again."""
    company = started(db, one_gate(f"{SIGN_OFF}, quorum: 2"))
    company.decides(ANNA, "request-changes")
    company.decides(BEN)
    request = asked(company, DORA)
    token, code, digest = company.token(request), company.code(request), company.page(request).digest

    def answering() -> object:
        return answer_changes_by_link(db, KEYS, token, Answer("as agreed"), code, digest, company.now)

    decided, answered = race([deciding(company, CARLA), answering])
    if isinstance(answered, GateSettled):
        assert not isinstance(decided, Exception)
        assert (company.state, company.entries("changes.answered")) == ("completed", [])
    else:
        assert isinstance(decided, EvidenceChanged)
        assert (company.state, len(company.entries("changes.answered"))) == ("open", 1)
        company.decides(CARLA)
        assert company.state == "completed"


def test_both_owners_answering_at_once_answer_once(db: Database) -> None:
    company = started(db)
    company.decides(ANNA, "request-changes")

    def answering(person: str) -> object:
        request = asked(company, person)
        facts = company.token(request), Answer(f"says {person}"), company.code(request), company.page(request).digest
        return lambda: answer_changes_by_link(db, KEYS, *facts, company.now)

    came_back = race([answering(DORA), answering(EMIL)] * 3)  # type: ignore[list-item]
    assert len(company.entries("changes.answered")) == 1
    assert sum(isinstance(page, GateSettled) for page in came_back) == 3
