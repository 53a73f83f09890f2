"""How much of what a checker's clock shows is believed, and when the check is late."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from domain.check_clock import EVERY, LATE_AFTER, READINGS, Reading, believed, expiries_wait, is_late

NOW = datetime(2026, 7, 6, 8, tzinfo=UTC)


def read(checker: str, **before: float) -> Reading:
    return Reading(checker, NOW - timedelta(**before))


@pytest.mark.parametrize(
    ("readings", "expected"),
    [
        ([read("a", minutes=15)], timedelta(minutes=15)),
        ([read("a", days=30), read("a", days=29)], timedelta(days=30)),
        ([read("a", hours=-2), read("a", hours=5)], timedelta()),
        ([read("b", minutes=7), read("a", minutes=15)], timedelta(minutes=15)),
        ([read("b", hours=2), read("a", minutes=15), read("b", days=1)], timedelta(hours=2)),
    ],
)
def test_the_earliest_of_this_clock_its_last_reading_and_the_last_one_of_every_other(
    readings: list[Reading], expected: timedelta
) -> None:
    assert NOW - believed(NOW, "a", readings) == expected


def test_with_nothing_to_compare_with_nothing_is_over() -> None:
    assert believed(NOW, "a", []) < NOW - timedelta(days=10_000)


def test_a_checker_that_has_gone_is_waited_for_until_so_many_ran_without_it() -> None:
    since = [read("a", minutes=15 * number) for number in range(1, READINGS)]
    gone = read("b", days=2)
    assert believed(NOW, "a", [*since, gone]) == gone.at
    assert believed(NOW, "a", [*since, read("a", hours=2), gone]) == NOW - EVERY


def test_expiries_wait_when_what_is_believed_is_more_than_an_hour_behind() -> None:
    assert not expiries_wait(NOW - timedelta(hours=1), NOW)
    assert expiries_wait(NOW - timedelta(hours=1, microseconds=1), NOW)


def test_the_check_is_late_after_two_and_a_half_intervals_and_never_when_nothing_is_under_way() -> None:
    assert not is_late(NOW - LATE_AFTER, NOW)
    assert is_late(NOW - LATE_AFTER - timedelta(microseconds=1), NOW)
    assert not is_late(None, NOW)
