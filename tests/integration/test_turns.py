"""Of all who want to do the same on one database, one does it at a time; another takes over however that one went."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import psycopg
import pytest
from sqlalchemy import text

from domain.lateness import CHECK_MAY_REST
from models.database import Database
from models.turns import Turn
from operations.report_late_check import report_late_check
from tests.company import Company
from tests.integration.test_two_at_once import race
from tests.other_process import another_process
from tests.sample_plans import SIGN_OFF, one_gate

HOLDS_THE_TURN = """
import sys, time
from models.database import Database
from models.turns import Turn
turn = Turn(Database(sys.argv[1]), sys.argv[2])
print(turn.is_mine(), flush=True)
time.sleep(60)
"""


def holding(db: Database, name: str) -> AbstractContextManager[subprocess.Popen[str]]:
    """A process that has the turn, as it has said."""
    return another_process(HOLDS_THE_TURN, db.url, name, says="True")


def within(seconds: float, holds: Callable[[], bool]) -> bool:
    until = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


def test_one_of_two_has_the_turn_until_it_gives_it_back(db: Database) -> None:
    with Turn(db, "paint") as one, Turn(db, "paint") as other:
        assert [one.is_mine(), other.is_mine(), one.is_mine(), other.is_mine()] == [True, False, True, False]
        one.give_back()
        assert [other.is_mine(), one.is_mine()] == [True, False]


def test_of_many_at_once_one_has_the_turn(db: Database) -> None:
    turns = [Turn(db, "paint") for _ in range(8)]
    assert race([turn.is_mine for turn in turns]).count(True) == 1
    for turn in turns:
        turn.give_back()


def test_the_turns_of_two_things_are_two(db: Database) -> None:
    with Turn(db, "paint") as one, Turn(db, "ask") as other:
        assert one.is_mine() and other.is_mine()


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_the_turn_of_a_process_that_dies_is_free_within_seconds(db: Database, end: signal.Signals) -> None:
    with holding(db, "paint") as process, Turn(db, "paint") as turn:
        assert not turn.is_mine()
        process.send_signal(end)
        assert within(5, turn.is_mine)


def test_a_process_that_is_stopped_keeps_its_turn(db: Database) -> None:
    with holding(db, "paint") as process, Turn(db, "paint") as turn:
        process.send_signal(signal.SIGSTOP)
        assert not within(1, turn.is_mine)


def test_whoever_has_lost_the_session_with_the_turn_hears_of_it_and_another_one_has_it(db: Database) -> None:
    if db.is_sqlite:
        pytest.skip("a file is not lost while its process lives")
    with Turn(db, "paint") as one, Turn(db, "paint") as other:
        assert one.is_mine()
        with db.write() as session:
            session.execute(text("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"))
        assert within(5, other.is_mine)
        with pytest.raises(psycopg.OperationalError):
            one.is_mine()
        one.give_back()
        assert not one.is_mine()


def test_a_machine_that_vanishes_is_noticed_by_both_sides_soon(db: Database) -> None:
    if db.is_sqlite:
        pytest.skip("it is the same machine")
    with Turn(db, "paint") as turn:
        assert turn.is_mine()
        session = turn._session
        assert session is not None
        names = ("idle", "interval", "count")
        seen = {
            name: session.execute(f"SELECT reset_val FROM pg_settings WHERE name = 'tcp_keepalives_{name}'").fetchone()
            for name in names
        }
        ours = session.info.get_parameters()
    assert seen == {"idle": ("5",), "interval": ("2",), "count": ("3",)}
    assert {name: ours[f"keepalives_{name}"] for name in names} == {"idle": "5", "interval": "2", "count": "3"}


def test_what_an_address_says_of_its_session_holds_with_the_turn(db: Database) -> None:
    if db.is_sqlite:
        pytest.skip("SQLite has no sessions")
    with_options = Database(f"{db.url}&options=-c%20statement_timeout%3D5s")
    with Turn(with_options, "paint") as turn:
        assert turn.is_mine()
        assert turn._session is not None
        assert turn._session.execute("SHOW statement_timeout").fetchone() == ("5s",)
    with_options.close()


def test_two_who_watch_the_check_say_once_that_it_is_late(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(SIGN_OFF))
    began = company.now
    company.later(minutes=CHECK_MAY_REST / timedelta(minutes=1) + 1)

    def watch() -> list[str]:
        with Turn(db, "watch_the_check") as turn:
            return report_late_check(db, company.now, began) if turn.is_mine() else []

    told = [person for watched in race([watch] * 4) if isinstance(watched, list) for person in watched]
    assert len(told) == 1
