"""A whole Etappe, started by the command that people type, and ended as they end it: with Ctrl-C."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from settings import CHECKOUT

HOST = "127.0.0.1"
START_SECONDS = 120
PATIENCE_SECONDS = 45


def eventually(holds: Callable[[], Any], what: str, seconds: float = PATIENCE_SECONDS) -> Any:
    """Wait until `holds` gives something true, and return that."""
    until = time.monotonic() + seconds
    while not (found := holds()):
        if time.monotonic() > until:
            raise AssertionError(f"waited {seconds:g} s in vain: {what}")
        time.sleep(0.1)
    return found


@dataclass(frozen=True)
class Running:
    """An Etappe that runs: where its pages are, and what it keeps in `home`."""

    home: Path
    web_url: str
    prefect_url: str
    said: str

    @property
    def deployment_page(self) -> str:
        """The address that the command gives for starting a rollout."""
        found = re.search(r"http\S+/deployments/deployment/\S+", self.said)
        assert found, self.said
        return found[0]

    def prefect(self, path: str, **body: Any) -> Any:
        """Ask Prefect's API; with a body it is a POST."""
        url = f"{self.prefect_url}/api/{path}"
        answer = httpx.post(url, json=body, timeout=30) if body else httpx.get(url, timeout=30)
        return answer.raise_for_status().json()

    def start_rollout(self, **parameters: Any) -> str:
        """Start a rollout with the request that Prefect's form sends; return the flow run's id."""
        deployment = self.prefect("deployments/name/rollout/start")["id"]
        created = self.prefect(
            f"deployments/{deployment}/create_flow_run", parameters=parameters, state={"type": "SCHEDULED"}
        )
        return str(created["id"])

    def until(self, flow_run_id: str, state: str) -> dict[str, Any]:
        """Wait until a flow run is in a state, by name, and return it."""

        def reached() -> dict[str, Any] | None:
            run = self.prefect(f"flow_runs/{flow_run_id}")
            return run if run["state_name"] == state else None

        return dict(eventually(reached, f"flow run {flow_run_id} becoming {state}"))

    def bars(self, flow_run_id: str) -> dict[str, str]:
        """The stages and gates in a flow run's timeline: name to state name."""
        nodes = self.prefect(f"flow_runs/{flow_run_id}/graph-v2")["nodes"]
        runs = self.prefect("task_runs/filter", task_runs={"id": {"any_": [node["id"] for _, node in nodes]}})
        return {run["name"]: run["state_name"] for run in runs if run["name"].startswith(("Stage", "Gate"))}

    def table(self, flow_run_id: str) -> dict[str, Any]:
        """The artifact with the table of gates."""
        [found] = self.prefect("artifacts/filter", artifacts={"flow_run_id": {"any_": [flow_run_id]}})
        return dict(found)

    def command(self, *arguments: str) -> str:
        """Run the command `etappe` for this installation; return what it prints."""
        environment = {**_environment(), "ETAPPE_HOME": str(self.home), "ETAPPE_BASE_URL": self.web_url}
        done = subprocess.run(
            [sys.executable, "-m", "cli", *arguments],
            cwd=CHECKOUT, env=environment, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout


@contextmanager
def run_etappe(home: Path) -> Iterator[Running]:
    """Run `etappe start` on free ports; at the end press Ctrl-C, and see that it goes and leaves its ports free."""
    web, prefect, smtp = ports = _free_ports(3)
    log = home.parent / "start.log"
    options = ["--home", str(home), "--web-port", str(web), "--prefect-port", str(prefect), "--smtp-port", str(smtp)]
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "cli", "start", *options],
            cwd=CHECKOUT, env=_environment(), stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        try:
            said = eventually(lambda: _welcome(process, log), "the end of the start", START_SECONDS)
            yield Running(home, f"http://{HOST}:{web}", f"http://{HOST}:{prefect}", said)
        finally:
            process.send_signal(signal.SIGINT)
            code = process.wait(timeout=60)
    assert code == 0, log.read_text()
    assert [port for port in ports if not _is_free(port)] == []


def _welcome(process: subprocess.Popen[bytes], log: Path) -> str:
    text = log.read_text(encoding="utf-8")
    assert process.poll() is None, text
    return text if "Ctrl-C ends all." in text else ""


def _environment() -> dict[str, str]:
    ours = ("ETAPPE_", "PREFECT_")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind((HOST, 0))
        return [int(each.getsockname()[1]) for each in sockets]


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return probe.connect_ex((HOST, port)) != 0
