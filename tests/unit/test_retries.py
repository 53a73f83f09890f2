"""A message that could not be delivered is tried again: soon at first, every hour later, for three days."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from notifications.retries import is_hopeless, next_try

NOW = datetime(2026, 11, 24, 13, 5, tzinfo=UTC)


def test_pauses_grow_from_seconds_to_an_hour() -> None:
    pauses = [next_try(tries, NOW) - NOW for tries in range(1, 100)]
    assert pauses == sorted(pauses)
    assert pauses[0] == timedelta(seconds=5)
    assert pauses[-1] == timedelta(hours=1)


def test_nobody_gives_up_before_three_days() -> None:
    assert not is_hopeless(NOW, NOW + timedelta(days=3) - timedelta(seconds=1))
    assert is_hopeless(NOW, NOW + timedelta(days=3))
