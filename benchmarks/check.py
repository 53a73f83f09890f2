"""What one run of the scheduled check costs with 100,000 open gates of which 1 % are due, and with twice as many.

Fills a database with copies of one rollout that was really started: ten gates each, open side by side. Gates that open
together are due together; with “apart” each that is due is in another rollout, which takes ten times the transactions.
Of ten, nine or so are reminded of, the others escalate and expire in turn. Each run is a process of its own, on a fresh
copy, on SQLite (synchronous=FULL) and on PostgreSQL; medians are printed, with the largest memory of a run's process,
what an idle run takes, and what twice the gates cost. Run: python benchmarks/check.py [gates] [runs] [apart]
"""

from __future__ import annotations

import json
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, insert, make_url, select, text, update
from sqlalchemy.orm import DeclarativeBase

sys.path.insert(0, str(Path(__file__).parents[1]))

from models import schema
from models.checks import CheckRun
from models.database import Database
from models.gates import GateRow
from models.outbox import Message
from models.record import AuditEntry
from models.requests import Link, Request
from models.rollouts import Rollout, StageRow
from operations.check_stalled import check_stalled
from operations.import_people import import_people
from operations.start_rollout import Start, start_rollout
from plans.directory import read_directory
from plans.reading import read_plan
from tests.postgres import Postgres

KEYS = (b"a secret that only this benchmark knows",)
STARTED = datetime(2026, 3, 2, 9, tzinfo=UTC)
NOW = STARTED + timedelta(days=1)
GATES_EACH, DUE_IN = 10, 100
BATCH = 200
PEOPLE = (
    "people:\n"
    + "".join(
        f"  - {{email: {name}@example.com, name: {name.title()}, language: de}}\n"
        for name in ("lea", "anna", "ben", "eva")
    )
    + "roles: {board: [anna@example.com, ben@example.com], chair: [eva@example.com]}\n"
)
PLAN = """
plan: ten-gates
title: Ten gates
calendar: {holidays: CH-ZH, time_zone: Europe/Zurich}
roles: {board: {title: Board}, chair: {title: Chair}}
stages:
  - id: only
    title: Only stage
    gates:
""" + "".join(
    f"""
      - {{id: gate-{number}, title: Gate {number}, kind: sign-off, question: "Shall we?", approvers: [board],
         remind: every 2 business days, escalate: [{{after: 5 business days, to: chair}}],
         expires: {{after: 20 business days}}}}"""
    for number in range(GATES_EACH)
)


def main() -> None:
    """Measure both databases with so many gates and twice as many, and print a table."""
    gates = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    titles = ("database", "open gates", "due", "median", "slowest", "own CPU", "memory", "idle")
    print("".join(f"{title:>12}" for title in titles))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(Postgres.running(folder))
        for kind, copies in (("SQLite", _sqlite(folder)), ("PostgreSQL", _postgres(server))):
            medians = [_measure(kind, copies, count, runs) for count in (gates, 2 * gates)]
            print(f"{kind:>12}: twice the gates cost {medians[1] / medians[0]:.2f} times")


Copies = Callable[[str], str]
"""Gives the address of an empty database for "", else that of a fresh copy of the database at this address."""


def _sqlite(folder: Path) -> Copies:
    def copy(of: str) -> str:
        path = folder / f"{time.monotonic_ns()}.db"
        if of:
            shutil.copy(of.removeprefix("sqlite:///"), path)
        return f"sqlite:///{path}"

    return copy


def _postgres(server: Postgres) -> Copies:
    return lambda of: server.create(template=(make_url(of).database if of else "") or "template1")


def _measure(kind: str, copy: Copies, gates: int, runs: int) -> float:
    filled = copy("")
    due = _fill(filled, gates)
    found = [_in_a_process(copy(filled)) for _ in range(runs)]
    seconds = [one["seconds"] for one in found]
    assert all(one["did"] == due for one in found), (due, found)
    median = statistics.median(seconds)
    idle, cpu = (statistics.median(one[what] for one in found) for what in ("idle", "cpu"))
    memory = max(one["memory"] for one in found)
    spans = [f"{span:.2f} s" for span in (median, max(seconds), cpu)]
    cells = (kind, f"{gates:,}", f"{due:,}", *spans, f"{memory:.0f} MB", f"{idle:.2f} s")
    print("".join(f"{cell:>12}" for cell in cells), flush=True)
    return median


def _in_a_process(url: str) -> dict[str, float]:
    answer = subprocess.run([sys.executable, __file__, "--check", url], capture_output=True, text=True, check=False)
    if answer.returncode:
        raise SystemExit(answer.stderr)
    found: dict[str, float] = json.loads(answer.stdout)
    return found


def check(url: str) -> None:
    """Run the check once on this database, and once more when nothing is due; print seconds, memory and what it did."""
    db = Database(url)
    began, busy = time.perf_counter(), time.process_time()
    report = check_stalled(db, KEYS, NOW)
    seconds, cpu = time.perf_counter() - began, time.process_time() - busy
    assert not report.failed
    began = time.perf_counter()
    assert check_stalled(db, KEYS, NOW).reminded == 0
    idle = time.perf_counter() - began
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    did = report.reminded + report.escalated + report.expired
    print(json.dumps({"seconds": seconds, "cpu": cpu, "idle": idle, "memory": memory, "did": did}))
    db.close()


def _fill(url: str, gates: int) -> int:
    """Fill a database with copies of a rollout, bring some gates' times forward, and return how many are due."""
    db = Database(url)
    schema.upgrade(db)
    import_people(db, read_directory(PEOPLE, "people.yaml"), STARTED)
    start = Start(read_plan(PLAN, "plan.yaml"), PLAN, "Ten gates", "lea@example.com")
    template = start_rollout(db, KEYS, start, STARTED)
    with db.engine.begin() as connection:
        _copy(connection, template, gates // GATES_EACH - 1)
        connection.execute(update(Message).values(state="sent"))
        due = _bring_forward(connection, gates)
        connection.execute(insert(CheckRun), [{"started_at": NOW, "finished_at": NOW, "report": {}, "checker": ""}])
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))
    db.close()
    return due


def _copy(connection: Connection, template: str, times: int) -> None:
    rows: dict[type[DeclarativeBase], list[dict[str, Any]]] = {
        table: _rows(connection, table, template)
        for table in (Rollout, StageRow, GateRow, Request, Link, AuditEntry, Message)
    }
    if connection.dialect.name == "postgresql":
        for numbered in (StageRow, GateRow, Message):
            last = max(row["id"] for row in rows[numbered]) + (times + 1) * 1000
            connection.execute(text(f"SELECT setval('{numbered.__tablename__}_id_seq', {last})"))
    for numbers in _batches(range(1, times + 1)):
        for table, originals in rows.items():
            connection.execute(insert(table), [_renumbered(table, row, n) for n in numbers for row in originals])


def _rows(connection: Connection, table: type[DeclarativeBase], rollout_id: str) -> list[dict[str, Any]]:
    """A rollout's rows of a table; links know no rollout, and there is only this one yet."""
    columns = table.__table__.c
    key = columns.id if table is Rollout else columns.get("rollout_id")
    rows = select(table.__table__) if key is None else select(table.__table__).where(key == rollout_id)
    return [dict(row) for row in connection.execute(rows).mappings()]


def _renumbered(table: type[DeclarativeBase], row: dict[str, Any], number: int) -> dict[str, Any]:
    """The same row of another rollout: numbers move on by a thousand a copy, and names begin with its number."""
    return {name: _another(table.__table__.c[name].type, value, number) if name in _IDS else value
            for name, value in row.items()}  # fmt: skip


_IDS = {"id", "rollout_id", "stage_id", "gate_id", "request_id", "token_hash", "dedup_key"}


def _another(kind: Any, value: int | str, number: int) -> int | str:
    return value + number * 1000 if isinstance(value, int) else f"{number:x}-{value}"[: kind.length]


def _batches(numbers: range) -> Iterator[Iterable[int]]:
    return (numbers[at : at + BATCH] for at in range(0, len(numbers), BATCH))


def _bring_forward(connection: Connection, gates: int) -> int:
    wanted = gates // DUE_IN
    due = select(GateRow.id).order_by(GateRow.id)
    if "apart" in sys.argv:
        due = select(func.min(GateRow.id)).group_by(GateRow.rollout_id)
    ids = connection.scalars(due.limit(wanted)).all()
    for number, gate_id in enumerate(ids):
        what = {0: "expires_at", 1: "escalate_at"}.get(number % 20, "remind_at")
        connection.execute(update(GateRow).where(GateRow.id == gate_id).values({what: NOW - timedelta(minutes=1)}))
    return len(ids)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--check"]:
        check(sys.argv[2])
    else:
        main()
