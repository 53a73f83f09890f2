"""The warm worker at a real Prefect server: isolated, cancellable, limited, and nothing is left behind by many runs."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import psutil  # type: ignore[import-untyped]  # its stubs are a package of their own
import pytest

from tests.flows.conftest import eventually
from worker.parts import Crew
from worker.prefect_server import worker_part

CHECKOUT = Path(__file__).resolve().parents[2]
POOL = "warm-tests"
LIMIT = 2
RUNS = int(os.environ.get("RUNS", "16"))
"""How many runs a leak must show in; `make soak` has 2,000."""


@dataclass
class Worker:
    """A warm worker of its own with a limit of two, its pool, and Prefect's API."""

    api: httpx.Client
    folder: Path
    process: psutil.Process
    deployments: dict[str, str] = field(default_factory=dict)

    def run(self, entrypoint: str, folder: Path = CHECKOUT, **parameters: Any) -> str:
        """Start a flow run of a flow in this file; return its id."""
        if entrypoint not in self.deployments:
            self.deployments[entrypoint] = self._deploy(entrypoint, folder)
        deployment = self.deployments[entrypoint]
        answer = self.api.post(f"deployments/{deployment}/create_flow_run", json={"parameters": parameters})
        return str(answer.raise_for_status().json()["id"])

    def _deploy(self, entrypoint: str, folder: Path) -> str:
        from prefect.client.orchestration import get_client
        from prefect.flows import load_flow_from_entrypoint

        flow: Any = load_flow_from_entrypoint(f"{folder}/{entrypoint}")
        with get_client(sync_client=True) as client:
            deployment = client.create_deployment(
                client.create_flow(flow),
                "warm",
                work_pool_name=POOL,
                entrypoint=entrypoint,
                pull_steps=[{"prefect.deployments.steps.set_working_directory": {"directory": str(folder)}}],
                job_variables={"working_dir": str(folder)},
            )
        return str(deployment)

    def sample(self, name: str, **parameters: Any) -> str:
        """Start a flow run of a sample flow."""
        return self.run(f"tests/flows/sample_flows.py:{name}", **parameters)

    def facts(self, flow_run_id: str) -> dict[str, Any]:
        """A flow run as Prefect has it."""
        return dict(self.api.get(f"flow_runs/{flow_run_id}").raise_for_status().json())

    def until(self, flow_run_id: str, state: str, seconds: float = 60) -> dict[str, Any]:
        """Wait until a flow run is in a state of this type, and return it."""

        def reached() -> dict[str, Any] | None:
            run = self.facts(flow_run_id)
            return run if run["state_type"] == state else None

        return dict(eventually(reached, f"the flow run becoming {state}", seconds))

    def states(self, flow_run_id: str) -> list[str]:
        """The names of the states a flow run has been in, oldest first."""
        found = self.api.get("flow_run_states/", params={"flow_run_id": flow_run_id}).raise_for_status().json()
        return [state["name"] for state in sorted(found, key=lambda state: state["timestamp"])]

    def zygote(self) -> psutil.Process:
        """What flow runs are forked from."""
        [found] = self.process.children()
        return found


@pytest.fixture(scope="module")
def worker(prefect: str, home: Path, prefect_port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    part = worker_part(home, prefect_port)
    swaps = {"etappe": POOL, "16": str(LIMIT)}
    command = [swaps.get(word, word) for word in part.command]
    api = httpx.Client(base_url=prefect, timeout=30)

    def has_started() -> bool:
        answer = api.post(f"work_pools/{POOL}/workers/filter", json={})
        return answer.status_code == 200 and bool(answer.json())

    with Crew(home / "warm-logs") as crew, api:
        crew.start(replace(part, command=command, ready=has_started))
        [running] = crew._running
        yield Worker(api, tmp_path_factory.mktemp("warm"), psutil.Process(running.child.pid))


def written(file: Path) -> list[int]:
    """Wait for the numbers in a file."""
    return [int(word) for word in eventually(lambda: file.exists() and file.read_text(), "the file").split()]


def is_there(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_told_to_stop_it_ends_well(
    worker: Worker, home: Path, prefect_port: int, tmp_path: Path, ending: signal.Signals
) -> None:
    part = worker_part(home, prefect_port)
    name = f"stopped by {ending.name}"

    def has_started() -> bool:
        known = worker.api.post(f"work_pools/{POOL}/workers/filter", json={}).json()
        return name in [one["name"] for one in known]

    with Crew(tmp_path) as crew:
        crew.start(replace(part, command=[*part.command[:-3], name, POOL, "1"], ready=has_started))
        [running] = crew._running
        running.child.send_signal(ending)
        assert running.child.wait() == 0
    assert "Traceback" not in (tmp_path / "worker.log").read_text()


def test_one_that_crashes_is_reported_and_takes_nothing_with_it(worker: Worker, tmp_path: Path) -> None:
    long = worker.sample("stubborn", file=str(tmp_path / "long"))
    pid, its_own = written(tmp_path / "long")
    for how, code in (("exit", "7"), ("kill", "-9"), ("segfault", "-11")):
        crashed = worker.until(worker.sample("ends_badly", how=how), "CRASHED")
        assert f"status code: {code}." in crashed["state"]["message"]
        assert worker.facts(long)["state_type"] == "RUNNING"
        assert is_there(pid)
    os.kill(its_own, signal.SIGTERM)  # it ends when what it waits for has ended
    worker.until(long, "COMPLETED")


def test_cancelling_in_prefect_ends_the_run_and_what_it_has_started(worker: Worker, tmp_path: Path) -> None:
    run = worker.sample("stubborn", file=str(tmp_path / "who"))
    pids = written(tmp_path / "who")
    wanted = {"state": {"type": "CANCELLING", "name": "Cancelling"}}
    worker.api.post(f"flow_runs/{run}/set_state", json=wanted).raise_for_status()
    worker.until(run, "CANCELLED")
    eventually(lambda: not any(is_there(pid) for pid in pids), "both processes being gone", seconds=10)


def test_no_more_run_at_a_time_than_the_limit_and_the_others_follow(worker: Worker) -> None:
    runs = [worker.sample("sleeper", seconds=2) for _ in range(2 * LIMIT)]
    most = 0

    def all_completed() -> bool:
        nonlocal most
        states = [worker.facts(run)["state_type"] for run in runs]
        most = max(most, len(worker.zygote().children()))
        return all(state == "COMPLETED" for state in states)

    eventually(all_completed, "all of them being completed")
    assert most == LIMIT


def test_a_run_resumed_at_the_very_moment_it_suspends_is_run_again_and_the_worker_lives(
    worker: Worker, tmp_path: Path
) -> None:
    """With a limit, Prefect's own worker was seen to crash here: one run asks for two places."""
    for number in range(3):
        file = tmp_path / str(number)
        run = worker.sample("napper", file=str(file))
        worker.until(run, "PAUSED")
        worker.api.post(f"flow_runs/{run}/resume").raise_for_status()
        worker.until(run, "COMPLETED")
        assert len(file.read_text().splitlines()) == 2
    assert worker.process.is_running()


def test_a_flow_of_another_folder_has_its_own_modules(worker: Worker, tmp_path: Path) -> None:
    """Both folders have a module `domain`; the zygote has imported Etappe's."""
    (tmp_path / "domain.py").write_text("WHOSE = 'of the other folder'\n")
    (tmp_path / "other.py").write_text(
        "from pathlib import Path\nfrom prefect import flow\n\n\n"
        "@flow(name='other')\ndef other(file: str) -> None:\n"
        "    import domain\n    Path(file).write_text(domain.WHOSE)\n"
    )
    worker.until(worker.run("other.py:other", tmp_path, file=str(tmp_path / "said")), "COMPLETED")
    assert (tmp_path / "said").read_text() == "of the other folder"


def test_after_many_runs_nothing_has_grown(worker: Worker) -> None:
    """The second half of the runs must cost nothing that stays; what the first ones warm up is no leak."""

    def held() -> tuple[int, int, int]:
        zygote = worker.zygote()
        return len(zygote.children()), zygote.num_fds(), zygote.num_threads()

    def memory() -> tuple[int, int]:
        return worker.zygote().memory_info().rss, worker.process.memory_info().rss

    def run_half() -> None:
        for run in [worker.sample("sleeper") for _ in range(RUNS // 2)]:
            worker.until(run, "COMPLETED", seconds=2 * RUNS + 60)
        eventually(lambda: not worker.zygote().children(), "the last one being gone")

    run_half()
    before, opened, (zygote, process) = held(), worker.process.num_fds(), memory()
    run_half()
    assert held() == before
    assert worker.process.num_fds() - opened < RUNS // 4  # its connections to Prefect come and go
    zygote_later, process_later = memory()
    print(f"{RUNS} runs, the second half: zygote {(zygote_later - zygote) / 1e6:+.1f} MB of {zygote / 1e6:.0f}, "
          f"worker {(process_later - process) / 1e6:+.1f} MB of {process / 1e6:.0f}")  # fmt: skip
    assert zygote_later - zygote < 2_000_000
    assert process_later - process < 4_000_000 + 5_000 * RUNS  # Prefect's own, which remembers some of what it has seen


def test_what_flow_runs_are_forked_from_is_a_fork_of_the_worker_until_code_changes(worker: Worker) -> None:
    """Forked, it shares the worker's memory; what takes its place has imported everything anew."""
    first = worker.zygote()
    assert first.cmdline() == worker.process.cmdline()
    assert first.name() == "etappe zygote"
    os.utime(CHECKOUT / "flows" / "__init__.py")
    worker.until(worker.sample("sleeper"), "COMPLETED")
    assert worker.zygote() == first
    assert "worker.warm.zygote" in first.cmdline()


def test_when_it_is_killed_another_one_is_started(worker: Worker) -> None:
    before = worker.zygote()
    before.kill()
    eventually(lambda: not is_there(before.pid), "its end")
    worker.until(worker.sample("sleeper"), "COMPLETED")
    assert worker.zygote() != before
