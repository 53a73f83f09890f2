"""What waiting costs: memory, idle CPU and disk, with no rollout waiting and with 10,000, on both databases.

Starts the parts that `etappe start` has, in a temporary home, and looks at them after a minute, for a minute: web page,
relay and worker, each with its child processes; Prefect's server aside. Then one rollout of the plan `office-policy` is
started and painted in Prefect, and copied so many times, flow run and bars in Prefect's database included. The parts
are started anew, and looked at again.

Run: python benchmarks/idle.py [how many] [seconds to look] [sqlite or postgresql]
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import func, select, text

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.kit import waiting_rollout
from benchmarks.kit.filled import copy_rollout
from benchmarks.kit.filled_prefect import copy_flow_run
from benchmarks.kit.processes import Look, look_at_family
from benchmarks.kit.report import Report, numbers, reporting
from cli.parts import Layout, all_parts
from models.database import Database
from models.outbox import Message, MessageState
from models.rollouts import Rollout
from tests.ports import free_port
from tests.postgres import Postgres
from worker import prefect_server
from worker.parts import Crew, Part

PARTS = ("web page", "relay", "worker")
Idle = dict[str, tuple[Look, float]]
"""By part: how it looks in the end, and its work as a percentage of one core."""


def main() -> None:
    """Measure each database with none and so many waiting, and print both."""
    count, seconds = numbers(10_000, 60)
    kinds = [kind for kind in ("sqlite", "postgresql") if kind in sys.argv] or ["sqlite", "postgresql"]
    with ExitStack() as stack:
        report = stack.enter_context(reporting(__file__, __doc__))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for kind in kinds:
            with _database_url(kind, folder):
                _measure(report, kind, folder / kind, count, seconds)


@contextmanager
def _database_url(kind: str, folder: Path) -> Iterator[None]:
    """Let all parts use a database of this kind; SQLite is what they use unless told."""
    if kind == "sqlite":
        yield
        return
    with Postgres.running(folder) as server:
        os.environ["ETAPPE_DATABASE_URL"] = server.create()
        try:
            yield
        finally:
            del os.environ["ETAPPE_DATABASE_URL"]


def _measure(report: Report, kind: str, home: Path, count: int, seconds: int) -> None:
    layout = Layout(home, free_port(), free_port(), free_port())
    with Crew(home / "logs") as crew:
        for part in _parts(layout, working=False):
            crew.start(part)
        none = _idle(layout, seconds)
        db = Database(layout.settings().database_url)
        bytes_each = _fill(db, layout, count)
        many = _idle(layout, seconds)
        db.close()
    _say(report, kind, count, none, many)
    report.say(f"On the disk: {bytes_each:,.0f} bytes for each that waits.")


def _parts(layout: Layout, *, working: bool) -> list[Part]:
    """The parts that are measured, or all others."""
    return [part for part in all_parts(layout) if (part.name in PARTS) is working]


def _idle(layout: Layout, seconds: int) -> Idle:
    parts = _parts(layout, working=True)
    with Crew(layout.home / "logs", forking=parts) as crew:
        for part in parts:
            crew.start(part)
        time.sleep(seconds)
        before = {name: look_at_family(pid) for name, pid in crew.pids().items()}
        began = time.monotonic()
        time.sleep(seconds)
        after = {name: look_at_family(pid) for name, pid in crew.pids().items()}
        took = time.monotonic() - began
    return {name: (after[name], 100 * (after[name].worked - before[name].worked) / took) for name in PARTS}


def _fill(db: Database, layout: Layout, count: int) -> float:
    """Let so many rollouts wait, and return how many bytes each of them takes in Etappe's database."""
    with Crew(layout.home / "logs") as crew:
        for part in _parts(layout, working=True):
            crew.start(part)
        rollout_id = waiting_rollout.start(db, layout.settings().secret_keys, datetime.now(UTC))
        _until_delivered(db)
    copies = range(1, count)
    copy_flow_run(prefect_server.database(layout.home).url(), _flow_run_of(db, rollout_id), copies)
    before = _size(db)
    copy_rollout(db, rollout_id, copies)
    return (_size(db) - before) / (count - 1)


def _until_delivered(db: Database) -> None:
    pending = select(func.count()).where(Message.state == MessageState.PENDING)
    behind = select(func.count()).where(Rollout.painted < Rollout.sequence)
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        with db.read() as session:
            if not session.scalar(pending) and not session.scalar(behind):
                return
        time.sleep(0.5)
    raise SystemExit("the rollout was not sent and painted within two minutes")


def _flow_run_of(db: Database, rollout_id: str) -> str:
    with db.read() as session:
        return session.get_one(Rollout, rollout_id).flow_run_id or ""


def _size(db: Database) -> int:
    if db.is_sqlite:
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
        return Path(db.url.removeprefix("sqlite:///")).stat().st_size
    with db.read() as session:
        return int(session.scalar(text("SELECT pg_database_size(current_database())")) or 0)


def _say(report: Report, kind: str, count: int, none: Idle, many: Idle) -> None:
    table = report.table(kind, "none waiting", f"{count:,} waiting", "memory", width=40)
    for name in PARTS:
        table.row(name, _cell(*none[name]), _cell(*many[name]), _ratio(none[name], many[name]))
    sums = [_sum(idle) for idle in (none, many)]
    table.row("together", *(_cell(*one) for one in sums), _ratio(*sums))


def _sum(idle: Idle) -> tuple[Look, float]:
    looks = [one for one, _ in idle.values()]
    together = Look(sum(one.resident for one in looks), sum(one.share for one in looks), 0)
    return together, sum(percent for _, percent in idle.values())


def _cell(one: Look, percent: float) -> str:
    return f"RSS {one.resident:.0f} MB, PSS {one.share:.0f} MB, {percent:.2f} %"


def _ratio(none: tuple[Look, float], many: tuple[Look, float]) -> str:
    return f"RSS {many[0].resident / none[0].resident:.2f} times, PSS {many[0].share / none[0].share:.2f} times"


if __name__ == "__main__":
    main()
