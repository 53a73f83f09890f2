"""A stage opens when everything it needs has passed; going back takes everything after it along."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.stage_graph import comes_before, find_cycle, may_open, onwards

#   a ── b ── d ── e
#    └── c ──┘         f stands alone
NEEDS = {"a": [], "b": ["a"], "c": ["a"], "d": ["b", "c"], "e": ["d"], "f": []}
STAGES = "abcdef"
GRAPHS = st.fixed_dictionaries({stage: st.lists(st.sampled_from(STAGES), max_size=3) for stage in STAGES})
ACYCLIC = st.fixed_dictionaries(
    {
        stage: st.lists(st.sampled_from(STAGES[:i] or "_"), max_size=2) if i else st.just([])
        for i, stage in enumerate(STAGES)
    }
)


@pytest.mark.parametrize(
    ("passed", "expected"),
    [("", "af"), ("a", "bcf"), ("af", "bc"), ("ab", "cf"), ("abc", "df"), ("abcdef", ""), ("bc", "af")],
)
def test_what_may_open_has_all_it_needs_near_and_far_and_has_not_passed(passed: str, expected: str) -> None:
    assert may_open(NEEDS, set(passed)) == set(expected)


def test_a_stage_that_needs_an_unknown_one_never_opens() -> None:
    assert may_open({"a": ["nowhere"]}, set()) == set()


@pytest.mark.parametrize(("stage", "expected"), [("a", "abcde"), ("b", "bde"), ("d", "de"), ("e", "e"), ("f", "f")])
def test_onwards_is_the_stage_and_everything_that_needs_it(stage: str, expected: str) -> None:
    assert onwards(NEEDS, stage) == set(expected)


def test_an_unknown_stage_is_an_error() -> None:
    with pytest.raises(KeyError):
        onwards(NEEDS, "nowhere")


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [("a", "e", True), ("a", "b", True), ("e", "a", False), ("b", "c", False), ("a", "f", False), ("a", "a", False)],
)
def test_a_stage_comes_before_those_that_need_it(a: str, b: str, expected: bool) -> None:
    assert comes_before(NEEDS, a, b) is expected


def test_a_plan_without_a_circle_has_none() -> None:
    assert find_cycle(NEEDS) is None


def test_a_stage_that_needs_itself_is_a_circle() -> None:
    assert find_cycle({"a": ["a"]}) == ["a", "a"]


@given(GRAPHS)
def test_a_circle_that_is_named_is_one_and_none_means_every_stage_can_pass(needs: dict[str, list[str]]) -> None:
    cycle = find_cycle(needs)
    if cycle is not None:
        assert cycle[0] == cycle[-1]
        assert len(cycle) > 1
        assert all(before in needs[after] for before, after in pairwise(cycle))
        return
    passed: set[str] = set()
    while opening := may_open(needs, passed):
        passed |= opening
    assert passed == set(STAGES)


@given(ACYCLIC, st.sampled_from(STAGES), st.sampled_from(STAGES))
def test_without_circles_two_stages_never_come_before_each_other(needs: dict[str, list[str]], a: str, b: str) -> None:
    assert find_cycle(needs) is None
    assert not (comes_before(needs, a, b) and comes_before(needs, b, a))


@given(ACYCLIC, st.sampled_from(STAGES), st.sampled_from(STAGES))
def test_onwards_agrees_with_walking_back_through_the_needs(needs: dict[str, list[str]], a: str, b: str) -> None:
    def needs_a(stage: str) -> bool:
        return stage == a or any(needs_a(before) for before in needs[stage])

    assert (b in onwards(needs, a)) is needs_a(b)
