"""How long a flow run waits for its worker: from Run, and from a resume, to the first line of its flow.

One Prefect server; then, one after the other, the warm worker as Etappe starts it, Prefect's process worker as Etappe
starts it, the process worker as it comes (it polls every 10 seconds), and the warm worker once more, to see whether the
machine was the same all the time. The flow writes down when its first line is
run, and suspends; then it is resumed as the relay does it. Run: python benchmarks/wake.py [how many]
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from benchmarks.kit.processes import free_port
from settings import CHECKOUT, WARM, WORK_POOL
from worker.parts import Crew, Part
from worker.prefect_server import prefect_environment, server_parts, worker_part

PATIENCE_SECONDS = 120
STOCK = "process"
STEP = "prefect.deployments.steps.set_working_directory"
AS_IT_COMES = "process worker, as it comes"
Found = TypeVar("Found")


def main() -> None:
    """Measure so many starts and wakes with each worker, and print the medians."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    with tempfile.TemporaryDirectory() as folder:
        home, port = Path(folder), free_port()
        clients = {k: v for k, v in prefect_environment(home, port).items() if not k.startswith("PREFECT_SERVER_")}
        os.environ.update(clients)
        with Crew(home / "logs") as crew:
            for part in server_parts(home, port):
                crew.start(part)
            call = _one_call()
            measured = {
                name: _measure(home, part, number, count)
                for number, (name, part) in enumerate(_workers(home, port).items())
            }
    print(f"{count} flow runs with each worker, {os.cpu_count()} cores{'':13}median (min … max)")
    _say("one call of Prefect's API", call)
    for name, (starts, wakes) in measured.items():
        _say(f"{name}: Run to the first line", starts)
        _say(f"{name}: resume to the first line", wakes)
    usual = statistics.median(measured[AS_IT_COMES][1])
    for name, (_, wakes) in measured.items():
        print(f"{name}: wakes {usual / statistics.median(wakes):.1f} times as fast as the process worker as it comes")


def _workers(home: Path, port: int) -> dict[str, Part]:
    ours, stock = worker_part(home, port), worker_part(home, port, worker_type=STOCK)
    usual = {name: value for name, value in stock.environment.items() if name != "PREFECT_WORKER_QUERY_SECONDS"}
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
        pairs = [_start_and_wake(deployment, home / f"{number}-{turn}") for turn in range(count + 1)][1:]
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


def _start_and_wake(deployment: Any, file: Path) -> tuple[float, float]:
    from prefect.client.orchestration import get_client

    with get_client(sync_client=True) as client:
        began = time.time()
        run = client.create_flow_run_from_deployment(deployment, parameters={"file": str(file)})
        start = until(lambda: _line(file, 0)) - began
        until(lambda: client.read_flow_run(run.id).state_name == "Suspended" or None)
        time.sleep(1.5)  # its process ends; a worker that polls is at some moment between two polls
        began = time.time()
        client.resume_flow_run(run.id)
        wake = until(lambda: _line(file, 1)) - began
        until(lambda: client.read_flow_run(run.id).state_name == "Completed" or None)
    time.sleep(1)
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


def _say(what: str, seconds: list[float]) -> None:
    median, least, most = statistics.median(seconds), min(seconds), max(seconds)
    print(f"{what:<56} {median * 1000:7.0f} ms ({least * 1000:.0f} … {most * 1000:.0f})")


if __name__ == "__main__":
    main()
