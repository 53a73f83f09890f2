"""Every statement of the hot paths finds its rows by an index, on both databases, however much there is by then."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, event, text

from models.database import Database
from operations.chart import chart
from operations.explain_rollout import explain_rollout
from operations.looks import looks_due
from operations.take_turns import take_turns
from tests.company import KEYS, ROLES, SIGN_OFF, Company
from tests.delivering import post
from tests.fakes import FakeSender

GROWING = (
    *("rollouts", "stages", "gates", "requests", "links", "decisions", "lapses", "conditions", "measurements"),
    *("attachments", "claims", "audit_entries", "messages"),
)
"""Tables with rows for every rollout. The others have rows for people, plans and services."""
Statement = tuple[str, Any]

PLAN = f"""
plan: everything-hot
title: Everything that is hot
{ROLES}
stages:
  - id: first
    title: First
    stalled_after: 3 days
    gates:
      - {{id: gate, title: The gate, {SIGN_OFF}, quorum: all, remind: every 2 days,
          escalate: [{{after: 5 days, to: chair}}], expires: {{after: 20 days}}}}
      - {{id: numbers, title: Numbers, kind: measurement, metric: hits, measured_by: finance, at_least: 70}}
  - id: second
    title: Second
    gates:
      - {{id: last, title: The last, {SIGN_OFF}}}
"""


@contextmanager
def listened_to(db: Database) -> Iterator[dict[str, Any]]:
    """Each different statement that is executed meanwhile, with what it was given."""
    heard: dict[str, Any] = {}

    def listen(
        connection: object, cursor: object, statement: str, parameters: Any, context: object, many: bool
    ) -> None:
        if statement.split(maxsplit=1)[0] in ("SELECT", "UPDATE", "DELETE", "WITH"):
            heard[statement] = parameters[0] if many else parameters

    event.listen(db.engine, "before_cursor_execute", listen)
    try:
        yield heard
    finally:
        event.remove(db.engine, "before_cursor_execute", listen)


def explained(connection: Connection, statement: str, given: Any) -> list[str]:
    """Name the growing tables that a statement reads from one end to the other."""
    if connection.dialect.name == "sqlite":
        return _scanned_in_sqlite(connection, statement, given)
    return _scanned_in_postgresql(connection, statement, given)


def _scanned_in_sqlite(connection: Connection, statement: str, given: Any) -> list[str]:
    """What SQLite plans to do: https://sqlite.org/eqp.html."""
    partial = set(
        connection.scalars(text("SELECT name FROM sqlite_master WHERE type = 'index' AND sql LIKE '%WHERE%'"))
    )
    named = {alias: table for table in GROWING for alias in (table, f"{table}_1", f"{table}_2")}
    rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", given).all()
    steps = [row.detail.split() for row in rows]
    return [step[1] for step in steps if step[0] == "SCAN" and step[1] in named and step[-1] not in partial]


def _scanned_in_postgresql(connection: Connection, statement: str, given: Any) -> list[str]:
    """What PostgreSQL would do in a large table: it is told that reading a table from end to end costs a fortune."""
    partial = set(connection.scalars(text("SELECT indexname FROM pg_indexes WHERE indexdef LIKE '% WHERE %'")))
    connection.execute(text("SET LOCAL enable_seqscan = off"))
    [row] = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", given).scalars().all()
    found: list[str] = []
    nodes = [row[0]["Plan"]]
    while nodes:
        node = nodes.pop()
        nodes += node.get("Plans", [])
        whole = "Scan" in node["Node Type"] and "Index Cond" not in node and node.get("Index Name") not in partial
        if whole and node.get("Relation Name") in GROWING and node["Node Type"] != "Bitmap Heap Scan":
            found.append(node["Relation Name"])
    return found


def everything_hot(company: Company) -> dict[str, Callable[[], object]]:
    """What people and the clock do all day, each by its name."""
    db = company.db

    def deciding() -> None:
        for person in ("anna@example.com", "ben@example.com", "carla@example.com"):
            company.decides(person)
        company.measures("hits", "80")

    def checking() -> None:
        for _ in range(8):
            company.later(days=1)
            company.checks()

    return {
        "starting": lambda: company.start(PLAN),
        "the mails": lambda: post(company, FakeSender()).deliver_all(),
        "the check": checking,
        "explaining": lambda: explain_rollout(db, company.rollout_id, company.now),
        "showing": company.rollout,
        "painting": lambda: chart(db, company.rollout_id, company.now),
        "deciding": deciding,
        "their mails": lambda: post(company, FakeSender()).deliver_all(),
        "taking turns": lambda: take_turns(db, KEYS, company.now),
        "looking": lambda: looks_due(db, company.now),
    }


def test_no_table_that_grows_with_the_rollouts_is_read_from_one_end_to_the_other(new_db: Database) -> None:
    db = new_db
    company = Company(db)
    company.start(PLAN)
    scanned: dict[str, str] = {}
    for name, do in everything_hot(company).items():
        with listened_to(db) as heard:
            do()
        assert heard or name == "looking"
        with db.engine.connect() as connection:
            for statement, given in heard.items():
                for table in explained(connection, statement, given):
                    scanned[statement] = f"{name}: {table} in {' '.join(statement.split())}"
    assert not scanned, "\n\n".join(scanned.values())
