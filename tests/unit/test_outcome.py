"""What a rejected gate comes to: the most frequent choice; a tie takes the mildest."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.outcome import rejection_outcome
from domain.states import Outcome

HOLD, RECYCLE, KILL = Outcome.HOLD, Outcome.RECYCLE, Outcome.KILL
CHOICES = st.lists(st.sampled_from([None, HOLD, RECYCLE, KILL]), max_size=8)


@pytest.mark.parametrize(
    ("chosen", "default", "expected"),
    [
        ([KILL], HOLD, KILL),
        ([KILL, HOLD, KILL], HOLD, KILL),
        ([KILL, HOLD], RECYCLE, HOLD),
        ([KILL, RECYCLE], HOLD, RECYCLE),
        ([KILL, RECYCLE, HOLD], KILL, HOLD),
        ([None, None, KILL], RECYCLE, RECYCLE),
        ([None, KILL], KILL, KILL),
        ([None, HOLD, KILL], KILL, KILL),
        ([], RECYCLE, RECYCLE),
    ],
)
def test_the_most_frequent_choice_counts_and_a_tie_is_mild(
    chosen: list[Outcome | None], default: Outcome, expected: Outcome
) -> None:
    assert rejection_outcome(chosen, default) is expected


@given(CHOICES, st.sampled_from([HOLD, RECYCLE, KILL]))
def test_the_order_of_the_choices_does_not_matter(chosen: list[Outcome | None], default: Outcome) -> None:
    assert rejection_outcome(chosen, default) is rejection_outcome(sorted(chosen, key=str), default)


@given(CHOICES, st.sampled_from([HOLD, RECYCLE, KILL]))
def test_nothing_was_chosen_more_often_and_nothing_milder_as_often(
    chosen: list[Outcome | None], default: Outcome
) -> None:
    votes = Counter(choice or default for choice in chosen)
    outcome = rejection_outcome(chosen, default)
    mildest_first = [HOLD, RECYCLE, KILL]
    assert all(votes[other] <= votes[outcome] for other in mildest_first)
    if chosen:
        assert all(votes[other] < votes[outcome] for other in mildest_first[: mildest_first.index(outcome)])


@pytest.mark.parametrize(("chosen", "default"), [([Outcome.GO], HOLD), ([], Outcome.GO), ([None], Outcome.GO)])
def test_a_rejection_never_comes_to_go(chosen: list[Outcome | None], default: Outcome) -> None:
    with pytest.raises(ValueError, match="go"):
        rejection_outcome(chosen, default)
