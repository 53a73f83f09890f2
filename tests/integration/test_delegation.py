"""Lending a voice: who is asked in whose place, and whose voice is heard.

Whatever happens, whoever lends a voice and whoever gives it are one voice at a gate, and separation of duties holds for
both.
"""

from __future__ import annotations

import pytest

from domain.errors import GateSettled
from models.database import Database
from models.requests import RequestState, VoidReason
from tests.company import ANNA, BEN, CARLA, DORA, EMIL, GINA, HUGO, REQUESTER, Company
from tests.lending import ALL, DIRECTORY, DONE, OPEN, OVER, SPOKEN_FOR, states_of
from tests.sample_plans import SIGN_OFF, one_gate


@pytest.fixture
def company(db: Database) -> Company:
    """A company in which Anna has an assistant (Fritz), Gina is administrator, and Hugo holds no role."""
    return Company(db, directory=DIRECTORY)


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
    assert company.headlines(ANNA) == ["“The gate” stays with Anna Keller"]


def test_whoever_gave_it_for_somebody_is_told_why_it_comes_to_nothing_and_only_once(company: Company) -> None:
    company.start(one_gate(f"{SIGN_OFF}, delegates: false"))
    company.lends(ANNA, HUGO, by=GINA)
    for _ in range(3):
        company.checks()
        company.later(minutes=15)
    assert company.headlines(GINA) == ["“The gate” stays with Anna Keller"]
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
