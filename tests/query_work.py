"""What statements do to answer: which tables they read from one end to the other, and how much they read at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, event, text

from models.database import Database

IN_ORDER = frozenset({"ix_rollouts_created_at_id", "ix_rollouts_ended_at_created_at_id"})
"""Indexes that are read from one end, as far as a page reaches."""
READING = ("SELECT", "UPDATE", "DELETE", "WITH")


@contextmanager
def listened_to(db: Database) -> Iterator[dict[str, Any]]:
    """Each different statement that is executed meanwhile, with what it was given."""
    heard: dict[str, Any] = {}

    def listen(
        connection: object, cursor: object, statement: str, parameters: Any, context: object, many: bool
    ) -> None:
        if statement.split(maxsplit=1)[0] in READING and "INSERT INTO" not in statement:
            heard[statement] = parameters[0] if many else parameters

    event.listen(db.engine, "before_cursor_execute", listen)
    try:
        yield heard
    finally:
        event.remove(db.engine, "before_cursor_execute", listen)


def read_from_end_to_end(connection: Connection, statement: str, given: Any, tables: tuple[str, ...]) -> list[str]:
    """Name those of these tables that a statement reads from one end to the other."""
    if connection.dialect.name == "sqlite":
        return _scanned_in_sqlite(connection, statement, given, tables)
    return _scanned_in_postgresql(connection, statement, given, tables)


def _scanned_in_sqlite(connection: Connection, statement: str, given: Any, tables: tuple[str, ...]) -> list[str]:
    """What SQLite plans to do: https://sqlite.org/eqp.html."""
    partial = set(
        connection.scalars(text("SELECT name FROM sqlite_master WHERE type = 'index' AND sql LIKE '%WHERE%'"))
    )
    partial |= IN_ORDER
    named = {alias: table for table in tables for alias in (table, f"{table}_1", f"{table}_2")}
    rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", given).all()
    steps = [row.detail.split() for row in rows]
    return [step[1] for step in steps if step[0] == "SCAN" and step[1] in named and step[-1] not in partial]


def _scanned_in_postgresql(connection: Connection, statement: str, given: Any, tables: tuple[str, ...]) -> list[str]:
    partial = set(connection.scalars(text("SELECT indexname FROM pg_indexes WHERE indexdef LIKE '% WHERE %'")))
    partial |= IN_ORDER
    found: list[str] = []
    for node in _nodes(connection, statement, given, ""):
        whole = "Scan" in node["Node Type"] and "Index Cond" not in node and node.get("Index Name") not in partial
        if whole and node.get("Relation Name") in tables and node["Node Type"] != "Bitmap Heap Scan":
            found.append(node["Relation Name"])
    return found


def _nodes(connection: Connection, statement: str, given: Any, how: str) -> Iterator[dict[str, Any]]:
    """What PostgreSQL would do in a large table: it is told that reading a table from end to end costs a fortune."""
    connection.execute(text("SET LOCAL enable_seqscan = off"))
    [row] = connection.exec_driver_sql(f"EXPLAIN ({how}FORMAT JSON) {statement}", given).scalars().all()
    nodes = [row[0]["Plan"]]
    while nodes:
        node = nodes.pop()
        nodes += node.get("Plans", [])
        yield node


@contextmanager
def counted(db: Database) -> Iterator[dict[str, int]]:
    """How much each different statement that is executed meanwhile reads: the most that it read in one go.

    On SQLite these are the steps of its virtual machine. On PostgreSQL they are the rows that each scan looked at; they
    are known once the block has ended, since each statement is then executed again, and what it changes is taken back.
    """
    work: dict[str, int] = {}
    if db.is_sqlite:
        with _steps_counted(db, work):
            yield work
        return
    with listened_to(db) as heard:
        yield work
    for statement, given in heard.items():
        with db.engine.connect() as connection:
            nodes = list(_nodes(connection, statement, given, "ANALYZE, "))
        work[statement] = sum(map(_rows_looked_at, nodes))


def _rows_looked_at(node: dict[str, Any]) -> int:
    removed = sum(value for name, value in node.items() if name.startswith("Rows Removed by"))
    return int((node["Actual Rows"] + removed) * node["Actual Loops"]) if "Scan" in node["Node Type"] else 0


@contextmanager
def _steps_counted(db: Database, work: dict[str, int]) -> Iterator[None]:
    current, steps = "", 0

    def step() -> None:
        nonlocal steps
        steps += 1
        work[current] = max(work.get(current, 0), steps)

    def begin(connection: Connection, cursor: object, statement: str, *more: object) -> None:
        nonlocal current, steps
        current, steps = statement, 0
        raw: Any = connection.connection.driver_connection
        raw.set_progress_handler(step, 1)

    event.listen(db.engine, "before_cursor_execute", begin)
    try:
        yield
    finally:
        event.remove(db.engine, "before_cursor_execute", begin)
        with db.engine.connect() as connection:
            raw: Any = connection.connection.driver_connection
            raw.set_progress_handler(None, 1)
