"""Hearing of commits: every thread of a process does, by one connection, and hears again after that was lost."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import psycopg
import pytest
from sqlalchemy import text

from models import changes as changes_module
from models.changes import Changes
from models.checks import CheckRun
from models.database import Database
from tests.postgres import Postgres

SOON = 10.0
AT_ONCE = 0.05
LOSE_IT = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE query = 'LISTEN etappe' AND datname = current_database()
"""


def commit(db: Database) -> None:
    with db.write() as session:
        session.add(CheckRun(started_at=datetime.now(UTC), report={}))


def test_the_first_look_is_at_once_and_the_next_one_after_a_commit(db: Database) -> None:
    with Changes(db) as changes:
        assert changes.wait(SOON)
        assert not changes.wait(AT_ONCE)
        commit(db)
        assert changes.wait(SOON)
        assert not changes.wait(AT_ONCE)


def test_what_was_committed_while_nobody_waited_is_not_missed(db: Database) -> None:
    with Changes(db) as one, Changes(db) as another:
        one.wait(SOON)
        another.wait(SOON)
        commit(db)
        assert one.wait(SOON)
        assert another.wait(SOON)


def test_who_lets_others_go_first_is_told_later_and_once_of_all_until_then(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes_module, "LATER_SECONDS", 2.0)
    with Changes(db) as first, Changes(db, later=True) as others:
        first.wait(SOON)
        assert others.wait(SOON)
        for _ in range(2):
            commit(db)
            assert first.wait(SOON)
            assert not others.wait(0)
        assert others.wait(SOON)
        assert not others.wait(AT_ONCE)


def test_one_connection_listens_for_all_threads(db: Database) -> None:
    heard: list[bool] = []

    def listen() -> None:
        with Changes(db) as changes:
            changes.wait(SOON)
            ready.wait(SOON)
            heard.append(changes.wait(SOON))

    ready = threading.Barrier(6)
    threads = [threading.Thread(target=listen) for _ in range(5)]
    for thread in threads:
        thread.start()
    ready.wait(SOON)
    assert sum(thread.name == "changes" for thread in threading.enumerate()) == 1
    commit(db)
    for thread in threads:
        thread.join(SOON)
    assert heard == [True] * 5
    assert not any(thread.name == "changes" for thread in threading.enumerate())


def test_whoever_waits_is_told_when_the_connection_is_lost_and_can_listen_anew(postgres: Postgres) -> None:
    db = Database(postgres.create(template="etappe_template"))
    with Changes(db) as changes:
        changes.wait(SOON)
        with db.read() as session:
            assert session.scalars(text(LOSE_IT)).all() == [True]
        with pytest.raises(psycopg.OperationalError):
            changes.wait(SOON)
        changes.close()
        assert changes.wait(SOON)
        commit(db)
        assert changes.wait(SOON)
    db.close()
