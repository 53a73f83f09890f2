"""What each verb costs as work grows: time and memory with 100, 1,000 and 10,000 rollouts waiting, on both databases.

Fills a database with copies of one rollout of the plan `office-policy` that was really started, and measures each verb
at every size, in a process of its own: the median of several, and how far the process's memory rose at the most. The
exponent is the slope of time over size, both as logarithms: 0 is flat, 1 is linear.
Run: python benchmarks/growth.py [largest, such as 100000] [--picture FILE.svg]
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.kit import waiting_rollout
from benchmarks.kit.filled import analyse, copy_rollout
from benchmarks.kit.plot import exponent, log_log
from domain import links
from models.database import Database
from models.exclusive import claims_in_line
from models.outbox import next_chat_message_due, next_message_due
from models.requests import requests_of
from models.rollouts import rollouts_to_wake, rollouts_unpainted, rollouts_without_flow_run
from operations.advance import advance
from operations.calendars_due import calendars_due
from operations.check_stalled import check_stalled
from operations.describe_rollout import list_rollouts
from operations.looks import looks_due
from operations.record_decision import DecisionForm, record_decision
from operations.run_gates import runs_to_follow
from operations.show_request import show_request
from operations.take_turns import take_turns
from tests.postgres import Postgres
from web.health import facts
from web.metrics import exposition

KEYS = (b"a secret that only benchmarks know",)
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
SIZES, USUAL_LARGEST = (100, 1_000, 10_000, 100_000), 10_000
TIMES, LONG = 15, 1.0
"""How often each is done; three times where once takes longer than so many seconds."""
Measured = dict[str, dict[str, float]]
"""By verb: median, min and max in milliseconds, and memory in MB."""


def main() -> None:
    """Measure both databases at every size, print what it took, and draw it when asked."""
    largest = next((int(word) for word in sys.argv[1:] if word.isdigit()), USUAL_LARGEST)
    found: dict[str, dict[int, Measured]] = {}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(Postgres.running(folder))
        for kind, url in (("SQLite", f"sqlite:///{folder}/etappe.db"), ("PostgreSQL", server.create())):
            found[kind] = _measured(url, [size for size in SIZES if size <= largest])
            _print(kind, found[kind])
    if "--picture" in sys.argv:
        panels = {f"{kind}: milliseconds": _lines(sizes) for kind, sizes in found.items()}
        picture = log_log(panels, "rollouts waiting", "milliseconds")
        Path(sys.argv[sys.argv.index("--picture") + 1]).write_text(picture, "utf-8")


def _measured(url: str, sizes: list[int]) -> dict[int, Measured]:
    db = Database(url)
    template = waiting_rollout.set_up(db, KEYS, NOW)
    found, present = {}, 1
    for size in sizes:
        copy_rollout(db, template, range(present, size))
        if not db.is_sqlite:
            analyse(db)
        present = size
        done = subprocess.run([sys.executable, __file__, "--measure", url], capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(done.stderr)
        found[size] = json.loads(done.stdout)
    db.close()
    return found


def measure(url: str) -> None:
    """Do each verb several times on this database, and print what it took as JSON."""
    db = Database(url)
    took = {name: _took(prepare) for name, prepare in _verbs(db).items()}
    waiting_rollout.deliver(db)
    print(json.dumps(took))
    db.close()


def _verbs(db: Database) -> dict[str, Callable[[], Callable[[], object]]]:
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
        "rollout list": lambda: lambda: list_rollouts(db),
        "list by API": lambda: lambda: json.dumps(list_rollouts(db, seen_by="anna.keller@example.com")),
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


def _watch(db: Database) -> None:
    with db.read() as session:
        facts(session, NOW)
        exposition(session, NOW)


def _took(prepare: Callable[[], Callable[[], object]]) -> dict[str, float]:
    prepare()()  # what is read and built once per process is not what a verb costs
    times = _timed(prepare)
    before = _forget_the_highest()
    prepare()()
    memory = _kilobytes("VmHWM") - before
    return {"median": statistics.median(times), "min": min(times), "max": max(times), "memory": memory / 1024}


def _timed(prepare: Callable[[], Callable[[], object]]) -> list[float]:
    times: list[float] = []
    while len(times) < (3 if times and times[0] > LONG * 1000 else TIMES):
        do = prepare()
        began = time.perf_counter()
        do()
        times.append((time.perf_counter() - began) * 1000)
    return times


def _forget_the_highest() -> int:
    """Have the kernel count this process's highest memory anew, and return what it uses now, in KB."""
    Path("/proc/self/clear_refs").write_text("5")
    return _kilobytes("VmRSS")


def _kilobytes(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith(f"{name}:")))


def _print(kind: str, found: dict[int, Measured]) -> None:
    print(f"\n{kind:25}" + "".join(f"{f'{size:,} waiting':>34}" for size in found) + f"{'exponent':>10}")
    for verb, line in _lines(found).items():
        cells = [found[size][verb] for size in found]
        shown = [
            f"{cell['median']:.1f} ms ({cell['min']:.1f} to {cell['max']:.1f}), {cell['memory']:.0f} MB"
            for cell in cells
        ]
        slope = f"{exponent(line):.2f}" if len(line) > 1 else "-"
        print(f"{verb:25}" + "".join(f"{each:>34}" for each in shown) + f"{slope:>10}", flush=True)


def _lines(found: dict[int, Measured]) -> dict[str, list[tuple[float, float]]]:
    verbs = next(iter(found.values()))
    return {verb: [(size, measured[verb]["median"]) for size, measured in found.items()] for verb in verbs}


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        measure(sys.argv[2])
    else:
        main()
