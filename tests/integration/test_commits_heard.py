"""Hearing of commits: each one, by whomever, and nothing else."""

from __future__ import annotations

import sqlite3

from models.changes import Changes
from models.database import Database
from tests.company import Company
from tests.sample_plans import SIGN_OFF, one_gate


def test_each_commit_is_heard_at_once_and_silence_is_none(db: Database) -> None:
    company = Company(db)
    with Changes(db) as changes:
        assert changes.wait(0)  # nothing is known of what came before
        for _ in range(3):
            company.start(one_gate(SIGN_OFF))
            assert changes.wait(5)
            *_, last = [changes.wait(0.05) for _ in range(5)]  # it may have taken several transactions
            assert not last


def test_listening_keeps_no_transaction_open(db: Database) -> None:
    """One that stays open would let the write-ahead log of SQLite grow for as long as the relay runs."""
    company = Company(db)
    with Changes(db) as changes:
        assert changes.wait(0)
        company.start(one_gate(SIGN_OFF))
        assert changes.wait(5)
        assert not db.is_sqlite or everything_is_in_the_file(db)


def everything_is_in_the_file(db: Database) -> bool:
    connection = sqlite3.connect(db.url.removeprefix("sqlite:///"))
    try:
        blocked, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    finally:
        connection.close()
    return not blocked
