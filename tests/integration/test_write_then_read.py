"""What is looked at after a commit: nobody waits for it, and it needs no more than the transaction has not read."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.checks import CheckRun
from models.database import Database

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

    db.write_then_read(add, look)
    with db.read() as session:
        assert len(session.scalars(select(CheckRun)).all()) == 1


def test_nothing_is_looked_at_when_nothing_is_committed(db: Database) -> None:
    def change(session: Session) -> None:
        add(session)
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        db.write_then_read(change, lambda session, _: pytest.fail("looked at what was rolled back"))
    with db.read() as session:
        assert session.scalars(select(CheckRun)).all() == []
