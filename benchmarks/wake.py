"""How long a flow run waits for its worker: from Run, and from a resume, to the first line of its flow.

One Prefect server; then, one after the other, the warm worker as Etappe starts it, Prefect's process worker as Etappe
starts it, the process worker as it comes (it polls every 10 seconds), and the warm worker once more, to see whether the
machine was the same all the time. The flow writes down when its first line is run, and suspends; then it is resumed as
the relay does it. The raw limit in the same run: one call of Prefect's API.
Run: python benchmarks/wake.py [how many] [--write]
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.kit.report import numbers, reporting
from settings import CHECKOUT, WARM, WORK_POOL
from tests.ports import free_port
from worker.parts import Crew, Part
from worker.prefect_server import prefect_environment, server_parts, worker_part

PATIENCE_SECONDS = 120
STOCK = "process"
POLL = "PREFECT_WORKER_QUERY_SECONDS"
POLLED_EVERY_SECONDS = 10.0
"""By a worker as it comes. People come at any moment of that, so the waits before Run and resume are spread over it."""
STEP = "prefect.deployments.steps.set_working_directory"
AS_IT_COMES = "process worker, as it comes"
Found = TypeVar("Found")


def main() -> None:
    """Measure so many starts and wakes with each worker, and print the medians."""
    [count] = numbers(9)
    with reporting(__file__, __doc__) as report, tempfile.TemporaryDirectory() as folder:
        home, port = Path(folder), free_port()
        ours = prefect_environment(home, port)
        os.environ.update({name: ours[name] for name in ours if not name.startswith(("PREFECT_SERVER_", POLL))})
        with Crew(home / "logs") as crew:
            for part in server_parts(home, port):
                crew.start(part)
            spans = report.spans()
            limit = spans.row("one call of Prefect's API", _one_call())
            wakes: dict[str, float] = {}
            for number, (name, part) in enumerate(_workers(home, port).items()):
                starts, resumes = _measure(home, part, number, count)
                spans.row(f"{name}: Run to the first line", starts, limit)
                wakes[name] = spans.row(f"{name}: resume to the first line", resumes, limit).median
        for name, median in wakes.items():
            times = wakes[AS_IT_COMES] / median
            report.say(f"{name}: wakes {times:.1f} times as fast as the process worker as it comes")


def _workers(home: Path, port: int) -> dict[str, Part]:
    ours, stock = worker_part(home, port), worker_part(home, port, worker_type=STOCK)
    usual = {name: value for name, value in stock.environment.items() if name != POLL}
    return {
        "warm worker": ours,
        "process worker, poll of 1 s": stock,
        AS_IT_COMES: replace(stock, environment=usual),
        "warm worker, once more": ours,
    }


def _measure(home: Path, part: Part, number: int, count: int) -> tuple[list[float], list[float]]:
    """Return the seconds from Run, and from resume, to the first line; the first run of each worker is not counted."""
    with Crew(home / f"logs-{number}") as crew:
        crew.start(replace(part, ready_within=part.ready_within * 2))
        deployment = _deploy()
        pairs = [_start_and_wake(deployment, home / f"{number}-{turn}", turn / count) for turn in range(count + 1)][1:]
    return [start for start, _ in pairs], [wake for _, wake in pairs]


def _deploy() -> Any:
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.actions import WorkPoolCreate
    from prefect.exceptions import ObjectAlreadyExists

    from tests.flows.sample_flows import napper

    with get_client(sync_client=True) as client:
        with suppress(ObjectAlreadyExists):
            client.create_work_pool(WorkPoolCreate(name=WORK_POOL, type=WARM))
        return client.create_deployment(
            client.create_flow(napper),
            "measured",
            work_pool_name=WORK_POOL,
            entrypoint="tests/flows/sample_flows.py:napper",
            pull_steps=[{STEP: {"directory": str(CHECKOUT)}}],
            job_variables={"working_dir": str(CHECKOUT)},
        )


def _start_and_wake(deployment: Any, file: Path, moment: float) -> tuple[float, float]:
    """`moment` is how far between two polls both come, from 0 to 1."""
    from prefect.client.orchestration import get_client

    with get_client(sync_client=True) as client:
        time.sleep(1 + moment * POLLED_EVERY_SECONDS)
        began = time.time()
        run = client.create_flow_run_from_deployment(deployment, parameters={"file": str(file)})
        start = until(lambda: _line(file, 0)) - began
        until(lambda: client.read_flow_run(run.id).state_name == "Suspended" or None)
        time.sleep(1.5 + moment * POLLED_EVERY_SECONDS)  # its process ends meanwhile
        began = time.time()
        client.resume_flow_run(run.id)
        wake = until(lambda: _line(file, 1)) - began
        until(lambda: client.read_flow_run(run.id).state_name == "Completed" or None)
    return start, wake


def _line(file: Path, number: int) -> float | None:
    lines = file.read_text().splitlines() if file.exists() else []
    return float(lines[number]) if len(lines) > number else None


def _one_call() -> list[float]:
    from prefect.client.orchestration import get_client

    def timed(do: Callable[[], object]) -> float:
        began = time.monotonic()
        do()
        return time.monotonic() - began

    with get_client(sync_client=True) as client:
        client.hello()
        return [timed(lambda: client.request("POST", "/flow_runs/filter", json={"limit": 1})) for _ in range(20)]


def until(look: Callable[[], Found | None]) -> Found:
    """Wait until there is something to find, and return it."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if (found := look()) is not None:
            return found
        time.sleep(0.005)
    raise SystemExit(f"Waited {PATIENCE_SECONDS} seconds in vain.")


if __name__ == "__main__":
    main()
