"""How much of what a checker's clock shows is believed, and when the check is late."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.check_clock import READINGS, Reading, believed, expiries_wait
from domain.lateness import CHECK_EVERY as EVERY

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


JUMPS = [timedelta(hours=-2), timedelta(minutes=-30), timedelta(minutes=30), timedelta(hours=2), timedelta(days=1)]


def trusted(runs: list[tuple[str, timedelta]]) -> list[timedelta]:
    """Of runs a quarter of an hour apart, each a checker and how far its clock is off: how far behind the truth each
    believes to be."""
    readings: list[Reading] = []
    behind = []
    for number, (checker, off) in enumerate(runs):
        true = NOW + number * EVERY
        behind.append(true - believed(true + off, checker, readings))
        readings.insert(0, Reading(checker, true + off))
    return behind


@given(st.lists(st.sampled_from([timedelta()] * 3 + JUMPS), min_size=2, max_size=60))
def test_a_clock_that_jumps_for_one_run_is_never_ahead_and_two_right_runs_are_enough(jumps: list[timedelta]) -> None:
    lasting_one_run = [off if number % 2 else timedelta() for number, off in enumerate(jumps)]
    behind = trusted([("a", off) for off in lasting_one_run])
    assert min(behind) >= timedelta()
    right = [number for number in range(1, len(jumps)) if not any(lasting_one_run[number - 1 : number + 1])]
    assert all(behind[number] == EVERY for number in right)


@given(
    st.lists(st.sampled_from("rfs"), max_size=80),
    st.sampled_from(JUMPS),
    st.sampled_from(JUMPS),
    st.integers(1, READINGS),
)
def test_beside_a_right_clock_no_other_is_believed_when_it_is_ahead(
    order: list[str], first: timedelta, second: timedelta, often: int
) -> None:
    off = {"r": timedelta(), "f": first, "s": second}
    between = [[*order[at : at + often - 1], "r"] for at in range(0, len(order), max(1, often - 1))]
    behind = trusted([(checker, off[checker]) for run in between for checker in run])
    assert min(behind[often:], default=timedelta()) >= timedelta()


@given(st.integers(1, 30), st.integers(1, 30))
def test_a_frozen_clock_holds_expiries_back_until_it_moves_again(before: int, frozen: int) -> None:
    runs = [timedelta()] * before + [-number * EVERY for number in range(1, frozen + 1)] + [timedelta()] * 2
    behind = trusted([("a", off) for off in runs])
    assert min(behind) >= timedelta()
    assert behind[-1] == EVERY
