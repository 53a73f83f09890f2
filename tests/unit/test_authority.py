"""Who looks after a rollout, and who does not."""

from __future__ import annotations

import pytest

from domain.authority import OPERATOR, Caretakers, may_see, why_may_not_look_after

CARETAKERS = Caretakers(
    owner="owner@example.com",
    requester="requester@example.com",
    stage_owners=frozenset({"stage@example.com"}),
    administrators=frozenset({"admin@example.com"}),
)


@pytest.mark.parametrize(
    "person", [OPERATOR, "owner@example.com", "requester@example.com", "stage@example.com", "admin@example.com"]
)
def test_these_may(person: str) -> None:
    assert why_may_not_look_after(person, CARETAKERS) is None


def test_the_requester_may_not_where_others_are_to_decide() -> None:
    assert why_may_not_look_after("requester@example.com", CARETAKERS, requester_may=False)


def test_a_stranger_may_not_and_is_told_who_does() -> None:
    refusal = str(why_may_not_look_after("eve@example.com", CARETAKERS))
    assert "eve@example.com" in refusal
    assert "owner@example.com does" in refusal


@pytest.mark.parametrize(
    "person", ["requester@example.com", "stage@example.com", "admin@example.com", "ben@example.com"]
)
def test_a_rollout_is_seen_by_whoever_looks_after_it_or_has_a_part_in_it(person: str) -> None:
    assert may_see(person, CARETAKERS, {"ben@example.com"})


def test_a_rollout_is_not_seen_by_strangers() -> None:
    assert not may_see("eve@example.com", CARETAKERS, {"ben@example.com"})
