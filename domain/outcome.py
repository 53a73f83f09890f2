"""What a rejected gate comes to when its reviewers chose differently."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from domain.states import Outcome

_MILDEST_FIRST = (Outcome.HOLD, Outcome.RECYCLE, Outcome.KILL)


def rejection_outcome(chosen: Sequence[Outcome | None], default: Outcome) -> Outcome:
    """Return the most frequent choice among the rejections; a tie takes the mildest.

    None counts as `default` (the gate's on_reject), and so does nobody having chosen. Raises ValueError for “go”,
    which no rejection can come to.
    """
    votes = Counter(choice or default for choice in chosen) or Counter([default])
    if Outcome.GO in votes:
        raise ValueError("a rejection cannot come to “go”")
    most = max(votes.values())
    return next(outcome for outcome in _MILDEST_FIRST if votes[outcome] == most)
