"""What each verb costs as work grows: time and memory with 100, 1,000 and 10,000 rollouts waiting, on both databases.

Fills databases with copies of one rollout of the plan `office-policy` that was really started, and measures each verb
in all of them by turns: the median of several, and the most memory that Python needed for it. The exponent is the slope
of time over size, both as logarithms: 0 is flat, 1 is linear. Whatever is committed is on the disk.
Run: python benchmarks/growth.py [largest, such as 100000] [--write]
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.kit import waiting_rollout
from benchmarks.kit.filled import Copies, analyse, copy_rollout, postgres_copies, sqlite_copies
from benchmarks.kit.plot import exponent, log_log
from benchmarks.kit.report import Report, numbers, reporting
from benchmarks.kit.serving import DISK, durable_postgres
from domain import links
from models.database import Database
from models.exclusive import claims_in_line
from models.outbox import next_chat_message_due, next_message_due
from models.requests import requests_of
from models.rollouts import rollouts_to_wake, rollouts_unpainted, rollouts_without_flow_run
from notifications.language import HOME_ZONE, Words
from operations.advance import advance
from operations.calendars_due import calendars_due
from operations.check_stalled import check_stalled
from operations.describe_rollout import list_rollouts
from operations.looks import looks_due
from operations.record_decision import DecisionForm, record_decision
from operations.run_gates import runs_to_follow
from operations.show_request import show_request
from operations.take_turns import take_turns
from settings import Settings
from web import board_page
from web.health import facts
from web.house import House
from web.metrics import exposition

KEYS = (b"a secret that only benchmarks know",)
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
SETTINGS = Settings.from_environment({"ETAPPE_SECRET_KEYS": KEYS[0].decode()})
SIZES, USUAL_LARGEST = (100, 1_000, 10_000, 100_000), 10_000
TIMES, LONG = 25, 2.0
"""How often each is done; three times where once takes longer than so many seconds."""
ENOUGH = 3
Prepare = Callable[[], Callable[[], object]]
Measured = dict[str, dict[str, float]]
"""By verb: median, min and max in milliseconds, and memory in MB."""


def main() -> None:
    """Measure both databases at every size, print what it took, and draw it."""
    [largest] = numbers(USUAL_LARGEST)
    sizes = [size for size in SIZES if size <= largest]
    found: dict[str, dict[int, Measured]] = {}
    with reporting(__file__, __doc__) as report, ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=DISK)))
        server, _ = stack.enter_context(durable_postgres(folder))
        for kind, copy in (("SQLite", sqlite_copies(folder)), ("PostgreSQL", postgres_copies(server))):
            found[kind] = _in_a_process(_filled(copy, sizes))
            _tell(report, kind, found[kind])
        panels = {kind: _lines(measured) for kind, measured in found.items()}
        report.draw(log_log(panels, "rollouts waiting", "milliseconds"))


def _filled(copy: Copies, sizes: list[int]) -> dict[int, str]:
    """The address of a database for each size."""
    url, urls, present = copy(""), {}, 1
    db = Database(url)
    template = waiting_rollout.set_up(db, KEYS, NOW)
    for size in sizes:
        copy_rollout(db, template, range(present, size))
        if not db.is_sqlite:
            analyse(db)
        db.close()  # it can be copied while nobody is connected
        present, urls[size] = size, copy(url)
    return urls


def _in_a_process(urls: dict[int, str]) -> dict[int, Measured]:
    command = [sys.executable, __file__, "--measure", json.dumps(urls)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    return {int(size): measured for size, measured in json.loads(done.stdout).items()}


def measure(urls: dict[str, str]) -> None:
    """Do each verb several times at every size, taking turns, and print what it took as JSON."""
    dbs = {size: Database(url) for size, url in urls.items()}
    verbs = {size: _verbs(db) for size, db in dbs.items()}
    found: dict[str, Measured] = {size: {} for size in dbs}
    for verb in next(iter(verbs.values())):
        took = _took({size: each[verb] for size, each in verbs.items()})
        for size, one in took.items():
            found[size][verb] = one
    print(json.dumps(found))
    for db in dbs.values():
        db.close()


def _verbs(db: Database) -> dict[str, Prepare]:
    """What is measured, by name: what prepares it, and returns what does it once."""

    def start() -> Callable[[], object]:
        return lambda: waiting_rollout.start(db, KEYS, NOW)

    def decide() -> Callable[[], object]:
        rollout_id = waiting_rollout.start(db, KEYS, NOW)
        with db.read() as session:
            [request, *_] = session.scalars(requests_of(rollout_id)).all()
        token, code = links.link_token(KEYS[0], request.id, 1), links.code(KEYS[0], request.id, 1)
        return lambda: record_decision(
            db, KEYS, token, DecisionForm("approve", code, show_request(db, token, NOW).digest), NOW
        )

    def advance_one() -> Callable[[], object]:
        rollout_id = waiting_rollout.start(db, KEYS, NOW)
        return lambda: advance(db, KEYS, rollout_id, NOW)

    return {
        "start": start,
        "show and decide": decide,
        "advance": advance_one,
        "scheduled check": lambda: lambda: check_stalled(db, KEYS, NOW),
        "what the relay looks at": lambda: lambda: _look(db),
        "/readyz and /metrics": lambda: lambda: _watch(db),
        "board page": lambda: lambda: _board(db),
        "all of them": lambda: lambda: list_rollouts(db),
    }


def _look(db: Database) -> None:
    """Everything that the threads of the relay look at, whether anything has happened or not."""
    with db.read() as session:
        for due in (next_message_due(NOW), next_chat_message_due(NOW)):
            session.scalar(due)
    looks_due(db, NOW)
    take_turns(db, KEYS, NOW)
    calendars_due(db, NOW)
    runs_to_follow(db)
    with db.read() as session:
        for found in (rollouts_without_flow_run().limit(200), rollouts_to_wake().limit(200), rollouts_unpainted()):
            session.scalars(found).all()
        session.scalars(claims_in_line()).all()


def _board(db: Database) -> None:
    """The board as a browser gets it, but for the server: every part that its first page shows, put into words."""
    board_page.page(House(SETTINGS, db, now=lambda: NOW), Words("en", HOME_ZONE))


def _watch(db: Database) -> None:
    with db.read() as session:
        facts(session, NOW)
        exposition(session, NOW)


def _took(prepare: dict[str, Prepare]) -> dict[str, dict[str, float]]:
    """How long it took at each size, and how much memory Python needed for it at the most."""
    for each in prepare.values():
        each()()  # what is read and built once per process is not what a verb costs
    times: dict[str, list[float]] = {size: [] for size in prepare}
    slowest = 0.0
    while len(times[next(iter(times))]) < (ENOUGH if slowest > LONG else TIMES):
        for size, each in prepare.items():
            do = each()
            began = time.perf_counter()
            do()
            slowest = max(slowest, time.perf_counter() - began)
            times[size].append((time.perf_counter() - began) * 1000)
    return {
        size: {"median": statistics.median(took), "min": min(took), "max": max(took), "memory": _memory(prepare[size])}
        for size, took in times.items()
    }


def _memory(prepare: Prepare) -> float:
    do = prepare()
    tracemalloc.start()
    do()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak / 1e6


def _tell(report: Report, kind: str, found: dict[int, Measured]) -> None:
    table = report.table(kind, *(f"{size:,} waiting" for size in found), "exponent", width=34)
    for verb, line in _lines(found).items():
        shown = [
            f"{cell['median']:.1f} ms ({cell['min']:.1f} to {cell['max']:.1f}), {cell['memory']:.0f} MB"
            for cell in (found[size][verb] for size in found)
        ]
        table.row(verb, *shown, f"{exponent(line):.2f}" if len(line) > 1 else "–")


def _lines(found: dict[int, Measured]) -> dict[str, list[tuple[float, float]]]:
    verbs = next(iter(found.values()))
    return {verb: [(size, measured[verb]["median"]) for size, measured in found.items()] for verb in verbs}


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        measure(json.loads(sys.argv[2]))
    else:
        main()
