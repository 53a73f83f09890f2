"""Request changes: the gate stays open, its clock stops, the owner is asked; the answer goes to those who are asked.

Only those whose pinned inputs changed lose their earlier decision. While the clock stands still, decisions count.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from domain.errors import EvidenceChanged, GateSettled, InvalidInput, NotAllowed, NotFound, WrongCode
from models.database import Database
from models.requests import Purpose, Request, RequestState, VoidReason
from notifications.rendering import render
from operations.answer_changes import Answer, answer_changes, answer_changes_by_link
from operations.cancel_rollout import cancel_rollout
from operations.compose_message import Composer, workspace_for
from operations.record_decision import DecisionForm, record_decision
from operations.workspace import Actor
from tests.company import KEYS, REQUESTER, SIGN_OFF, Company, one_gate
from tests.integration.test_lapse import budget, gate, plan, stage
from tests.integration.test_two_at_once import deciding, race

ANNA, BEN, CARLA = "anna@example.com", "ben@example.com", "carla@example.com"
DORA, EMIL = "dora@example.com", "emil@example.com"
OWNED = one_gate(f"{SIGN_OFF}, quorum: all").replace(
    "title: Only stage\n", "title: Only stage\n    owner: finance-head\n"
)
CLOCK = (
    f"{SIGN_OFF}, quorum: all, remind: every 2 days, "
    "escalate: [{after: 4 days, to: chair}], expires: {after: 6 days}"
)
MONEY = plan(
    stage(
        "one",
        gate("sign", more="pinned_to: [budget]"),
        gate("style", more="pinned_to: [concept]"),
    ),
    stage("two", gate("end")),
)


def asked(company: Company, person: str, purpose: Purpose = Purpose.RESPOND) -> Request:
    [request] = [row for row in company.requests(person, RequestState.OPEN) if row.purpose is purpose]
    return request


def started(db: Database, source: str = OWNED, **more: object) -> Company:
    company = Company(db)
    company.start(source, **{"owner": DORA, **more})  # type: ignore[arg-type]
    return company


# Asking


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


def written(company: Company, person: str) -> str:
    """The text of the newest request that was mailed to somebody."""
    message = company.messages("request", person)[-1]
    with company.db.read() as session:
        mail = Composer(KEYS, "https://etappe.example.com").compose(
            workspace_for(session, message, company.now), message
        )
    assert mail is not None
    return render(mail).text


def test_the_mails_quote_what_is_asked_for_and_what_was_answered(db: Database) -> None:
    company = started(db)
    company.attaches(b"an offer", "Offer.txt")
    company.decides(BEN, "request-changes", comment="What does it cost?")
    request = asked(company, DORA)
    to_owner = written(company, DORA)
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
    to_ben = written(company, BEN)
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


# Answering


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


# Deciding while the clock stands still


def test_a_quorum_that_is_met_meanwhile_settles_the_gate_and_nobody_needs_to_answer(db: Database) -> None:
    company = started(db, one_gate(f"{SIGN_OFF}, quorum: 2"))
    company.decides(ANNA, "request-changes")
    request = asked(company, DORA)
    company.decides(BEN)
    company.decides(CARLA)
    assert company.state == "completed"
    page = company.page(request)
    assert (page.state, page.void_reason) == (RequestState.VOID, VoidReason.SETTLED)
    with pytest.raises(GateSettled):
        company.answers_changes(DORA, request=request)


def test_a_quorum_out_of_reach_settles_the_gate_as_well(db: Database) -> None:
    company = started(db)
    company.decides(ANNA, "request-changes")
    company.decides(BEN, "reject")
    assert company.gate()["state"] == "rejected"
    assert company.requests(DORA)[-1].void_reason is VoidReason.SETTLED


def test_the_clock_goes_on_when_everybody_who_asked_for_changes_has_decided(db: Database) -> None:
    company = started(db, one_gate(CLOCK))
    due = company.gate()["due_at"]
    company.decides(ANNA, "request-changes")
    company.decides(BEN, "request-changes")
    company.later(days=1)
    company.decides(ANNA)
    assert company.gate()["due_at"] is None
    company.decides(BEN)
    assert company.gate()["due_at"] == _later(due, days=1)
    request = company.requests(DORA)[-1]
    assert (request.state, request.void_reason) == (RequestState.VOID, VoidReason.NOT_NEEDED)
    assert company.actions().count("gate.resumed") == 1


@pytest.mark.parametrize("end", ["cancelled", "killed", "recycled", "waived"])
def test_when_the_question_goes_away_the_owner_is_no_longer_asked(db: Database, end: str) -> None:
    consequence = "kill" if end == "killed" else "{recycle: one}"
    company = Company(db)
    other = gate("other", "[finance]", more=f"on_reject: {consequence}")
    source = plan(stage("one", gate("sign", more="waiver: [chair]"), other))
    company.start(source, owner=EMIL)
    company.decides(ANNA, "request-changes")
    request = asked(company, EMIL)
    if end == "cancelled":
        cancel_rollout(db, KEYS, company.rollout_id, "no", Actor(EMIL, "command"), company.now)
    elif end == "waived":
        company.waives(EMIL, "sign")
    else:
        company.decides(DORA, "reject")
    assert company.page(request).state is RequestState.VOID
    with pytest.raises(GateSettled):
        company.answers_changes(EMIL, request=request)


# The clock


def _later(moment: str | None, **span: float) -> str:
    assert moment is not None
    return (datetime.fromisoformat(moment) + timedelta(**span)).isoformat()


def test_nothing_is_due_while_the_clock_stands_still_and_the_expiry_moves_by_exactly_the_pause(db: Database) -> None:
    company = started(db, one_gate(CLOCK))
    due = company.gate()["due_at"]
    company.later(days=3, hours=5)
    company.decides(ANNA, "request-changes")
    assert company.gate()["due_at"] is None
    company.later(days=30, minutes=7)
    report = company.checks_on_schedule()
    assert (report.escalated, report.expired) == (0, 0)
    company.answers_changes(DORA)
    assert company.gate()["due_at"] == _later(due, days=30, minutes=7)
    company.later(hours=18, minutes=59)
    assert company.checks_on_schedule().escalated == 0
    company.later(minutes=1)
    assert company.checks_on_schedule().escalated == 1
    company.later(days=2, seconds=-1)
    assert company.checks_on_schedule().expired == 0
    company.later(seconds=1)
    assert company.checks_on_schedule().expired == 1


def test_two_pauses_move_the_expiry_by_both(db: Database) -> None:
    company = started(db, one_gate(CLOCK))
    due = company.gate()["due_at"]
    for _ in range(2):
        company.later(days=1)
        company.decides(ANNA, "request-changes")
        company.later(days=5)
        company.answers_changes(DORA)
    assert company.gate()["due_at"] == _later(due, days=10)


@pytest.mark.parametrize(
    ("began", "ended", "due"),
    [
        ({"days": 4}, {"days": 3}, {"days": 8}),  # Friday to Monday: one business day was left, until Tuesday
        ({"days": 5}, {"days": 1}, {"days": 7}),  # within the weekend: still Monday
        ({"days": 1}, {"days": 3}, {"days": 10}),  # Tuesday to Friday: four business days are left, until Thursday
    ],
)
def test_over_a_weekend_the_business_days_that_were_left_are_left(
    db: Database, began: dict[str, float], ended: dict[str, float], due: dict[str, float]
) -> None:
    """Opened on Monday at nine UTC for five business days: due on the Monday after."""
    company = started(db, one_gate(f"{SIGN_OFF}, expires: {{after: 5 business days}}"))
    opened = company.now
    company.later(**began)
    company.decides(ANNA, "request-changes")
    company.later(**ended)
    company.answers_changes(DORA)
    assert company.gate()["due_at"] == (opened + timedelta(**due)).isoformat()


def test_the_owner_is_reminded_in_the_gates_rhythm_and_the_approvers_are_not(db: Database) -> None:
    company = started(db, one_gate(CLOCK))
    company.later(days=1)
    company.decides(ANNA, "request-changes")
    for _ in range(4):
        company.later(days=1)
        company.checks()
    assert [message.recipient for message in company.messages("reminder")] == [DORA, DORA]
    company.answers_changes(DORA)
    company.later(days=2)
    company.checks()
    assert sorted(message.recipient for message in company.messages("reminder")[2:]) == [ANNA, BEN, CARLA]


def test_a_stage_that_takes_too_long_has_stalled_also_while_the_clock_of_its_gate_stands_still(db: Database) -> None:
    company = started(db, one_gate(SIGN_OFF).replace("    gates:", "    stalled_after: 3 days\n    gates:"))
    company.decides(ANNA, "request-changes")
    company.later(days=3)
    assert company.checks().stalled == 1
    assert "“Only stage” has stalled" in company.headlines(DORA)


# Others


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
