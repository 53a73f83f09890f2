"""What is looked at after a commit: nobody waits for it, and it needs no more than the transaction has not read."""

from __future__ import annotations

import threading
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from sqlalchemy import event, func, insert, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from domain.errors import LinkUnknown
from models.appending import append
from models.changes import Changes
from models.checks import CheckRun
from models.database import BUSY_TIMEOUT_SECONDS, CACHE_KIBIBYTES, Database
from models.requests import Link
from models.write_turn import WRITE_AT_ONCE

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


def add(session: Session) -> CheckRun:
    run = CheckRun(started_at=NOW, report={})
    session.add(run)
    return run


def test_others_write_while_somebody_looks_at_what_they_have_committed(db: Database) -> None:
    def look(session: Session, run: CheckRun) -> int:
        found = session.scalars(select(CheckRun)).all()
        with db.write() as other:  # waits for nobody
            add(other)
        assert found == [run]
        return len(found)

    assert db.write_then_read(add, look) == 1
    with db.read() as session:
        assert len(session.scalars(select(CheckRun)).all()) == 2


def test_what_is_looked_at_changes_nothing(db: Database) -> None:
    def look(session: Session, run: CheckRun) -> None:
        add(session)
        session.flush()

    with pytest.raises(RuntimeError, match="only to be looked at"):
        db.write_then_read(add, look)
    with db.read() as session:
        assert len(session.scalars(select(CheckRun)).all()) == 1


def test_a_row_that_is_given_what_it_has_is_not_changed(db: Database) -> None:
    def look(session: Session, run: CheckRun) -> int:
        run.started_at = run.started_at
        session.flush()
        return len(session.scalars(select(CheckRun)).all())

    assert db.write_then_read(add, look) == 1


def test_nothing_is_appended_where_only_looked(db: Database) -> None:
    with pytest.raises(RuntimeError, match="only to be looked at"):
        db.write_then_read(add, lambda session, run: append(session, Link, token_hash="1"))


def test_whoever_waits_for_commits_hears_before_anything_is_looked_at(db: Database) -> None:
    with Changes(db) as changes:
        changes.wait(0)
        assert db.write_then_read(add, lambda session, run: changes.wait(5))


def test_what_is_looked_at_is_so_though_nobody_could_be_told(db: Database) -> None:
    """The connection has broken: all is committed, and another connection looks."""
    if db.is_sqlite:
        pytest.skip("nobody is told by the database")

    def add_and_break(session: Session) -> CheckRun:
        backend = session.scalar(text("SELECT pg_backend_pid()"))
        event.listen(session, "after_commit", lambda _: end(backend))
        return add(session)

    def end(backend: int | None) -> None:
        with db.engine.connect() as other:
            assert other.scalar(select(func.pg_terminate_backend(backend, 10_000)))

    def look(session: Session, run: CheckRun) -> int:
        return len(session.scalars(select(CheckRun)).all())

    assert db.write_then_read(add_and_break, look) == 1


def test_a_single_statement_is_a_transaction_by_itself(db: Database) -> None:
    statement = insert(CheckRun).values(started_at=NOW, report={})
    with Changes(db) as changes:
        changes.wait(0)
        with db.write_at_once() as session:
            session.execute(statement)
        assert changes.wait(5)
    with suppress(ValueError), db.write_at_once(telling=False) as session:
        session.execute(statement)
        raise ValueError
    with db.read() as session:
        assert len(session.scalars(select(CheckRun)).all()) == (1 if db.is_sqlite else 2)


def test_a_single_statement_that_the_database_refuses_harms_nothing(db: Database) -> None:
    with pytest.raises(IntegrityError), db.write_at_once() as session:
        session.execute(insert(Link).values(token_hash="1", request_id="nobody's", number=1, key_id="", created_at=NOW))
    assert db.write_then_read(add, lambda session, run: len(session.scalars(select(CheckRun)).all())) == 1


def test_nothing_is_looked_at_when_nothing_is_committed(db: Database) -> None:
    def change(session: Session) -> None:
        add(session)
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        db.write_then_read(change, lambda session, _: pytest.fail("looked at what was rolled back"))
    with db.read() as session:
        assert session.scalars(select(CheckRun)).all() == []


def test_the_server_keeps_what_it_has_prepared(db: Database) -> None:
    """The driver drops all of it at a rollback, so looking must not end in one."""
    if db.is_sqlite:
        pytest.skip("nothing is prepared beyond the statement")
    for _ in range(20):
        with suppress(LinkUnknown), db.read() as session:
            session.scalars(select(CheckRun).where(CheckRun.started_at == NOW)).all()
            raise LinkUnknown()  # nor must what is refused after it
    with db.read() as session:
        prepared = session.execute(text("SELECT statement FROM pg_prepared_statements")).scalars().all()
    assert any("check_runs" in statement for statement in prepared)


def test_nobody_waits_for_ever_for_what_another_one_has_locked(db: Database) -> None:
    show = "PRAGMA busy_timeout" if db.is_sqlite else "SHOW lock_timeout"
    with db.write() as session:
        waits = session.execute(text(show)).scalar_one()
    assert waits == (BUSY_TIMEOUT_SECONDS * 1000 if db.is_sqlite else f"{BUSY_TIMEOUT_SECONDS}s")


def test_a_connection_keeps_little_of_the_file_in_its_memory(db: Database) -> None:
    if not db.is_sqlite:
        pytest.skip("PostgreSQL keeps what was read in its own memory")
    with db.read() as session:
        assert session.execute(text("PRAGMA cache_size")).scalar_one() == -CACHE_KIBIBYTES


def test_only_so_many_threads_of_a_process_write_at_once(db: Database) -> None:
    at_once = 1 if db.is_sqlite else WRITE_AT_ONCE
    inside, leave = threading.Semaphore(0), threading.Event()

    def write() -> None:
        with db.write() as session:
            add(session)
            inside.release()
            leave.wait(60)

    writers = [threading.Thread(target=write) for _ in range(at_once + 1)]
    for writer in writers:
        writer.start()
    assert all(inside.acquire(timeout=60) for _ in range(at_once))
    assert not inside.acquire(timeout=0.3)
    leave.set()
    assert inside.acquire(timeout=60)
    for writer in writers:
        writer.join()
