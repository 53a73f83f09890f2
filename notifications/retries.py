"""When a message that could not be delivered is tried again, and when that has gone on for long enough."""

from __future__ import annotations

from datetime import datetime, timedelta

_PAUSES = tuple(timedelta(seconds=seconds) for seconds in (5, 15, 60, 300, 900, 1800, 3600))
PATIENCE = timedelta(days=3)
"""How long a temporary failure is believed to be one (RFC 5321, 4.5.4.1: at least four or five days for relays that
nobody watches; here the rollout's owner is told and can act)."""


def next_try(tries: int, now: datetime) -> datetime:
    """Return when to try again after `tries` failed tries (1 or more): pauses from five seconds up to an hour."""
    return now + _PAUSES[min(max(tries, 1), len(_PAUSES)) - 1]


def is_hopeless(wanted_at: datetime, now: datetime) -> bool:
    """Whether temporary failures have gone on for so long that the message is given up and the owner told.

    `wanted_at` is when it was first to be delivered: what was held over Easter deserves its three days as well.
    """
    return now - wanted_at >= PATIENCE
