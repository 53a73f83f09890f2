"""The link in the mail and its code: what they open, what they refuse, and that a refusal records nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import update

from domain.errors import EvidenceChanged, GateSettled, InvalidInput, LinkUnknown, LinkVoid, WrongCode
from models.database import Database
from models.requests import Request, RequestState, VoidReason
from models.rollouts import Rollout
from operations.compose_message import Composer, workspace_for
from operations.record_decision import DecisionForm, record_decision
from operations.show_request import show_request
from tests.company import KEYS, Company
from tests.sample_plans import LATER, SIGN_OFF, one_gate

ANNA, BEN, CARLA = "anna@example.com", "ben@example.com", "carla@example.com"
DORA, EMIL = "dora@example.com", "emil@example.com"


def asked(db: Database, gate: str = f"{SIGN_OFF}, quorum: all", **start: Any) -> tuple[Company, Request]:
    company = Company(db)
    company.start(one_gate(gate), **start)
    return company, company.asked(ANNA)


def wrong(company: Company, request: Request) -> str:
    return f"{(int(company.code(request)) + 1) % 1_000_000:06d}"


def posts(company: Company, request: Request, decision: str, **words: Any) -> None:
    form = DecisionForm(decision, company.code(request), company.page(request).digest, **words)
    record_decision(company.db, KEYS, company.token(request), form, company.now)


@pytest.mark.parametrize(
    "mutilate", [lambda t: t[:-1], lambda t: f"{t}x", lambda t: "A" * 43, lambda t: "", lambda t: "ä" * 43]
)
def test_an_unknown_or_mutilated_link_opens_nothing(db: Database, mutilate: Any) -> None:
    company, request = asked(db)
    token = mutilate(company.token(request))
    with pytest.raises(LinkUnknown):
        show_request(db, token, company.now)
    with pytest.raises(LinkUnknown):
        record_decision(db, KEYS, token, DecisionForm("approve", company.code(request), ""), company.now)
    assert company.gate()["decisions"] == []


def test_showing_a_link_changes_nothing_however_often(db: Database) -> None:
    company, request = asked(db)
    before = company.actions(), len(company.messages()), company.rollout()
    pages = {company.page(request).digest for _ in range(3)}
    assert len(pages) == 1
    assert (company.actions(), len(company.messages()), company.rollout()) == before


def test_the_page_says_what_is_asked_why_and_what_follows(db: Database) -> None:
    company, request = asked(db, f"{SIGN_OFF}, quorum: all, expires: {{after: 5 days}}")
    question = company.page(request).question
    assert (question.question, question.needed, question.counted) == ("Shall we?", 3, 0)
    assert str(question.why) == "The plan asks you to decide (Board)."
    assert question.waiting_for == ("Anna Keller", "Ben Frei", "Carla Rossi")
    assert question.due_at is not None


def test_a_wrong_code_is_counted_and_the_count_survives_the_refusal(db: Database) -> None:
    company, request = asked(db)
    for left in (4, 3, 2, 1):
        with pytest.raises(WrongCode) as refusal:
            company.try_code(request, wrong(company, request))
        assert refusal.value.tries_left == left
        assert company.asked(ANNA).wrong_codes == 5 - left
    assert company.gate()["decisions"] == []


def test_the_right_code_is_taken_after_four_wrong_ones(db: Database) -> None:
    company, request = asked(db)
    for _ in range(4):
        with pytest.raises(WrongCode):
            company.try_code(request, wrong(company, request))
    company.try_code(request, company.code(request))
    assert len(company.gate()["decisions"]) == 1


def test_after_five_wrong_codes_a_new_link_and_code_come_by_mail_and_the_old_link_says_so(db: Database) -> None:
    company, request = asked(db)
    for _ in range(5):
        with pytest.raises(WrongCode) as refusal:
            company.try_code(request, wrong(company, request))
    assert refusal.value.tries_left == 0
    assert len(company.messages("code", ANNA)) == 1
    openings: list[Callable[[], object]] = [
        lambda: company.page(request),
        lambda: company.decides(ANNA, request=request),
    ]
    for opening in openings:
        with pytest.raises(LinkVoid) as void:
            opening()
        assert (void.value.reason, void.value.at) == (VoidReason.RENEWED, company.now)
    renewed = company.asked(ANNA)
    assert (renewed.link_number, renewed.wrong_codes) == (2, 0)
    assert (company.token(renewed), company.code(renewed)) != (company.token(request), company.code(request))
    company.decides(ANNA)
    assert len(company.gate()["decisions"]) == 1


def test_a_link_can_be_renewed_again_and_each_renewal_is_mailed(db: Database) -> None:
    company, _ = asked(db)
    for number in (1, 2):
        for _ in range(5):
            with pytest.raises(WrongCode):
                company.try_code(company.asked(ANNA), wrong(company, company.asked(ANNA)))
        assert len(company.messages("code", ANNA)) == number


def test_the_code_of_the_old_link_does_not_open_the_new_one(db: Database) -> None:
    company, request = asked(db)
    for _ in range(5):
        with pytest.raises(WrongCode):
            company.try_code(request, wrong(company, request))
    with pytest.raises(WrongCode):
        company.try_code(company.asked(ANNA), company.code(request))


def test_the_code_of_somebody_else_opens_nothing(db: Database) -> None:
    company, request = asked(db)
    with pytest.raises(WrongCode):
        company.try_code(request, company.code(company.asked(BEN)))


def test_a_code_may_be_typed_with_spaces_and_hyphens(db: Database) -> None:
    company, request = asked(db)
    code = company.code(request)
    company.try_code(request, f" {code[:3]} - {code[3:]} ")
    assert len(company.gate()["decisions"]) == 1


def test_the_same_decision_again_records_nothing_new_and_shows_what_was_recorded(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(f"{SIGN_OFF}, quorum: all") + LATER)
    request, only_in_may = company.asked(ANNA), [company.condition("only in May")]
    first = company.decides(ANNA, "approve-with-conditions", request=request, conditions=only_in_may)
    before = company.actions(), len(company.messages())
    company.later(hours=1)
    again = company.decides(ANNA, "approve-with-conditions", request=request, conditions=only_in_may)
    assert again.mine == first.mine
    assert again.mine is not None
    assert again.mine.conditions == "only in May (ben@example.com, 2026-03-09)"
    assert (company.actions(), len(company.messages())) == before


def test_the_same_decision_again_is_answered_also_when_it_settled_the_gate(db: Database) -> None:
    company, request = asked(db, f"{SIGN_OFF}, quorum: any")
    company.decides(ANNA, request=request)
    again = company.decides(ANNA, request=request)
    assert again.settlement is not None
    assert len(company.gate()["decisions"]) == 1


def test_a_request_for_changes_posted_twice_is_recorded_once_and_other_words_are_recorded(db: Database) -> None:
    company, request = asked(db)
    for comment in ("more detail", "more detail", "much more detail"):
        company.decides(ANNA, "request-changes", request=request, comment=comment)
    assert [entry.comment for entry in company.entries("decision.recorded")] == ["more detail", "much more detail"]


def test_a_different_decision_after_deciding_is_refused(db: Database) -> None:
    company, request = asked(db)
    company.decides(ANNA, request=request)
    with pytest.raises(GateSettled):
        company.decides(ANNA, "reject", request=request)
    assert [said["decision"] for said in company.gate()["decisions"]] == ["approve"]


def test_a_decision_after_others_settled_the_gate_is_refused_and_the_page_says_what_it_came_to(db: Database) -> None:
    company, request = asked(db, f"{SIGN_OFF}, quorum: any")
    company.decides(BEN)
    with pytest.raises(GateSettled):
        company.decides(ANNA, request=request)
    page = company.page(request)
    assert (page.state, page.void_reason) == (RequestState.VOID, VoidReason.SETTLED)
    assert page.settlement is not None
    assert [said.name for said in page.question.said] == ["Ben Frei"]


def test_a_link_that_no_longer_counts_says_so_whatever_code_is_typed(db: Database) -> None:
    company, request = asked(db, f"{SIGN_OFF}, quorum: any")
    company.decides(BEN)
    with pytest.raises(GateSettled):
        company.try_code(request, wrong(company, request))


def test_links_of_people_who_were_replaced_and_of_expired_gates_say_so(db: Database) -> None:
    company, request = asked(
        db, f"{SIGN_OFF}, escalate: [{{after: 1 days, to: chair, replace: true}}], expires: {{after: 2 days}}"
    )
    company.later(days=1)
    company.checks()
    assert company.page(request).void_reason is VoidReason.REPLACED
    emil = company.asked(EMIL)
    company.later(days=1)
    company.checks_on_schedule()
    assert company.page(emil).void_reason is VoidReason.EXPIRED
    for person, link in ((ANNA, request), (EMIL, emil)):
        with pytest.raises(GateSettled):
            company.decides(person, request=link)


BUDGET = 'kind: budget, question: "?", approvers: [finance], quorum: any'


def test_when_what_was_asked_about_has_changed_nothing_is_recorded(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(BUDGET), budget={"Pages": "100"})
    request = company.asked(DORA)
    shown = company.page(request).digest
    with db.write() as session:
        lines = {"budget": [{"item": "Pages", "amount": "120.00"}]}
        session.execute(update(Rollout).where(Rollout.id == company.rollout_id).values(inputs=lines))
    with pytest.raises(EvidenceChanged) as refusal:
        record_decision(
            db, KEYS, company.token(request), DecisionForm("approve", company.code(request), shown), company.now
        )
    assert refusal.value.shown == company.page(request).digest != shown
    assert (company.gate()["decisions"], company.asked(DORA).state) == ([], RequestState.OPEN)
    company.decides(DORA)
    assert company.state == "completed"


@pytest.mark.parametrize("decision", ["hold", "recycle", "kill", "go", "", "APPROVE", "waive", "approve "])
def test_an_answer_that_was_not_offered_is_refused(db: Database, decision: str) -> None:
    company, request = asked(db)
    with pytest.raises(InvalidInput) as refusal:
        posts(company, request, decision, comment="because")
    assert set(refusal.value.fields) == {"decision"}
    assert company.gate()["decisions"] == []


def test_a_review_refuses_the_choices_its_plan_leaves_out(db: Database) -> None:
    company, request = asked(db, 'kind: review, question: "?", approvers: [board], choices: [go, kill]')
    for decision in ("hold", "recycle"):
        with pytest.raises(InvalidInput):
            posts(company, request, decision, comment="because")
    assert company.gate()["decisions"] == []


@pytest.mark.parametrize("decision", ["reject", "request-changes", "abstain"])
def test_every_answer_but_a_yes_needs_a_reason(db: Database, decision: str) -> None:
    company, request = asked(db)
    for comment in ("", "  \n", "\u200b"):
        with pytest.raises(InvalidInput) as refusal:
            posts(company, request, decision, comment=comment)
        assert set(refusal.value.fields) == {"comment"}
    assert (company.gate()["decisions"], company.messages("receipt")) == ([], [])


def test_approving_with_conditions_needs_the_conditions(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(SIGN_OFF) + LATER)
    with pytest.raises(InvalidInput) as refusal:
        posts(company, company.asked(ANNA), "approve-with-conditions", comment="fine")
    assert set(refusal.value.fields) == {"condition-1-what"}
    assert company.gate()["decisions"] == []


@pytest.mark.parametrize("text", ["a\x00b", "a\x1bb", "a\u202eb", "a\ud800b", "x" * 5001])
def test_text_that_cannot_be_stored_is_refused_and_nothing_recorded(db: Database, text: str) -> None:
    company, request = asked(db)
    with pytest.raises(InvalidInput) as refusal:
        posts(company, request, "reject", comment=text)
    assert set(refusal.value.fields) == {"comment"}
    assert company.gate()["decisions"] == []


def test_the_mail_holds_the_link_and_the_code_that_decide(db: Database) -> None:
    company, request = asked(db)
    composer = Composer(KEYS, "https://etappe.example.com")
    [message] = company.messages("request", ANNA)
    with db.read() as session:
        mail: Any = composer.compose(workspace_for(session, message, company.now), message)
    assert mail.link == f"https://etappe.example.com/decide/{company.token(request)}"
    assert mail.code == company.code(request)
