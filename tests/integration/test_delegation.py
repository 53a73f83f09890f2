"""Lending a voice: who is asked in whose place, whose voice is heard, and what ends it.

Whatever happens, whoever lends a voice and whoever gives it are one voice at a gate, and separation of duties holds for
both. What the scheduled check does, it does at the moment itself; a decision is refused at that moment too.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from domain.errors import GateSettled, InvalidInput, NotAllowed, NotEligible, UnknownDelegation, UnknownPerson
from models.database import Database
from models.delegations import Delegation
from models.requests import RequestState, VoidReason
from operations.record_decision import DecisionForm, record_decision
from tests.company import KEYS, MONDAY, PEOPLE, REQUESTER, SIGN_OFF, Company, one_gate
from tests.integration.test_two_at_once import race

ANNA, BEN, CARLA = "anna@example.com", "ben@example.com", "carla@example.com"
DORA, EMIL = "dora@example.com", "emil@example.com"
FRITZ, GINA, HUGO = "fritz@example.com", "gina@example.com", "hugo@example.com"
DIRECTORY = PEOPLE.replace(
    "  - {email: anna@example.com, name: Anna Keller, language: de}",
    "  - {email: anna@example.com, name: Anna Keller, language: de, assistant: fritz@example.com}\n"
    "  - {email: fritz@example.com, name: Fritz Amrein, language: de}\n"
    "  - {email: gina@example.com, name: Gina Lutz, language: de}\n"
    "  - {email: hugo@example.com, name: Hugo Berg, language: en}",
).replace("roles:", "roles:\n  administrator: [gina@example.com]", 1)
ALL = one_gate(f"{SIGN_OFF}, quorum: all")


@pytest.fixture
def company(db: Database) -> Company:
    """A company in which Anna has an assistant (Fritz), Gina is administrator, and Hugo holds no role."""
    return Company(db, directory=DIRECTORY)


def states_of(company: Company, *people: str) -> list[tuple[RequestState, VoidReason | None]]:
    """Where everything stands that these people were asked, in the order of asking."""
    return [(row.state, row.void_reason) for person in people for row in company.requests(person)]


OPEN, DONE = (RequestState.OPEN, None), (RequestState.DONE, None)
SPOKEN_FOR = (RequestState.VOID, VoidReason.SPOKEN_FOR)
OVER = (RequestState.VOID, VoidReason.DELEGATION_OVER)


# --- who is asked in whose place ---


def test_what_waits_already_is_asked_of_the_delegate_too_and_the_delegator_stays_asked(company: Company) -> None:
    company.start(ALL)
    company.lends(ANNA, HUGO)
    assert states_of(company, ANNA, HUGO) == [OPEN, OPEN]
    assert company.asked(HUGO).on_behalf_of == ANNA
    assert company.gate()["waiting_for"] == [ANNA, BEN, CARLA, HUGO]
    [entry] = company.entries("request.delegated")
    assert (entry.facts["delegator"], entry.facts["delegate"], entry.facts["until"]) == (ANNA, HUGO, "2026-03-16")


def test_what_comes_is_asked_of_the_delegate_too(company: Company) -> None:
    company.lends(ANNA, HUGO)
    company.start(ALL)
    assert [row.recipient for row in company.messages("request")] == [ANNA, BEN, CARLA, HUGO]
    assert company.asked(HUGO).on_behalf_of == ANNA


def test_it_covers_every_rollout_and_each_is_told_in_its_own_record(company: Company) -> None:
    rollouts = [company.start(ALL) for _ in range(3)]
    company.lends(ANNA, HUGO)
    for company.rollout_id in rollouts:
        assert company.asked(HUGO).on_behalf_of == ANNA
        assert company.actions().count("request.delegated") == 1


def test_what_is_to_be_filled_in_and_measured_is_lent_too_and_a_text_to_be_read_is_not(company: Company) -> None:
    company.start(
        one_gate('kind: checklist, question: "?", filled_by: finance, items: [{id: a, title: A, kind: text}]')
    )
    company.lends(DORA, HUGO)
    assert company.fills_in(HUGO, {"a": "done"}).state is RequestState.DONE
    assert company.state == "completed"
    [entry] = company.entries("checklist.filled")
    assert (entry.actor, entry.on_behalf_of) == (HUGO, DORA)

    company.start(one_gate("kind: measurement, metric: visits, at_least: 5, measured_by: finance"))
    assert company.asked(HUGO).on_behalf_of == DORA

    company.start(one_gate('kind: acknowledgement, text: "Read this", audience: [finance], share: "100 %"'))
    assert company.requests(HUGO) == []


@pytest.mark.parametrize(
    ("delegate", "gate", "because"),
    [
        (HUGO, f"{SIGN_OFF}, delegates: false", "nobody can decide here for somebody else"),
        (REQUESTER, SIGN_OFF, "the plan excludes them"),
        (BEN, SIGN_OFF, "One person is one voice"),
        (DORA, f"{SIGN_OFF}, exclude: [finance]", "the plan excludes them"),
    ],
)  # fmt: skip
def test_where_a_voice_cannot_be_lent_the_delegator_stays_asked_and_is_told_why(
    company: Company, delegate: str, gate: str, because: str
) -> None:
    company.start(one_gate(gate))
    company.lends(ANNA, delegate)
    assert company.asked(ANNA).state is RequestState.OPEN
    assert [row for row in company.requests(delegate) if row.on_behalf_of] == []
    [entry] = company.entries("request.not-delegated")
    assert because in entry.facts["because"]
    assert company.headlines(ANNA) == [f"“The gate” stays with {ANNA}"]


def test_whoever_gave_it_for_somebody_is_told_why_it_comes_to_nothing_and_only_once(company: Company) -> None:
    company.start(one_gate(f"{SIGN_OFF}, delegates: false"))
    company.lends(ANNA, HUGO, by=GINA)
    for _ in range(3):
        company.checks()
        company.later(minutes=15)
    assert company.headlines(GINA) == [f"“The gate” stays with {ANNA}"]
    assert company.actions().count("request.not-delegated") == 1


def test_what_somebody_was_lent_is_not_lent_on(company: Company) -> None:
    company.start(ALL)
    company.lends(ANNA, HUGO)
    company.lends(HUGO, GINA)
    assert company.requests(GINA) == []
    company.start(ALL)
    assert company.requests(GINA) == []


def test_two_who_have_lent_their_voices_to_each_other_are_asked_for_themselves(company: Company) -> None:
    company.lends(ANNA, BEN)
    company.lends(BEN, ANNA)
    company.start(ALL)
    assert [row.on_behalf_of for person in (ANNA, BEN) for row in company.requests(person)] == ["", ""]
    for person in (ANNA, BEN, CARLA):
        company.decides(person)
    assert company.state == "completed"


def test_in_a_circle_each_is_asked_in_the_place_of_the_one_before_and_no_further(company: Company) -> None:
    company.lends(ANNA, HUGO)
    company.lends(HUGO, GINA)
    company.lends(GINA, ANNA)
    company.start(ALL)
    assert company.asked(HUGO).on_behalf_of == ANNA
    assert company.requests(GINA) == []
    assert [row.on_behalf_of for row in company.requests(ANNA)] == [""]


# --- one voice ---


@pytest.mark.parametrize("first", [ANNA, HUGO])
def test_whichever_of_the_two_speaks_first_closes_the_request_of_the_other(company: Company, first: str) -> None:
    company.lends(ANNA, HUGO)
    company.start(ALL)
    second = HUGO if first == ANNA else ANNA
    late = company.asked(second)
    company.decides(first)
    assert states_of(company, first, second) == [DONE, SPOKEN_FOR]
    page = company.page(late)
    assert page.spoken is not None
    assert (page.mine, page.spoken.email) == (None, first)
    assert company.gate()["waiting_for"] == [BEN, CARLA]
    assert company.gate()["decisions"][0]["on_behalf_of"] == (ANNA if first == HUGO else None)
    with pytest.raises(GateSettled):
        company.decides(second, "reject", request=late)
    for person in (BEN, CARLA):
        company.decides(person)
    assert (company.state, len(company.gate()["decisions"])) == ("completed", 3)


def test_the_record_and_the_mails_name_both(company: Company) -> None:
    company.lends(ANNA, HUGO)
    company.start(ALL)
    company.decides(HUGO)
    [entry] = company.entries("decision.recorded")
    assert (entry.actor, entry.on_behalf_of) == (HUGO, ANNA)
    assert [row.recipient for row in company.messages("receipt")] == [HUGO, ANNA]
    [said] = company.page(company.asked(BEN)).question.said
    assert (said.name, said.on_behalf_of) == ("Hugo Berg", "Anna Keller")


def test_a_request_for_changes_is_no_last_word_and_closes_nothing(company: Company) -> None:
    company.lends(ANNA, HUGO)
    company.start(ALL)
    company.decides(HUGO, "request-changes")
    assert states_of(company, ANNA, HUGO) == [OPEN, OPEN]
    company.decides(ANNA)
    assert states_of(company, ANNA, HUGO) == [DONE, SPOKEN_FOR]


def test_who_answers_for_two_is_heard_for_one_of_them_and_the_other_one_speaks_for_themself(company: Company) -> None:
    company.lends(ANNA, HUGO)
    company.lends(BEN, HUGO)
    company.start(ALL)
    company.decides(HUGO, request=company.asked_for(ANNA, HUGO))
    assert states_of(company, HUGO) == [DONE, SPOKEN_FOR]
    assert company.gate()["waiting_for"] == [BEN, CARLA]
    company.decides(BEN)
    company.decides(CARLA)
    assert company.state == "completed"


def test_in_turn_a_delegate_takes_the_turn_of_the_delegator(company: Company) -> None:
    company.lends(ANNA, HUGO)
    company.start(one_gate(f"{SIGN_OFF}, quorum: all, order: in turn"))
    assert company.gate()["waiting_for"] == [ANNA, HUGO]
    company.decides(HUGO)
    assert company.gate()["waiting_for"] == [BEN]


def test_reminders_go_to_both(company: Company) -> None:
    company.lends(ANNA, HUGO)
    company.start(one_gate(f"{SIGN_OFF}, quorum: all, remind: every 2 days"))
    company.later(days=2)
    company.checks()
    assert [row.recipient for row in company.messages("reminder")] == [ANNA, BEN, CARLA, HUGO]


def test_an_escalation_that_replaces_them_closes_both(company: Company) -> None:
    company.lends(ANNA, HUGO)
    company.start(one_gate(f"{SIGN_OFF}, escalate: [{{after: 2 days, to: chair, replace: true}}]"))
    company.later(days=2)
    company.checks()
    replaced = (RequestState.VOID, VoidReason.REPLACED)
    assert states_of(company, ANNA, HUGO) == [replaced, replaced]
    company.decides(EMIL)
    assert company.state == "completed"


def test_a_delegate_who_is_escalated_to_speaks_for_themself_from_then_on(company: Company) -> None:
    company.lends(ANNA, EMIL)
    company.start(one_gate(f"{SIGN_OFF}, quorum: all, escalate: [{{after: 2 days, to: chair}}]"))
    company.later(days=2)
    company.checks()
    assert states_of(company, EMIL) == [OVER, OPEN]
    assert company.asked(EMIL).on_behalf_of == ""
    assert company.entries("request.not-delegated")[0].facts["delegate"] == EMIL


def test_whoever_has_given_the_voice_of_another_one_is_not_escalated_to(company: Company) -> None:
    company.lends(ANNA, EMIL)
    company.start(one_gate(f"{SIGN_OFF}, quorum: all, escalate: [{{after: 2 days, to: chair}}]"))
    company.decides(EMIL)
    company.later(days=2)
    company.checks()
    assert states_of(company, EMIL) == [DONE]
    assert company.gate()["state"] == "open"


SEPARATED = """
plan: separated
title: Separated
calendar: {holidays: CH-ZH, time_zone: Europe/Zurich}
roles: {board: {title: Board}, finance: {title: Finance}}
stages:
  - id: only
    title: Only stage
    gates:
      - {id: one, title: One, kind: sign-off, question: "?", approvers: [board], quorum: any}
      - {id: two, title: Two, kind: sign-off, question: "?", approvers: [finance], different_people_than: [one]}
"""


@pytest.mark.parametrize("speaks", [ANNA, DORA])
def test_separation_of_duties_is_checked_for_both(company: Company, speaks: str) -> None:
    """Dora answers for Anna at the first gate; then neither of them may decide at the second, in whose place ever."""
    company.lends(ANNA, DORA)
    company.start(SEPARATED)
    request = next(row for row in company.requests(speaks, RequestState.OPEN) if row.voice == ANNA)
    company.decides(speaks, request=request)
    separated = (RequestState.VOID, VoidReason.SEPARATED)
    own = [row for row in company.requests(DORA) if not row.on_behalf_of]
    assert [(row.state, row.void_reason) for row in own] == [separated if speaks == DORA else OPEN]
    assert company.gate("two")["state"] == ("rejected" if speaks == DORA else "open")


def test_a_voice_that_lapsed_is_asked_of_both_again(company: Company) -> None:
    plan = one_gate(f"{SIGN_OFF}, quorum: all, pinned_to: [budget]")
    company.lends(ANNA, HUGO)
    company.start(plan, budget={"agency": "20000"})
    company.decides(HUGO)
    company.changes(budget={"agency": "26000"})
    assert states_of(company, ANNA, HUGO) == [OPEN, OPEN]
    assert [row.recipient for row in company.messages("lapsed")] == [ANNA, HUGO]
    company.decides(ANNA)
    assert states_of(company, ANNA, HUGO) == [DONE, SPOKEN_FOR]


def test_a_voice_that_lapsed_after_the_delegation_was_over_is_asked_of_the_delegator_alone(company: Company) -> None:
    plan = one_gate(f"{SIGN_OFF}, quorum: all, pinned_to: [budget]")
    lent = company.lends(ANNA, HUGO)
    company.start(plan, budget={"agency": "20000"})
    company.decides(HUGO)
    company.ends(lent, ANNA)
    company.changes(budget={"agency": "26000"})
    assert states_of(company, ANNA, HUGO) == [OPEN, DONE]
    assert company.gate()["waiting_for"] == [ANNA, BEN, CARLA]


# --- who may give it, and for how long ---


@pytest.mark.parametrize("by", [ANNA, FRITZ, GINA, "operator"])
def test_it_is_given_by_the_person_their_assistant_an_administrator_or_the_operator(company: Company, by: str) -> None:
    company.start(ALL)
    lent = company.lends(ANNA, HUGO, by=by)
    assert company.asked(HUGO).on_behalf_of == ANNA
    assert company.entries("request.delegated")[0].facts["given_by"] == by
    company.ends(lent, by)
    assert states_of(company, HUGO) == [OVER]


@pytest.mark.parametrize("by", [HUGO, BEN, REQUESTER])
def test_nobody_else_gives_or_ends_it(company: Company, by: str) -> None:
    company.start(ALL)
    with pytest.raises(NotAllowed, match=by):
        company.lends(ANNA, DORA, by=by)
    lent = company.lends(ANNA, DORA)
    with pytest.raises(NotAllowed, match=by):
        company.ends(lent, by)


def test_the_assistant_of_one_is_not_the_assistant_of_another(company: Company) -> None:
    with pytest.raises(NotAllowed):
        company.lends(BEN, HUGO, by=FRITZ)


@pytest.mark.parametrize(
    ("to", "by", "days", "field", "because"),
    [
        ("nobody@example.com", ANNA, 3, "to", "not in the directory"),
        ("nobody", ANNA, 3, "to", "Write an address"),
        (ANNA, ANNA, 3, "to", "to themself"),
        (FRITZ, FRITZ, 3, "to", "give themself the voice"),
        (GINA, GINA, 3, "to", "give themself the voice"),
        (HUGO, ANNA, 0, "until", "over already"),
        (HUGO, ANNA, 367, "until", "a year at most"),
    ],
)
def test_what_cannot_be_given_is_refused_beside_what_is_to_be_corrected(
    company: Company, to: str, by: str, days: int, field: str, because: str
) -> None:
    company.start(ALL)
    with pytest.raises(InvalidInput) as refused:
        company.lends(ANNA, to, by=by, days=days)
    assert because in str(refused.value.fields[field])
    assert company.entries("request.delegated") == []


def test_one_person_has_one_delegation_at_a_time_and_may_give_the_next_when_it_was_ended(company: Company) -> None:
    lent = company.lends(ANNA, HUGO)
    with pytest.raises(InvalidInput, match="lent for some of these days already"):
        company.lends(ANNA, DORA, starts=company.now + timedelta(days=13))
    company.lends(ANNA, DORA, starts=company.now + timedelta(days=14))
    company.later(days=1)
    company.ends(lent, ANNA)
    company.lends(ANNA, DORA, days=3)


def test_who_is_not_in_the_directory_lends_nothing(company: Company) -> None:
    with pytest.raises(UnknownPerson):
        company.lends("guest@example.com", HUGO, by="operator")
    with pytest.raises(UnknownDelegation):
        company.ends(77, "operator")


def test_both_hear_that_it_was_given_and_that_it_was_ended(company: Company) -> None:
    lent = company.lends(ANNA, HUGO, by=GINA)
    company.later(days=1)
    company.ends(lent, GINA)
    assert company.told(ANNA) == ["Hugo Berg answers for you for a time", "Hugo Berg no longer answers for you"]
    assert company.told(HUGO) == ["You answer for Anna Keller for a time", "You no longer answer for Anna Keller"]
    with pytest.raises(InvalidInput, match="over already"):
        company.ends(lent, GINA)


# --- when it begins and ends ---


def test_the_check_applies_it_exactly_when_it_begins_and_takes_it_back_exactly_when_it_ends(company: Company) -> None:
    company.start(ALL)
    begins, ends = MONDAY + timedelta(days=1), MONDAY + timedelta(days=3)
    company.lends(ANNA, HUGO, starts=begins, days=2)
    instant = timedelta(microseconds=1)
    seen = []
    for company.now in (begins - instant, begins, ends - instant, ends):
        report = company.checks()
        seen.append((report.delegated, report.taken_back, states_of(company, HUGO)))
    assert seen == [(0, 0, []), (1, 0, [OPEN]), (0, 0, [OPEN]), (0, 1, [OVER])]
    assert company.asked(ANNA).state is RequestState.OPEN
    assert company.actions()[-1] == "request.taken-back"


def test_once_it_is_over_nothing_is_decided_by_it_even_before_the_check_has_run(company: Company) -> None:
    company.lends(ANNA, HUGO, days=2)
    company.start(ALL)
    request = company.asked(HUGO)
    open_page = company.page(request)
    company.later(days=2)
    form = DecisionForm("approve", company.code(request), open_page.digest)
    with pytest.raises(NotEligible, match="no longer answer in the place of anna"):
        record_decision(company.db, KEYS, company.token(request), form, company.now)
    page = company.page(request)
    assert (page.state, page.void_reason) == OVER
    assert company.gate()["decisions"] == []


def test_the_same_holds_by_every_channel(company: Company) -> None:
    company.lends(ANNA, HUGO, days=2)
    company.start(ALL)
    digest = company.page(company.asked(HUGO)).digest
    company.later(days=2)
    with pytest.raises(NotEligible, match="no longer answer"):
        company.says(HUGO, on_behalf_of=ANNA, digest=digest)


def test_what_was_said_while_it_held_counts_when_it_is_over(company: Company) -> None:
    company.lends(ANNA, HUGO, days=2)
    company.start(ALL)
    company.decides(HUGO)
    company.later(days=3)
    company.checks()
    for person in (BEN, CARLA):
        company.decides(person)
    assert company.state == "completed"


def test_a_second_delegation_to_the_same_person_asks_them_again_by_a_new_link(company: Company) -> None:
    company.start(ALL)
    company.ends(company.lends(ANNA, HUGO), ANNA)
    old = company.token(company.requests(HUGO)[0])
    company.later(days=1)
    company.lends(ANNA, HUGO)
    request = company.asked(HUGO)
    assert company.token(request) != old
    company.decides(HUGO)
    assert states_of(company, ANNA, HUGO) == [SPOKEN_FOR, DONE]


def test_a_delegate_who_has_left_is_not_asked(company: Company) -> None:
    company.lends(ANNA, HUGO)
    company.import_people(DIRECTORY.replace("  - {email: hugo@example.com, name: Hugo Berg, language: en}\n", ""))
    company.start(ALL)
    assert company.requests(HUGO) == []
    assert "not in the directory" in company.entries("request.not-delegated")[0].facts["because"]


def test_what_a_crash_left_undone_the_check_does(company: Company) -> None:
    """As if the process had died right after the delegation was stored, before any rollout was looked at."""
    company.start(ALL)
    with company.db.write() as session:
        session.add(Delegation(delegator=ANNA, delegate=HUGO, given_by=ANNA, created_at=company.now,
                               starts_at=company.now, ends_at=company.now + timedelta(days=5)))  # fmt: skip
    assert (company.checks().delegated, company.checks().delegated) == (1, 0)
    assert company.asked(HUGO).on_behalf_of == ANNA


def test_a_rollout_that_asked_without_knowing_of_it_is_mended_by_the_next_check(company: Company) -> None:
    """As if a gate had opened in a transaction that began before the delegation was stored, and ended after it."""
    lent = company.lends(ANNA, HUGO)
    with company.db.write() as session:
        session.get_one(Delegation, lent).ends_at = company.now
    company.start(ALL)
    with company.db.write() as session:
        session.get_one(Delegation, lent).ends_at = company.now + timedelta(days=5)
    company.later(minutes=15)
    assert company.checks().delegated == 1


# --- two at once ---


def deciding(company: Company, person: str, decision: str) -> Callable[[], object]:
    request = company.asked(person)
    form = DecisionForm(decision, company.code(request), company.page(request).digest, "because")
    return lambda: record_decision(company.db, KEYS, company.token(request), form, company.now)


def test_delegate_and_delegator_at_the_same_moment_are_one_voice(company: Company) -> None:
    company.lends(ANNA, HUGO)
    company.start(one_gate(f"{SIGN_OFF}, quorum: 2"))
    came_back = race([deciding(company, ANNA, "approve"), deciding(company, HUGO, "reject")] * 4)
    assert len(company.gate()["decisions"]) == 1
    assert sum(isinstance(one, GateSettled) for one in came_back) == 4
    assert company.gate()["state"] == "open"


def test_a_delegation_given_many_times_at_once_is_given_once(company: Company) -> None:
    company.start(ALL)
    came_back = race([lambda: company.lends(ANNA, HUGO)] * 6)
    assert sum(isinstance(one, int) for one in came_back) == 1
    assert sum(isinstance(one, InvalidInput) for one in came_back) == 5
    assert len(company.requests(HUGO)) == 1


def test_many_checks_at_once_ask_and_take_back_once(company: Company) -> None:
    company.start(ALL)
    company.lends(ANNA, HUGO, starts=MONDAY + timedelta(days=1), days=1)
    company.later(days=1)
    race([company.checks] * 6)
    company.later(days=1)
    race([company.checks] * 6)
    assert [company.actions().count(f"request.{what}") for what in ("delegated", "taken-back")] == [1, 1]


def test_a_decision_against_the_end_of_the_delegation_ends_in_one_of_the_two(company: Company) -> None:
    lent = company.lends(ANNA, HUGO)
    company.start(ALL)
    decided, _ = race([deciding(company, HUGO, "approve"), lambda: company.ends(lent, ANNA)])
    refused = isinstance(decided, NotEligible | GateSettled)
    assert len(company.gate()["decisions"]) == (0 if refused else 1)
    assert states_of(company, ANNA) == [OPEN if refused else SPOKEN_FOR]
    assert states_of(company, HUGO) == [OVER if refused else DONE]
