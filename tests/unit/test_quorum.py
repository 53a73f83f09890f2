"""The quorum: it fails closed, one person counts once, and who counts where is a matching.

The oracle tries every assignment of people to requirements; it is slow and plainly right.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import QuorumImpossible
from domain.plan import Each, Quorum
from domain.quorum import Missing, Origin, Requirement, Standing, evaluate, requirements
from domain.states import DecisionKind

APPROVE, REJECT, ABSTAIN = DecisionKind.APPROVE, DecisionKind.REJECT, DecisionKind.ABSTAIN
CONDITIONS, CHANGES = DecisionKind.APPROVE_WITH_CONDITIONS, DecisionKind.REQUEST_CHANGES
PEOPLE = ["anna", "ben", "carla", "dora", "emil"]
BOARD = frozenset({"anna", "ben", "carla"})


def group(*people: str) -> frozenset[str]:
    return frozenset(people)


def board(needed: int) -> tuple[Requirement, ...]:
    return (Requirement("board", BOARD, needed),)


GROUPS = st.frozensets(st.sampled_from(PEOPLE), max_size=4)
REQUIREMENTS = st.lists(
    st.builds(Requirement, st.sampled_from(["board", "finance", "hr"]), GROUPS, st.integers(1, 3)),
    min_size=1,
    max_size=3,
)
DECISIONS = st.dictionaries(st.sampled_from(PEOPLE), st.sampled_from(DecisionKind))
STAND_INS = st.frozensets(st.sampled_from(PEOPLE), max_size=2)


def most_seats(asked: Sequence[Requirement], people: Sequence[str], stand_ins: frozenset[str]) -> int:
    """Try for each person every requirement, and none, and return the largest number of seats taken."""

    def best(rest: Sequence[str], free: tuple[int, ...]) -> int:
        if not rest:
            return 0
        person, others = rest[0], rest[1:]
        tries = [best(others, free)]
        for index, requirement in enumerate(asked):
            if free[index] and (person in requirement.members or person in stand_ins):
                tries.append(1 + best(others, (*free[:index], free[index] - 1, *free[index + 1 :])))
        return max(tries)

    return best(people, tuple(requirement.needed for requirement in asked))


def oracle(
    asked: Sequence[Requirement], decisions: dict[str, DecisionKind], stand_ins: frozenset[str], binding: bool
) -> tuple[Standing, int]:
    yes = [p for p in PEOPLE if p in decisions and (decisions[p].is_approval if binding else decisions[p].is_final)]
    may_yet = [p for p in PEOPLE if p not in decisions or decisions[p] is CHANGES]
    needed = sum(requirement.needed for requirement in asked)
    counted = most_seats(asked, yes, stand_ins)
    if counted == needed:
        return Standing.MET, counted
    reachable = most_seats(asked, [*yes, *may_yet], stand_ins) == needed
    return (Standing.OPEN if reachable else Standing.OUT_OF_REACH), counted


@pytest.mark.parametrize(
    ("quorum", "needed"),
    [
        ("any", 1),
        ("all", 3),
        ("majority", 2),
        (1, 1),
        (3, 3),
        ("60 %", 2),
        ("60%", 2),
        ("1 %", 1),
        ("66 %", 2),
        ("67 %", 3),
        ("100 %", 3),
    ],
)
def test_a_quorum_over_all_is_so_many_of_the_union(quorum: Quorum, needed: int) -> None:
    asked = requirements(quorum, {"board": group("anna", "ben"), "finance": group("ben", "carla")})
    assert asked == (Requirement("board, finance", BOARD, needed),)


@pytest.mark.parametrize(("people", "needed"), [(1, 1), (2, 2), (3, 2), (4, 3), (5, 3)])
def test_a_majority_is_more_than_half(people: int, needed: int) -> None:
    assert requirements("majority", {"board": frozenset(PEOPLE[:people])})[0].needed == needed


@given(st.integers(1, 100), st.integers(1, 60))
def test_a_percentage_rounds_up_and_never_to_more_than_everybody(percent: int, people: int) -> None:
    members = frozenset(map(str, range(people)))
    needed = requirements(f"{percent} %", {"staff": members})[0].needed
    assert (needed - 1) * 100 < percent * people <= needed * 100


def test_each_asks_every_group_in_plan_order() -> None:
    asked = requirements(Each(each=1), {"hr": group("dora"), "board": BOARD})
    assert asked == (Requirement("hr", group("dora"), 1), Requirement("board", BOARD, 1))


def test_a_budget_band_is_one_further_approval() -> None:
    asked = requirements("any", {"sponsor": group("anna", "ben")}, {"finance-head": group("dora")})
    assert asked[1] == Requirement("finance-head", group("dora"), 1, Origin.BAND)
    assert evaluate(asked, {"anna": APPROVE, "ben": APPROVE}).standing is Standing.OPEN
    assert evaluate(asked, {"anna": APPROVE, "dora": APPROVE}).standing is Standing.MET


@pytest.mark.parametrize(
    ("quorum", "groups", "extra"),
    [
        ("any", {}, {}),
        ("any", {"board": group()}, {}),
        ("majority", {"board": group(), "hr": group()}, {}),
        ("all", {"board": BOARD, "hr": group()}, {}),
        ("100 %", {"board": BOARD, "hr": group()}, {}),
        (Each(each=1), {}, {}),
        (Each(each=1), {"board": BOARD, "hr": group()}, {}),
        ("any", {"board": BOARD}, {"finance-head": group()}),
        ("0 %", {"board": BOARD}, {}),
        (0, {"board": BOARD}, {}),
        (-1, {"board": BOARD}, {}),
        (4, {"board": BOARD}, {}),
        (Each(each=2), {"board": BOARD, "hr": group("dora")}, {}),
        (Each(each=1), {"board": group("anna"), "hr": group("anna")}, {}),
        ("all", {"board": group("anna")}, {"finance-head": group("anna")}),
    ],
)
def test_what_can_never_be_met_is_refused_when_the_gate_opens(
    quorum: Quorum, groups: dict[str, frozenset[str]], extra: dict[str, frozenset[str]]
) -> None:
    with pytest.raises(QuorumImpossible) as refused:
        requirements(quorum, groups, extra)
    assert refused.value.sentence.endswith(".")


def test_the_refusal_names_the_empty_role() -> None:
    with pytest.raises(QuorumImpossible, match="“hr”"):
        requirements("all", {"board": BOARD, "hr": group()})
    with pytest.raises(QuorumImpossible, match="“finance-head”"):
        requirements("all", {"board": BOARD}, {"finance-head": group()})


def test_an_empty_group_does_not_hinder_a_quorum_that_others_can_meet() -> None:
    assert requirements("any", {"board": BOARD, "hr": group()}) == (Requirement("board, hr", BOARD, 1),)


@pytest.mark.parametrize("asked", [(), board(0), board(-1), (*board(1), Requirement("hr", group("dora"), 0))])
@pytest.mark.parametrize("binding", [True, False])
def test_without_a_requirement_or_with_one_of_nought_nothing_is_ever_met(
    asked: tuple[Requirement, ...], binding: bool
) -> None:
    with pytest.raises(QuorumImpossible):
        evaluate(asked, {"anna": APPROVE, "dora": APPROVE}, binding=binding)


def test_met_exactly_at_the_threshold_and_not_one_below() -> None:
    assert evaluate(board(2), {"anna": APPROVE}).standing is Standing.OPEN
    assert evaluate(board(2), {"anna": APPROVE, "ben": CONDITIONS}).standing is Standing.MET


@pytest.mark.parametrize("no", [REJECT, ABSTAIN])
def test_out_of_reach_as_soon_as_too_few_can_still_say_yes(no: DecisionKind) -> None:
    assert evaluate(board(2), {"anna": no}).standing is Standing.OPEN
    assert evaluate(board(2), {"anna": no, "ben": no}).standing is Standing.OUT_OF_REACH


def test_who_requests_changes_can_still_approve() -> None:
    tally = evaluate(board(3), {"anna": CHANGES, "ben": APPROVE})
    assert (tally.standing, tally.counted) == (Standing.OPEN, 1)
    assert tally.missing == (Missing("board", 2, ("anna", "carla")),)


def test_one_person_in_two_groups_counts_once() -> None:
    asked = (Requirement("board", group("anna", "ben"), 1), Requirement("hr", group("anna", "carla"), 1))
    assert evaluate(asked, {"anna": APPROVE}).counted == 1
    assert evaluate(asked, {"anna": APPROVE, "carla": APPROVE}).standing is Standing.MET


def test_who_counts_where_is_a_matching_and_not_first_come() -> None:
    """Anna could sit in both; only when she gives way to Ben are both met."""
    asked = (Requirement("board", group("anna", "ben"), 1), Requirement("hr", group("anna"), 1))
    assert evaluate(asked, {"anna": APPROVE, "ben": APPROVE}).standing is Standing.MET


def test_what_is_missing_is_where_the_undecided_can_help() -> None:
    """Anna's yes goes to HR, where only she can give it, so that Ben can still complete the board."""
    asked = (Requirement("board", group("anna", "ben"), 1), Requirement("hr", group("anna"), 1))
    assert evaluate(asked, {"anna": APPROVE}).missing == (Missing("board", 1, ("ben",)),)


def test_people_escalated_to_may_sit_anywhere_but_once() -> None:
    asked = (Requirement("board", group("anna"), 1), Requirement("hr", group("dora"), 1))
    chair = frozenset({"emil"})
    assert evaluate(asked, {"anna": APPROVE, "emil": APPROVE}, chair).standing is Standing.MET
    assert evaluate(asked, {"emil": APPROVE}, chair).standing is Standing.OPEN
    assert evaluate(asked, {"emil": APPROVE}).counted == 0
    assert evaluate(asked, {"anna": REJECT}, chair).standing is Standing.OPEN
    assert evaluate(asked, {"anna": REJECT, "dora": REJECT}, chair).standing is Standing.OUT_OF_REACH


def test_the_word_of_a_stranger_is_ignored() -> None:
    assert evaluate(board(1), {"emil": APPROVE}) == evaluate(board(1), {})


@pytest.mark.parametrize("heard", [APPROVE, CONDITIONS, REJECT, ABSTAIN])
def test_where_it_is_not_binding_every_final_word_is_heard(heard: DecisionKind) -> None:
    assert evaluate(board(1), {"anna": heard}, binding=False).standing is Standing.MET


def test_a_request_for_changes_is_not_yet_heard() -> None:
    assert evaluate(board(1), {"anna": CHANGES}, binding=False).standing is Standing.OPEN


def test_nothing_is_missing_once_it_is_met() -> None:
    assert evaluate(board(1), {"anna": APPROVE}).missing == ()


@given(REQUIREMENTS, DECISIONS, STAND_INS, st.booleans())
def test_it_agrees_with_trying_every_assignment(
    asked: list[Requirement], decisions: dict[str, DecisionKind], stand_ins: frozenset[str], binding: bool
) -> None:
    tally = evaluate(asked, decisions, stand_ins, binding)
    assert (tally.standing, tally.counted) == oracle(asked, decisions, stand_ins, binding)
    assert tally.needed == sum(requirement.needed for requirement in asked)
    assert tally.counted + sum(missing.still_needed for missing in tally.missing) == tally.needed


@given(REQUIREMENTS, DECISIONS, STAND_INS, st.permutations(PEOPLE))
def test_the_order_of_decisions_does_not_matter(
    asked: list[Requirement], decisions: dict[str, DecisionKind], stand_ins: frozenset[str], order: list[str]
) -> None:
    reordered = {person: decisions[person] for person in order if person in decisions}
    assert evaluate(asked, reordered, stand_ins) == evaluate(asked, decisions, stand_ins)


@given(REQUIREMENTS, DECISIONS, STAND_INS, st.sampled_from(PEOPLE))
def test_a_further_approval_never_makes_it_worse(
    asked: list[Requirement], decisions: dict[str, DecisionKind], stand_ins: frozenset[str], person: str
) -> None:
    before = evaluate(asked, decisions, stand_ins)
    after = evaluate(asked, {**decisions, person: APPROVE}, stand_ins)
    assert after.counted >= before.counted
    assert after.standing is Standing.MET or before.standing is not Standing.MET


@given(REQUIREMENTS, DECISIONS, STAND_INS, st.sampled_from(PEOPLE), st.sampled_from(DecisionKind))
def test_out_of_reach_stays_so_whatever_the_undecided_say(
    asked: list[Requirement],
    decisions: dict[str, DecisionKind],
    stand_ins: frozenset[str],
    person: str,
    kind: DecisionKind,
) -> None:
    if evaluate(asked, decisions, stand_ins).standing is Standing.OUT_OF_REACH and person not in decisions:
        assert evaluate(asked, {**decisions, person: kind}, stand_ins).standing is Standing.OUT_OF_REACH


@given(st.lists(GROUPS, min_size=1, max_size=3), st.sampled_from(["any", "all", "majority", 2, "60 %", Each(each=1)]))
def test_what_may_open_is_met_when_everybody_approves(members: list[frozenset[str]], quorum: Quorum) -> None:
    groups = {f"role-{number}": people for number, people in enumerate(members)}
    try:
        asked = requirements(quorum, groups)
    except QuorumImpossible:
        return
    assert evaluate(asked, {}).standing is Standing.OPEN
    assert evaluate(asked, dict.fromkeys(PEOPLE, APPROVE)).standing is Standing.MET


def test_an_audience_of_a_thousand_is_counted_at_once() -> None:
    members = frozenset(f"person{number}@example.com" for number in range(1000))
    asked = requirements("80 %", {"staff": members})
    decisions = dict.fromkeys(sorted(members)[:799], APPROVE)
    assert evaluate(asked, decisions).standing is Standing.OPEN
    assert evaluate(asked, {**decisions, max(members): APPROVE}).standing is Standing.MET


def test_a_requirement_is_stored_with_sorted_members_and_read_again() -> None:
    requirement = Requirement("board", BOARD, 2)
    stored = {"name": "board", "members": ["anna", "ben", "carla"], "needed": 2, "origin": "quorum"}
    assert requirement.to_json() == stored
    assert Requirement.from_json(requirement.to_json()) == requirement
