"""Databases filled with copies of one rollout that was really started: thousands of them within seconds.

The copies are made inside the database. Whatever names a row is made anew for each copy: numbers move on, and texts
become as scattered as the real ones are, so that indexes are as large and as unordered.
"""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Column, Connection, Integer, Table, make_url, text

from models.base import Base
from models.database import Database
from models.gates import GateRow
from models.outbox import Message
from models.prefect_page import Bar
from models.record import AuditEntry
from models.requests import Link, Request
from models.rollouts import Rollout, StageRow
from tests.postgres import Postgres

TABLES: Sequence[type[Base]] = (Rollout, StageRow, GateRow, Request, Link, AuditEntry, Message, Bar)
"""What a rollout that waits has rows in, in an order in which they may be written."""
STEP = 1000
"""How far numbers move on from one copy to the next: no rollout has as many rows of a kind."""
UNIQUE = 12
"""So many letters of a hash are different for every copy; the eight of a rollout's id would not be."""
_NAMES = {"id", "rollout_id", "stage_id", "gate_id", "subject_id", "request_id", "token_hash", "dedup_key",
          "flow_run_id", "task_run_id"}  # fmt: skip
_UUIDS = {"flow_run_id", "task_run_id"}


Copies = Callable[[str], str]
"""Gives the address of an empty database for "", else that of a fresh copy of the database at this address."""


def sqlite_copies(folder: Path) -> Copies:
    """Return what makes databases of SQLite in this folder."""

    def copy(of: str) -> str:
        path = folder / f"{time.monotonic_ns()}.db"
        if of:
            shutil.copy(of.removeprefix("sqlite:///"), path)
        return f"sqlite:///{path}"

    return copy


def postgres_copies(server: Postgres) -> Copies:
    """Return what makes databases on this server."""
    return lambda of: server.create(template=(make_url(of).database if of else "") or "template1")


def copy_rollout(db: Database, rollout_id: str, numbers: range) -> None:
    """Write a copy of a waiting rollout for each of these numbers, from 1 on; the same number twice collides."""
    with db.write() as session:
        connection = session.connection()
        if db.is_sqlite:
            raw: Any = connection.connection.driver_connection
            raw.create_function("md5", 1, _md5, deterministic=True)
        given = {"of": rollout_id, "first": numbers.start, "last": numbers.stop - 1}
        for model in TABLES:
            connection.execute(text(_copying(_table(model), db.is_sqlite)), given)
        if not db.is_sqlite:
            _move_sequences(connection)


def analyse(db: Database) -> None:
    """Have the database look at what it holds, as PostgreSQL does by itself after a while, and SQLite when told."""
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))


def scattered_uuid(name: str) -> str:
    """Return SQL for the UUID, as a text, that stands for the one of this column in the copy with the number `n`."""
    scattered = f"md5(n || '-' || {name})"
    parts = [f"substr({scattered}, {at}, {length})" for at, length in ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))]
    return " || '-' || ".join(parts)


def _md5(words: str | None) -> str | None:
    return None if words is None else hashlib.md5(words.encode()).hexdigest()


def _table(model: type[Base]) -> Table:
    table = model.__table__
    assert isinstance(table, Table)
    return table


def _copying(table: Table, sqlite: bool) -> str:
    names = ", ".join(column.name for column in table.columns)
    values = ", ".join(_value(column) for column in table.columns)
    counted = "SELECT :first UNION ALL SELECT n + 1 FROM numbers WHERE n < :last"
    if not sqlite:
        counted = "SELECT generate_series(CAST(:first AS bigint), CAST(:last AS bigint))"
    return (
        f"INSERT INTO {table.name} ({names}) WITH RECURSIVE numbers(n) AS ({counted}) "
        f"SELECT {values} FROM {table.name}, numbers WHERE {_of(table)} ORDER BY n"
    )


def _of(table: Table) -> str:
    if table.name == Link.__tablename__:
        return f"request_id IN (SELECT id FROM {Request.__tablename__} WHERE rollout_id = :of)"
    return f"{'id' if table.name == Rollout.__tablename__ else 'rollout_id'} = :of"


def _value(column: Column[Any]) -> str:
    if column.name not in _NAMES:
        return column.name
    if isinstance(column.type, Integer):
        return f"{column.name} + n * {STEP}"
    if column.name in _UUIDS:
        return scattered_uuid(column.name)
    length = f"CASE WHEN length({column.name}) < {UNIQUE} THEN {UNIQUE} ELSE length({column.name}) END"
    return f"substr(md5(n || '-' || {column.name}) || {column.name}, 1, {length})"


def _move_sequences(connection: Connection) -> None:
    for table in (StageRow, GateRow, Message):
        name = table.__tablename__
        connection.execute(text(f"SELECT setval('{name}_id_seq', (SELECT max(id) FROM {name}))"))
