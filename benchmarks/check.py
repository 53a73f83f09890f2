"""What one run of the scheduled check costs with 100,000 open gates of which 1 % are due, and with twice as many.

Fills a database with copies of one rollout that was really started: ten gates each, open side by side. Gates that open
together are due together; with “apart” each that is due is in another rollout, which takes ten times the transactions.
Of ten, nine or so are reminded of, the others escalate and expire in turn. Each run is a process of its own, on a fresh
copy. Whatever is committed is on the disk. Medians are printed, with the largest memory of a run's process, what an
idle run takes, and what twice the gates cost.
Run: python benchmarks/check.py [gates] [runs] [apart] [--write]
"""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, func, insert, select, update

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.kit.filled import Copies, analyse, copy_rollout, postgres_copies, sqlite_copies
from benchmarks.kit.report import Table, numbers, reporting
from benchmarks.kit.serving import DISK, durable_postgres
from benchmarks.kit.spread import duration, spread
from models import schema
from models.checks import CheckRun
from models.database import Database
from models.gates import GateRow
from models.outbox import Message
from operations.check_stalled import check_stalled
from operations.import_people import import_people
from operations.start_rollout import Start, start_rollout
from plans.directory import read_directory
from plans.reading import read_plan

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
    gates, runs = numbers(100_000, 3)
    with reporting(__file__, __doc__) as report, ExitStack() as stack:
        table = report.table("database", "open gates", "due", "median", "min", "max", "own CPU", "memory", "idle")
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=DISK)))
        server, _ = stack.enter_context(durable_postgres(folder))
        for kind, copies in (("SQLite", sqlite_copies(folder)), ("PostgreSQL", postgres_copies(server))):
            medians = [_measure(table, kind, copies, count, runs) for count in (gates, 2 * gates)]
            report.say(f"{kind}: twice the gates cost {medians[1] / medians[0]:.2f} times.")


def _measure(table: Table, kind: str, copy: Copies, gates: int, runs: int) -> float:
    filled = copy("")
    due = _fill(filled, gates)
    found = [_in_a_process(copy(filled)) for _ in range(runs)]
    took = spread([one["seconds"] for one in found])
    assert all(one["did"] == due for one in found), (due, found)
    idle, cpu = (statistics.median(one[what] for one in found) for what in ("idle", "cpu"))
    memory = max(one["memory"] for one in found)
    spans = map(duration, (took.median, took.least, took.most, cpu))
    table.row(kind, f"{gates:,}", f"{due:,}", *spans, f"{memory:.0f} MB", duration(idle))
    return took.median


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
    copy_rollout(db, template, range(1, gates // GATES_EACH))
    with db.engine.begin() as connection:
        connection.execute(update(Message).values(state="sent"))
        due = _bring_forward(connection, gates)
        connection.execute(insert(CheckRun), [{"started_at": NOW, "finished_at": NOW, "report": {}, "checker": ""}])
    analyse(db)
    db.close()
    return due


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
