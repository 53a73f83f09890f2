"""What a waiting rollout costs: processes, memory and idle CPU of a whole Etappe, with none, many, and twice as many.

Starts Etappe (its own Prefect included) in a temporary home, measures, starts so many rollouts by command, waits until
each has its page in Prefect, measures again, and once more after as many again: what the first ones warm up is not what
waiting costs. Run: python benchmarks/waiting.py [how many]
"""

from __future__ import annotations

import contextlib
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # its stubs are a package of their own
from sqlalchemy import func, select

from benchmarks.kit.processes import free_port
from cli.parts import Layout, all_parts
from models.database import Database
from models.rollouts import Rollout
from operations.start_rollout import Start, start_rollout
from plans.catalogue import Catalogue
from settings import Settings
from worker.parts import Crew

ZYGOTE = "worker.warm.zygote"
PARTS = {"web": "cli web", "relay": "cli relay", "worker": "prefect worker", "zygote": ZYGOTE}
IDLE_SECONDS = 10


def main() -> None:
    """Measure with none, with so many and with twice as many waiting, and print all three."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    with tempfile.TemporaryDirectory() as folder:
        layout = Layout(Path(folder), free_port(), free_port(), free_port())
        with Crew(Path(folder) / "logs") as crew:
            for part in all_parts(layout):
                crew.start(part)
            db = Database(layout.settings().database_url)
            measured = [_measured()]
            for waiting in (count, 2 * count):
                _start_more(db, layout.settings(), count, waiting)
                measured.append(_measured())
            db.close()
    print("".join(f"{title:>26}" for title in ("", "none waiting", f"{count} waiting", f"{2 * count} waiting")))
    for name in measured[0]:
        print(f"{name:>26}" + "".join(f"{facts[name]:>26}" for facts in measured))


def _start_more(db: Database, settings: Settings, count: int, waiting: int) -> None:
    began = time.monotonic()
    for number in range(count):
        _start(db, settings, number)
    started = time.monotonic() - began
    _until_all_have_a_page(db, waiting)
    print(f"{count} started in {started:.1f} s; all with a page in Prefect after {time.monotonic() - began:.1f} s")


def _start(db: Database, settings: Settings, number: int) -> None:
    loaded = Catalogue().load("office-policy")
    start = Start(loaded.plan, loaded.source, f"Policy {number}", "lea.brunner@example.com",
                  inputs={"policy": "Dogs may come along."}, channel="command")  # fmt: skip
    start_rollout(db, settings.secret_keys, start, datetime.now(UTC))


def _until_all_have_a_page(db: Database, count: int) -> None:
    painted = select(func.count()).select_from(Rollout).where(Rollout.painted == Rollout.sequence)
    while True:
        with db.read() as session:
            if (session.scalar(painted) or 0) >= count:
                return
        time.sleep(0.5)


def _measured() -> dict[str, str]:
    time.sleep(3)
    family = _family()
    found = {name: next(p for line, p in family if words in line) for name, words in PARTS.items()}
    before = {name: sum(process.cpu_times()[:2]) for name, process in found.items()}
    time.sleep(IDLE_SECONDS)
    cpu = {name: 100 * (sum(process.cpu_times()[:2]) - before[name]) / IDLE_SECONDS for name, process in found.items()}
    memory = {name: process.memory_info().rss / 1e6 for name, process in found.items()}
    facts = {name: f"{memory[name]:.0f} MB, {cpu[name]:.1f} % of a core" for name in PARTS}
    at_work = sum(ZYGOTE in line for line, _ in _family()) - 1  # those that were forked from it look like it
    return {**facts, "flow runs": f"{at_work} processes"}


def _family() -> list[tuple[str, psutil.Process]]:
    found = []
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            found.append((" ".join(process.cmdline()), process))
    return found


if __name__ == "__main__":
    main()
