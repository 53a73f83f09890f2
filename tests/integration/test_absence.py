"""Being away: whoever answers meanwhile is asked; where nobody does and the gate cannot wait, others are asked at once.

Whatever follows from an absence follows once, also when the check runs again, and stays when the absence is taken back.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.errors import InvalidInput, NotAllowed, UnknownAbsence, UnknownPerson
from domain.reasons import Reason
from models.database import Database
from models.requests import RequestState, VoidReason
from tests.company import ANNA, BEN, CARLA, DORA, EMIL, FRITZ, GINA, HUGO, REQUESTER, Company
from tests.delivering import written
from tests.lending import DIRECTORY
from tests.sample_plans import SIGN_OFF, one_gate

ESCALATES = "escalate: [{after: 5 business days, to: chair}]"
ALL = one_gate(f"{SIGN_OFF}, quorum: all, {ESCALATES}")
ESCALATED = "“The gate” was escalated, because somebody is away"
IN_VAIN = "“The gate” waits for somebody who is away"


@pytest.fixture
def company(db: Database) -> Company:
    """A company in which Anna has an assistant (Fritz), Gina is administrator, and Hugo holds no role."""
    return Company(db, directory=DIRECTORY)


def waits_for(company: Company) -> list[str]:
    """Who is asked now."""
    return [str(person) for person in company.gate()["waiting_for"]]


def news(company: Company, person: str = REQUESTER) -> list[str]:
    """What somebody was told because people are away."""
    return [headline for headline in company.headlines(person) if headline.endswith("away")]


def last_told(company: Company, person: str = REQUESTER) -> str:
    """All that somebody was told last, in English, in one line."""
    facts = company.messages("information", person)[-1].facts
    reasons = [facts["headline"], *facts["sentences"], *facts["what_to_do"]]
    return " ".join(str(Reason.from_json(reason)) for reason in reasons)


# --- when it escalates, and when it need not ---


def test_who_is_asked_while_away_is_covered_by_the_escalation_at_once_and_the_owner_is_told(company: Company) -> None:
    company.is_away(ANNA, days=14)
    company.start(ALL)
    assert waits_for(company) == [ANNA, BEN, CARLA, EMIL]
    assert company.messages("escalation", EMIL) != []
    assert news(company) == [ESCALATED]
    told = last_told(company)
    assert "Anna Keller is away until 2026-03-16, and nobody answers in their place." in told
    assert "Asked as well from now on: Emil Vogt." in told
    [entry] = company.entries("request.away")
    assert (entry.facts["person"], entry.facts["until"], entry.actor) == (ANNA, "2026-03-16", "etappe")
    assert company.gate()["chased"] == [f"Asked as well since Monday, 2 March 2026, 10:00: {EMIL}, because of the "
                                        f"absence of {ANNA}."]  # fmt: skip


def test_who_is_asked_because_of_it_reads_who_is_away_and_not_that_they_were_slow(company: Company) -> None:
    company.is_away(ANNA)
    company.start(ALL)
    mail = written(company, "escalation", EMIL)
    assert "Anna Keller ist abwesend, ohne Stellvertretung. Nach dem Plan sind nun auch Sie gefragt." in mail
    assert "Warum Sie: Die Abwesenheit von Anna Keller würde es aufhalten; der Plan nennt Sie als Nächstes" in mail
    assert "noch nicht geantwortet" not in mail and "nicht entschieden" not in mail


def test_who_is_asked_instead_because_of_it_is_said_to_be(company: Company) -> None:
    company.is_away(ANNA)
    company.start(one_gate(f"{SIGN_OFF}, quorum: all, {ESCALATES.replace('chair', 'chair, replace: true')}"))
    assert waits_for(company) == [EMIL]
    assert company.gate()["chased"] == [f"Asked instead since Monday, 2 March 2026, 10:00: {EMIL}, because of the "
                                        f"absence of {ANNA}."]  # fmt: skip
    assert "liegt der Entscheid nun an ihrer Stelle bei Ihnen" in written(company, "escalation", EMIL)


def test_an_absence_that_begins_while_something_waits_escalates_by_the_check_and_once(company: Company) -> None:
    company.start(ALL)
    company.is_away(ANNA, starts=company.now + timedelta(days=1))
    assert waits_for(company) == [ANNA, BEN, CARLA]
    company.later(days=1)
    for _ in range(3):
        company.checks()
        company.later(minutes=15)
    assert waits_for(company) == [ANNA, BEN, CARLA, EMIL]
    assert [company.actions().count(what) for what in ("request.away", "gate.escalated")] == [1, 1]
    assert news(company) == [ESCALATED]


def test_an_absence_that_is_entered_for_now_needs_no_check(company: Company) -> None:
    company.start(ALL)
    company.is_away(ANNA)
    assert waits_for(company) == [ANNA, BEN, CARLA, EMIL]


def test_where_the_others_are_enough_nothing_happens_until_they_are_not(company: Company) -> None:
    company.start(one_gate(f"{SIGN_OFF}, quorum: 2, {ESCALATES}"))
    company.is_away(ANNA)
    company.checks()
    assert EMIL not in waits_for(company)
    company.decides(BEN, "abstain")  # now it takes Anna
    assert EMIL in waits_for(company)
    assert company.actions().count("request.away") == 1


def test_with_a_delegate_the_delegate_is_asked_and_nothing_escalates(company: Company) -> None:
    company.start(ALL)
    number = company.is_away(ANNA, delegate=HUGO)
    company.checks()
    assert waits_for(company) == [ANNA, BEN, CARLA, HUGO]
    assert company.asked(HUGO).on_behalf_of == ANNA
    assert company.entries("request.away") == []

    company.is_back(number, ANNA)
    assert company.requests(HUGO)[0].void_reason is VoidReason.DELEGATION_OVER
    assert waits_for(company) == [ANNA, BEN, CARLA]


@pytest.mark.parametrize("why", ["the delegate is away", "the plan lets nobody answer"])
def test_a_delegate_who_does_not_answer_is_none(company: Company, why: str) -> None:
    if why == "the delegate is away":
        company.is_away(HUGO)
        company.start(ALL)
    else:
        company.start(one_gate(f"{SIGN_OFF}, quorum: all, delegates: false, {ESCALATES}"))
    company.is_away(ANNA, delegate=HUGO)
    assert EMIL in waits_for(company)


@pytest.mark.parametrize("what", ["goes away", "no longer answers"])
def test_a_delegate_who_later_answers_no_longer_makes_it_escalate(company: Company, what: str) -> None:
    company.start(ALL)
    lent = company.lends(BEN, HUGO, days=9)
    company.is_away(BEN, days=9)
    assert company.entries("request.away") == []
    if what == "goes away":
        company.is_away(HUGO)
    else:
        company.ends(lent, BEN)
    assert [entry.facts["person"] for entry in company.entries("request.away")] == [BEN]


def test_in_turn_it_counts_who_is_asked_now(company: Company) -> None:
    company.is_away(BEN)
    company.start(one_gate(f"{SIGN_OFF}, quorum: all, order: in turn, {ESCALATES}"))
    assert waits_for(company) == [ANNA]
    company.decides(ANNA)
    assert waits_for(company) == [BEN, EMIL]


def test_one_step_after_the_other_is_taken_until_somebody_is_there(company: Company) -> None:
    company.is_away(EMIL, days=3)
    company.is_away(ANNA)
    company.start(
        one_gate(f"{SIGN_OFF}, quorum: all, escalate: [{{after: 5 days, to: chair}}, {{after: 9 days, to: finance}}]")
    )
    assert waits_for(company) == [ANNA, BEN, CARLA, EMIL, DORA]
    assert news(company) == [ESCALATED]
    told = last_told(company)
    assert "Anna Keller is away until 2026-03-16" in told and "Emil Vogt is away until 2026-03-05" in told


def test_without_a_step_left_the_owners_hear_who_is_away_and_what_they_can_do(company: Company) -> None:
    company.start(one_gate(f"{SIGN_OFF}, quorum: all").replace("Only stage", "Only stage\n    owner: finance"))
    company.is_away(ANNA)
    company.is_away(BEN)
    for person in (REQUESTER, DORA):
        assert news(company, person) == [IN_VAIN, IN_VAIN]
        assert f"etappe gate reassign {company.rollout_id} gate --from {BEN} --to EMAIL" in last_told(company, person)
        assert f"etappe rollout explain {company.rollout_id}" in last_told(company, person)
    assert "Ben Frei is away until 2026-03-16" in last_told(company)
    assert "Anna Keller" not in last_told(company)


def test_where_nobody_may_answer_for_somebody_else_nothing_is_offered_that_would_be_refused(company: Company) -> None:
    company.start(one_gate(f"{SIGN_OFF}, quorum: all, delegates: no"))
    company.is_away(ANNA)
    assert news(company) == [IN_VAIN]
    told = last_told(company)
    assert "reassign" not in told and "delegate" not in told
    assert f"etappe rollout explain {company.rollout_id}" in told


@pytest.mark.parametrize(
    ("gate", "away"),
    [
        ('kind: checklist, question: "?", filled_by: finance, items: [{id: a, title: A, kind: text}]', DORA),
        ("kind: measurement, metric: visits, at_least: 5, measured_by: finance", DORA),
    ],
)
def test_what_is_to_be_brought_by_somebody_away_escalates_too(company: Company, gate: str, away: str) -> None:
    company.is_away(away)
    company.start(one_gate(f"{gate}, {ESCALATES}"))
    assert waits_for(company) == [DORA, EMIL]


def test_a_text_that_is_to_be_read_waits_for_its_readers(company: Company) -> None:
    company.is_away(ANNA)
    company.start(one_gate(f'kind: acknowledgement, text: "Read this", audience: [board], share: "100 %", {ESCALATES}'))
    company.checks()
    assert company.entries("gate.escalated") == []


def test_while_an_owner_who_is_away_is_asked_for_changes_others_are_told_and_nobody_is_asked_to_decide(
    company: Company,
) -> None:
    company.start(ALL, owner=GINA)
    company.is_away(GINA)
    company.decides(ANNA, "request-changes")
    assert EMIL not in waits_for(company)
    assert news(company) == [IN_VAIN]
    assert "etappe gate respond" in last_told(company)


def test_an_absence_that_was_entered_by_mistake_leaves_the_escalation_as_it_is(company: Company) -> None:
    company.start(ALL)
    company.is_back(company.is_away(ANNA), ANNA)
    company.checks()
    assert waits_for(company) == [ANNA, BEN, CARLA, EMIL]
    company.is_away(ANNA)  # another absence is another one, and there is no step left that it could take
    assert company.actions().count("gate.escalated") == 1


# --- reminders ---


def test_who_is_away_is_not_reminded_and_hears_once_when_they_are_back(company: Company) -> None:
    company.start(one_gate(f"{SIGN_OFF}, quorum: 2, remind: every 2 business days"))
    company.is_away(ANNA, days=3.5)
    company.later(days=2)
    company.checks()
    assert sorted(row.recipient for row in company.messages("reminder")) == [BEN, CARLA]
    company.later(days=1.6)  # before the next reminder is due
    for _ in range(2):
        company.checks()
    assert sorted(row.recipient for row in company.messages("reminder")) == [ANNA, BEN, CARLA]


def test_who_is_back_and_was_not_passed_over_or_has_answered_is_left_alone(company: Company) -> None:
    company.start(one_gate(f"{SIGN_OFF}, quorum: all, remind: every 2 business days"))
    company.is_away(ANNA, days=1)
    away = company.is_away(BEN, days=9)
    company.later(days=2)
    company.checks()
    company.decides(BEN)  # from the beach
    company.is_back(away, BEN)
    company.checks()
    assert company.messages("reminder", BEN) == []
    assert len(company.messages("reminder", ANNA)) == 1


# --- who says so, and for how long ---


@pytest.mark.parametrize("by", [ANNA, FRITZ, GINA, "operator"])
def test_the_person_their_assistant_and_administrators_say_so_and_end_it(company: Company, by: str) -> None:
    company.is_back(company.is_away(ANNA, by=by), by)
    entered = "You are entered as away from 2026-03-02 until 2026-03-16"
    assert company.told(ANNA) == ([] if by == ANNA else [entered])


def test_nobody_else_does(company: Company) -> None:
    with pytest.raises(NotAllowed, match=r"may not say when anna@example\.com is away"):
        company.is_away(ANNA, by=BEN)
    number = company.is_away(ANNA)
    with pytest.raises(NotAllowed):
        company.is_back(number, BEN)


@pytest.mark.parametrize(
    ("person", "days", "delegate", "field"),
    [(ANNA, 0, "", "until"), (ANNA, -1, "", "until"), (ANNA, 367, "", "until"), (ANNA, 3, ANNA, "to"),
     (ANNA, 3, "nobody@example.com", "to")],
)  # fmt: skip
def test_what_cannot_be_is_refused_and_leaves_nothing(
    company: Company, person: str, days: float, delegate: str, field: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        company.is_away(person, days=days, delegate=delegate)
    assert field in refused.value.fields
    company.start(ALL)
    assert company.requests(EMIL, RequestState.OPEN) == []


def test_who_is_unknown_is_never_away_and_what_is_over_does_not_end(company: Company) -> None:
    with pytest.raises(UnknownPerson):
        company.is_away("x@example.com", by="operator")
    with pytest.raises(UnknownAbsence):
        company.is_back(7, ANNA)
    number = company.is_away(ANNA)
    company.is_back(number, ANNA)
    with pytest.raises(InvalidInput, match="over already"):
        company.is_back(number, ANNA)
