"""Passing a question on, and asking for one more approval, while a gate is open: old links die, quorums only grow."""

from __future__ import annotations

from functools import partial

import pytest

from domain.errors import GateSettled, InvalidInput, NotAllowed, NotFound, RolloutEnded
from models.database import Database
from models.requests import RequestState, VoidReason
from operations.record_decision import DecisionForm, record_decision
from tests.company import KEYS, REQUESTER, Company
from tests.integration.test_two_at_once import deciding, race
from tests.lending import DIRECTORY, states_of
from tests.sample_plans import SIGN_OFF, one_gate

ANNA, BEN, CARLA = "anna@example.com", "ben@example.com", "carla@example.com"
DORA, EMIL = "dora@example.com", "emil@example.com"
FRITZ, GINA, HUGO = "fritz@example.com", "gina@example.com", "hugo@example.com"
ALL = one_gate(f"{SIGN_OFF}, quorum: all")
OWNED = ALL.replace("    gates:", "    owner: finance\n    gates:")
OPEN, DONE = (RequestState.OPEN, None), (RequestState.DONE, None)
REASSIGNED = (RequestState.VOID, VoidReason.REASSIGNED)


@pytest.fixture
def company(db: Database) -> Company:
    """A company in which Gina is administrator and Hugo holds no role."""
    return Company(db, directory=DIRECTORY)


# --- reassign ---


def test_the_new_one_has_the_seat_of_the_old_one_whose_link_is_dead(company: Company) -> None:
    company.start(ALL)
    old = company.asked(ANNA)
    company.reassigns(ANNA, HUGO)
    assert states_of(company, ANNA, HUGO) == [REASSIGNED, OPEN]
    assert company.gate()["waiting_for"] == [BEN, CARLA, HUGO]
    with pytest.raises(GateSettled):
        company.decides(ANNA, request=old)
    for person in (BEN, CARLA, HUGO):
        assert company.gate()["state"] == "open"
        company.decides(person)
    assert company.state == "completed"


def test_the_record_says_who_and_why_and_all_concerned_are_told(company: Company) -> None:
    company.start(ALL, owner=EMIL)
    company.reassigns(ANNA, HUGO, by=EMIL, reason="Anna is on leave")
    [entry] = company.entries("gate.reassigned")
    assert (entry.actor, entry.comment, entry.facts) == (EMIL, "Anna is on leave", {"from": ANNA, "to": HUGO})
    told = f"“The gate”: {HUGO} is asked instead of {ANNA}"
    assert [told in company.headlines(person) for person in (ANNA, REQUESTER, EMIL, BEN)] == [True, True, True, False]
    assert [row.recipient for row in company.messages("request")][-1] == HUGO
    assert "Anna is on leave" in str(company.page(company.asked(HUGO)).question.why)


@pytest.mark.parametrize("by", [DORA, EMIL, GINA, "operator"])
def test_those_who_look_after_the_stage_may(company: Company, by: str) -> None:
    """Dora owns the stage, Emil the rollout; Gina is administrator."""
    company.start(OWNED, owner=EMIL)
    company.reassigns(ANNA, HUGO, by=by)
    company.adds(FRITZ, by=by)
    assert company.gate()["waiting_for"] == [BEN, CARLA, HUGO, FRITZ]


@pytest.mark.parametrize("by", [REQUESTER, ANNA, BEN, HUGO])
def test_nobody_else_may_the_requester_included(company: Company, by: str) -> None:
    company.start(OWNED, owner=EMIL)
    with pytest.raises(NotAllowed, match=by):
        company.reassigns(ANNA, FRITZ, by=by)
    with pytest.raises(NotAllowed, match=by):
        company.adds(FRITZ, by=by)
    assert company.gate()["waiting_for"] == [ANNA, BEN, CARLA]


def test_nobody_makes_somebody_administrator_by_starting_a_rollout(company: Company) -> None:
    plan = ALL.replace("  staff:", "  administrator: {title: Administrator}\n  staff:")
    with pytest.raises(InvalidInput, match="Who is administrator is said in the directory file"):
        company.start(plan, people={"administrator": [HUGO]})


@pytest.mark.parametrize(
    ("left_by", "to", "because"),
    [
        (ANNA, REQUESTER, "the plan excludes them"),
        (ANNA, BEN, "decides here already"),
        (ANNA, ANNA, "asked here already"),
        (ANNA, GINA, "Nobody can name themself"),
        (ANNA, "guest@example.com", "not in the directory"),
        (HUGO, FRITZ, "is not asked here"),
        (CARLA, HUGO, "has answered here already"),
    ],
)
def test_what_stands_in_the_way_is_said_and_nothing_changes(
    company: Company, left_by: str, to: str, because: str
) -> None:
    company.start(ALL)
    company.decides(CARLA)
    before = company.actions()
    with pytest.raises(InvalidInput, match=because):
        company.reassigns(left_by, to, by=GINA)
    assert (company.actions(), company.gate()["waiting_for"]) == (before, [ANNA, BEN])


def test_where_nothing_can_be_lent_only_a_holder_of_the_role_takes_over(company: Company) -> None:
    gate = 'kind: sign-off, question: "?", approvers: [staff], exclude: [finance-head], quorum: all, delegates: false'
    company.start(one_gate(gate), people={"staff": [BEN, CARLA]})
    with pytest.raises(InvalidInput, match="only who holds “staff” may take over"):
        company.reassigns(BEN, HUGO)
    company.start(one_gate(gate.replace("[staff]", "[board, finance]").replace("all", "{each: 1}")))
    with pytest.raises(InvalidInput, match="only who holds “finance” may take over"):
        company.reassigns(DORA, HUGO)


def test_a_reason_is_needed(company: Company) -> None:
    company.start(ALL)
    with pytest.raises(InvalidInput, match="needs a reason"):
        company.reassigns(ANNA, HUGO, reason=" ")
    with pytest.raises(InvalidInput, match="needs a reason"):
        company.adds(HUGO, reason="\n")


def test_only_while_the_gate_is_open(company: Company) -> None:
    company.start(one_gate(f"{SIGN_OFF}, quorum: any") + """
  - id: later
    title: Later
    gates:
      - {id: end, title: End, kind: sign-off, question: "?", approvers: [board], quorum: any}
""")  # fmt: skip
    with pytest.raises(InvalidInput, match="is waiting; who is asked can be changed while it is open"):
        company.reassigns(ANNA, HUGO, key="end")
    with pytest.raises(NotFound, match="no gate “ende”"):
        company.adds(HUGO, key="ende")
    company.decides(ANNA)
    with pytest.raises(InvalidInput, match="is passed"):
        company.adds(HUGO)
    company.decides(ANNA)
    with pytest.raises(RolloutEnded):
        company.reassigns(BEN, HUGO, key="end")


def test_the_links_of_delegates_die_with_those_of_the_delegator_and_the_new_ones_delegate_is_asked(
    company: Company,
) -> None:
    company.lends(ANNA, FRITZ, by=GINA)
    company.lends(HUGO, GINA)
    company.start(ALL)
    company.reassigns(ANNA, HUGO)
    assert states_of(company, ANNA, FRITZ) == [REASSIGNED, REASSIGNED]
    assert company.asked(GINA).on_behalf_of == HUGO
    assert company.headlines(FRITZ) == company.headlines(ANNA)
    company.decides(GINA)
    assert company.gate()["waiting_for"] == [BEN, CARLA]


def test_a_delegate_who_takes_a_seat_speaks_for_themself_from_then_on(company: Company) -> None:
    company.lends(ANNA, HUGO)
    company.start(ALL)
    company.reassigns(CARLA, HUGO)
    assert [(row.on_behalf_of, row.state) for row in company.requests(HUGO)] == [
        (ANNA, RequestState.VOID),
        ("", RequestState.OPEN),
    ]
    for person in (ANNA, BEN, HUGO):
        company.decides(person)
    assert company.state == "completed"


def test_a_delegate_who_has_spoken_cannot_take_a_seat(company: Company) -> None:
    company.lends(ANNA, HUGO)
    company.start(ALL)
    company.decides(HUGO)
    with pytest.raises(InvalidInput, match="One person is one voice"):
        company.reassigns(CARLA, HUGO)
    with pytest.raises(InvalidInput, match="One person is one voice"):
        company.adds(HUGO)


def test_in_turn_the_new_one_has_the_place_of_the_old_one_whether_asked_already_or_not(company: Company) -> None:
    company.start(one_gate(f"{SIGN_OFF}, quorum: all, order: in turn"))
    company.reassigns(BEN, HUGO)
    assert company.gate()["waiting_for"] == [ANNA]
    company.reassigns(ANNA, FRITZ)
    assert company.gate()["waiting_for"] == [FRITZ]
    for person in (FRITZ, HUGO, CARLA):
        company.decides(person)
    assert company.state == "completed"


def test_somebody_can_be_given_their_seat_back_by_a_new_link(company: Company) -> None:
    company.start(ALL)
    old = company.token(company.asked(ANNA))
    company.reassigns(ANNA, HUGO)
    company.reassigns(HUGO, ANNA)
    assert states_of(company, ANNA, HUGO) == [OPEN, REASSIGNED]
    assert company.token(company.asked(ANNA)) != old
    company.decides(ANNA)


def test_who_was_escalated_to_can_be_reassigned_and_somebody_reassigned_can_be_escalated_to(company: Company) -> None:
    plan = one_gate(f"{SIGN_OFF}, quorum: all, escalate: [{{after: 2 days, to: chair}}, {{after: 4 days, to: hr}}]")
    company.start(plan.replace("  staff:", "  hr: {title: HR}\n  staff:"), people={"hr": [ANNA]})
    company.reassigns(ANNA, HUGO)
    company.later(days=2)
    company.checks()
    company.reassigns(EMIL, FRITZ)
    assert company.gate()["waiting_for"] == [BEN, CARLA, HUGO, FRITZ]
    company.later(days=2)
    company.checks()
    assert company.gate()["waiting_for"] == [ANNA, BEN, CARLA, HUGO, FRITZ]


def test_what_is_to_be_filled_in_or_measured_is_passed_on_too_and_a_text_to_be_read_is_not(company: Company) -> None:
    checklist = 'kind: checklist, question: "?", filled_by: finance, items: [{id: a, title: A, kind: text}]'
    company.start(one_gate(f"{checklist}, approvers: [board], quorum: any"))
    with pytest.raises(InvalidInput, match="decides here on what is brought"):
        company.reassigns(DORA, ANNA)
    company.reassigns(DORA, HUGO)
    assert states_of(company, DORA) == [REASSIGNED]
    company.fills_in(HUGO, {"a": "done"})
    company.decides(ANNA)
    assert company.state == "completed"

    company.start(one_gate("kind: measurement, metric: visits, at_least: 5, measured_by: finance"))
    company.reassigns(DORA, HUGO)
    assert company.gate()["waiting_for"] == [HUGO]

    company.start(one_gate('kind: acknowledgement, text: "Read this", audience: [finance], share: "100 %"'))
    with pytest.raises(InvalidInput, match="nobody can take over"):
        company.reassigns(DORA, HUGO)


def test_a_budget_keeps_its_further_voice_in_the_hands_it_was_passed_on_to(company: Company) -> None:
    budget = 'kind: budget, question: "?", approvers: [finance], bands: [{above: 10, approvers: [finance-head]}]'
    company.start(one_gate(budget), budget={"agency": "20"})
    company.reassigns(EMIL, HUGO)
    company.changes(budget={"agency": "30"})
    assert company.gate()["waiting_for"] == [DORA, HUGO]
    company.decides(DORA)
    company.decides(HUGO)
    assert company.state == "completed"


# --- add an approver ---


def test_one_more_approval_is_needed_beside_the_quorum(company: Company) -> None:
    company.start(one_gate(f"{SIGN_OFF}, quorum: any"))
    company.adds(HUGO)
    [entry] = company.entries("gate.approver-added")
    assert (entry.facts, entry.comment) == ({"person": HUGO}, "knows the law")
    assert "knows the law" in str(company.page(company.asked(HUGO)).question.why)
    company.decides(ANNA)
    assert (company.gate()["state"], company.gate()["waiting_for"]) == ("open", [BEN, CARLA, HUGO])
    company.decides(HUGO)
    assert company.state == "completed"


def test_who_was_added_can_neither_stand_in_for_the_others_nor_be_outvoted(company: Company) -> None:
    company.start(one_gate(f"{SIGN_OFF}, quorum: any"))
    company.adds(HUGO)
    company.decides(HUGO, "reject")
    assert company.gate()["state"] == "rejected"


def test_in_turn_who_was_added_comes_last(company: Company) -> None:
    company.start(one_gate(f"{SIGN_OFF}, quorum: all, order: in turn"))
    company.adds(HUGO)
    for person in (ANNA, BEN, CARLA, HUGO):
        assert company.gate()["waiting_for"] == [person]
        company.decides(person)
    assert company.state == "completed"


def test_who_was_added_stays_needed_when_others_are_asked_instead(company: Company) -> None:
    company.start(one_gate(f"{SIGN_OFF}, quorum: all, escalate: [{{after: 2 days, to: chair, replace: true}}]"))
    company.adds(HUGO)
    company.later(days=2)
    company.checks()
    assert company.gate()["waiting_for"] == [HUGO, EMIL]
    company.decides(EMIL)
    assert company.gate()["state"] == "open"
    company.decides(HUGO)
    assert company.state == "completed"


@pytest.mark.parametrize(
    ("person", "because"),
    [
        (REQUESTER, "the plan excludes them"),
        (ANNA, "decides here already"),
        (GINA, "Nobody can name themself"),
        ("guest@example.com", "not in the directory"),
    ],
)
def test_who_cannot_be_added_is_refused_with_the_reason(company: Company, person: str, because: str) -> None:
    company.start(ALL)
    with pytest.raises(InvalidInput, match=because):
        company.adds(person, by=GINA)


@pytest.mark.parametrize(
    "gate",
    [
        "kind: measurement, metric: visits, at_least: 5, measured_by: finance",
        'kind: acknowledgement, text: "Read this", audience: [finance], share: "100 %"',
        'kind: checklist, question: "?", items: [{id: a, title: A, kind: text}]',
    ],
)
def test_nobody_is_added_where_nobody_decides(company: Company, gate: str) -> None:
    company.start(one_gate(gate))
    with pytest.raises(InvalidInput, match="Nobody decides at this gate"):
        company.adds(HUGO, by=GINA)


def test_a_list_that_is_not_filled_in_yet_is_asked_of_who_was_added_only_afterwards(company: Company) -> None:
    checklist = 'kind: checklist, question: "?", filled_by: finance, items: [{id: a, title: A, kind: text}]'
    company.start(one_gate(f"{checklist}, approvers: [board], quorum: any"))
    company.adds(HUGO)
    assert company.gate()["waiting_for"] == [DORA]
    company.fills_in(DORA, {"a": "done"})
    assert company.gate()["waiting_for"] == [ANNA, BEN, CARLA, HUGO]


# --- two at once ---


def test_reassigning_against_a_decision_ends_in_one_of_the_two(company: Company) -> None:
    company.start(ALL)
    decided, reassigned = race([deciding(company, ANNA, "approve"), lambda: company.reassigns(ANNA, HUGO)])
    if isinstance(decided, GateSettled):
        assert (reassigned, states_of(company, ANNA, HUGO)) == (None, [REASSIGNED, OPEN])
    else:
        assert isinstance(reassigned, InvalidInput)
        assert states_of(company, ANNA) == [DONE]
    assert len(company.gate()["decisions"]) == (0 if isinstance(decided, GateSettled) else 1)


def test_one_seat_passed_on_many_times_at_once_goes_to_one(company: Company) -> None:
    company.start(ALL)
    came_back = race([partial(company.reassigns, ANNA, to) for to in (HUGO, FRITZ, DORA, EMIL)])
    assert came_back.count(None) == 1
    assert len(company.gate()["waiting_for"]) == 3


def test_what_was_shown_before_stays_valid_for_those_who_stay(company: Company) -> None:
    company.start(ALL)
    request = company.asked(BEN)
    form = DecisionForm("approve", company.code(request), company.page(request).digest)
    company.reassigns(ANNA, HUGO)
    record_decision(company.db, KEYS, company.token(request), form, company.now)
    assert len(company.gate()["decisions"]) == 1
