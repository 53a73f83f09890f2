"""The check under clocks that are wrong, several at once, dying half-way, and after a long absence.

Time is simulated: what is true, and what each checker's clock shows. That a wrong clock is never believed is proved run
by run in tests/unit/test_check_clock.py; here it is what becomes of gates. What nobody can tell is not claimed: when no
clock is right, or the only right one jumps in the same moment, something may expire early.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta
from functools import partial
from random import Random

import pytest
from sqlalchemy.orm import Session

from domain.check_clock import READINGS
from domain.lateness import CHECK_EVERY as EVERY
from models.database import Database
from models.gates import current_gates
from operations.check_stalled import CheckReport, check_stalled
from tests.company import KEYS, MONDAY, Company
from tests.integration.test_two_at_once import race
from tests.sample_plans import SIGN_OFF, one_gate

HOURS_TO_EXPIRE = (2, 3, 5)
JUMPS = [timedelta(hours=-2), timedelta(minutes=-30), timedelta(minutes=30), timedelta(hours=2), timedelta(days=1)]
ANNA = "anna@example.com"


def timed(hours: int) -> str:
    return one_gate(
        f"{SIGN_OFF}, quorum: all, remind: every 1 hour, escalate: [{{after: 90 minutes, to: chair}}], "
        f"expires: {{after: {hours} hours}}"
    )


class Simulation:
    """Three rollouts with one gate each, the true time, and checkers whose clocks show what they are told to."""

    def __init__(self, db: Database) -> None:
        self.company = Company(db)
        self.deadlines = {
            self.company.start(timed(hours)): MONDAY + timedelta(hours=hours) for hours in HOURS_TO_EXPIRE
        }
        self.true = MONDAY
        self.reports: list[CheckReport] = []

    def runs(self, checker: str = "a", off: timedelta = timedelta(), at: datetime | None = None) -> None:
        """Run the check a quarter of an hour after the one before, by a clock that is off, or stands still."""
        self.true += EVERY
        self.reports.append(check_stalled(self.company.db, KEYS, at or self.true + off, checker))
        assert self.reports[-1].failed == 0
        early = [rollout for rollout in self.expired() if self.true < self.deadlines[rollout]]
        assert not early

    def expired(self) -> list[str]:
        return [rollout for rollout in self.deadlines if self._actions(rollout).count("gate.expired")]

    def overdue(self) -> list[str]:
        return [rollout for rollout, deadline in self.deadlines.items() if deadline <= self.true]

    def is_told_once(self) -> None:
        """One reminder for each due date at most, one escalation, one expiry."""
        for rollout in self.deadlines:
            actions = self._actions(rollout)
            assert actions.count("gate.escalated") <= 1
            assert actions.count("gate.expired") <= 1
            due = [message.dedup_key.rsplit("/")[-1] for message in self.company.messages("reminder", ANNA)]
            assert len(due) == len(set(due)) == actions.count("gate.reminded")

    def _actions(self, rollout: str) -> list[str]:
        self.company.rollout_id = rollout
        return self.company.actions()


@pytest.mark.parametrize("seed", range(3))
def test_a_clock_that_jumps_expires_nothing_early_and_everything_within_two_right_runs(db: Database, seed: int) -> None:
    chance, simulation = Random(seed), Simulation(db)
    right_in_a_row = 0
    for _ in range(24):
        jumps = right_in_a_row > 0 and chance.random() < 0.3
        right_in_a_row = 0 if jumps else right_in_a_row + 1
        before = simulation.overdue()
        simulation.runs(off=chance.choice(JUMPS) if jumps else timedelta())
        if right_in_a_row >= 2:
            assert set(before) <= set(simulation.expired())
    simulation.is_told_once()


def test_a_frozen_clock_expires_nothing_early_and_what_it_missed_within_two_runs(db: Database) -> None:
    simulation = Simulation(db)
    for _ in range(6):
        simulation.runs()
    stands = simulation.true
    for _ in range(20):
        simulation.runs(at=stands)
    assert simulation.expired() == []
    simulation.runs()
    simulation.runs()
    assert simulation.expired() == list(simulation.deadlines)
    simulation.is_told_once()


@pytest.mark.parametrize("seed", range(3))
def test_of_several_checkers_the_right_one_decides_and_a_wrong_one_that_stops_is_forgotten(
    db: Database, seed: int
) -> None:
    chance, simulation = Random(seed), Simulation(db)
    off = {"right": timedelta(), "wrong": chance.choice(JUMPS), "third": chance.choice(JUMPS)}
    checkers = ["right", "wrong", "third"][: 2 + seed % 2]
    for number in range(24):
        checker = "right" if number % (READINGS - 1) == 0 else chance.choice(checkers)
        simulation.runs(checker, off[checker])
    for _ in range(READINGS + 1):
        simulation.runs("right")
    assert simulation.expired() == list(simulation.deadlines)
    simulation.is_told_once()


def test_after_thirty_days_each_gate_is_reminded_once_and_has_the_right_state_within_two_runs(db: Database) -> None:
    simulation = Simulation(db)
    simulation.runs()
    simulation.true += timedelta(days=30)
    simulation.runs()
    assert (simulation.reports[-1].reminded, simulation.reports[-1].expired) == (3, 0)
    assert simulation.reports[-1].expiries_wait
    simulation.runs()
    assert (simulation.reports[-1].reminded, simulation.reports[-1].expired) == (0, 3)
    simulation.is_told_once()


def test_several_checkers_at_once_after_thirty_days_do_each_thing_once(db: Database) -> None:
    simulation = Simulation(db)
    simulation.true += timedelta(days=30)
    for _ in range(2):
        now = simulation.true = simulation.true + EVERY
        race([partial(check_stalled, db, KEYS, now, name) for name in "abcd"])
    simulation.runs("a")
    assert simulation.expired() == list(simulation.deadlines)
    for rollout in simulation.deadlines:
        simulation.company.rollout_id = rollout
        assert len(simulation.company.messages("reminder", ANNA)) <= 1
    simulation.is_told_once()


class Killed(BaseException):
    """What ends a process in the middle of something; no part of the check catches it."""


@pytest.fixture
def dying(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], None]]:
    """Let the check die in its so-manieth transaction, before that is committed."""
    write, left = Database.write, [0]

    def until_it_dies(db: Database) -> AbstractContextManager[Session]:
        left[0] -= 1
        return _dies_at_the_end(write(db)) if left[0] == 0 else write(db)

    def die_in(step: int) -> None:
        left[0] = step

    monkeypatch.setattr(Database, "write", until_it_dies)
    yield die_in
    left[0] = 0


@contextmanager
def _dies_at_the_end(transaction: AbstractContextManager[Session]) -> Iterator[Session]:
    with transaction as session:
        yield session
        raise Killed


@pytest.mark.parametrize("step", range(1, 6))  # begin, one transaction for each rollout, finish
def test_a_check_that_dies_at_any_step_leaves_the_rest_to_the_next_two_and_repeats_nothing(
    db: Database, dying: Callable[[int], None], step: int
) -> None:
    simulation = Simulation(db)
    simulation.true += timedelta(days=30)
    dying(step)
    with pytest.raises(Killed):
        simulation.runs()
    simulation.runs()
    simulation.runs()
    assert simulation.expired() == list(simulation.deadlines)
    simulation.is_told_once()


def test_times_that_are_set_anew_after_a_clock_was_ahead_remind_nobody_twice_and_fail_nothing(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(f"{SIGN_OFF}, remind: every 2 days"))
    company.later(days=3)
    company.checks()
    with db.write() as session:  # as when its times are reckoned anew by a clock that is right again
        gate = session.scalars(current_gates(company.rollout_id)).one()
        gate.remind_at = MONDAY + timedelta(days=2)
    company.later(days=-1)
    assert company.checks().failed == 0
    assert len(company.messages("reminder", ANNA)) == 1
    assert company.actions().count("gate.reminded") == 1
