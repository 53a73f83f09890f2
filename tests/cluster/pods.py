"""All that deploy/kubernetes.yaml says, in the cluster that kubectl reaches, whose only node is this machine.

Who is killed is started again by the kubelet, in the same pod; a replica is the container that was there when all were
up, and is gone when that is. Processes and connections are looked at from outside, so this needs Linux, and root.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]  # its stubs are a package of their own
import yaml

from tests.cluster.places import Addresses, free_ports, ports_in
from tests.deployed import DEPLOY

NAMESPACE = "etappe"
START_SECONDS = 600
POLL_SECONDS = 1
UP_SECONDS = 15
"""So long everything must have been up, for a container is also called ready that is about to end."""
FIRST = ("Namespace", "Service")
"""Made before the rest, which is told their addresses."""


@dataclass(frozen=True)
class Pod:
    """One container of a pod, by the pod's place among its kind."""

    name: str
    pod: str
    container: str

    @property
    def is_gone(self) -> bool:
        """Whether it has ended."""
        return not self.family

    @property
    def address(self) -> str:
        """Where this machine reaches it."""
        return str(_status(_get("pod", self.pod))["podIP"])

    @property
    def family(self) -> list[psutil.Process]:
        """Its processes; empty when it is gone."""
        return [process for process in psutil.process_iter() if self._is_in(process)]

    @property
    def log(self) -> str:
        """What it has said, what was started again in its place included."""
        said = [_kubectl("logs", self.pod)]
        with suppress(AssertionError):  # nothing was started again
            said.insert(0, _kubectl("logs", self.pod, "--previous"))
        return "".join(said)

    def ports_to(self, port: int) -> set[int]:
        """From which ports its pod is connected with this one."""
        return set().union(*(ports_in(process.pid, port) for process in self.family[:1]))

    def kill(self) -> None:
        """Kill it at once with all that came of it."""
        for process in self.family:
            with suppress(psutil.NoSuchProcess):
                process.kill()

    def _is_in(self, process: psutil.Process) -> bool:
        try:
            return self.container in Path(f"/proc/{process.pid}/cgroup").read_text()
        except OSError:
            return False


class Pods:
    """Lives in a namespace that it makes and removes; keeps logs below one folder."""

    def __init__(self, folder: Path) -> None:
        """Raises AssertionError when there is such a namespace already, which is somebody else's and none to remove."""
        there = _kubectl("get", "namespaces", "--output", "name").split()
        assert f"namespace/{NAMESPACE}" not in there, "an Etappe is in this cluster already"
        self.folder = folder
        self.replicas: dict[str, list[Pod]] = {}
        self.restarts: Counter[str] = Counter()
        [node] = _get("nodes")["items"]
        self.mail_host = next(each["address"] for each in _status(node)["addresses"] if each["type"] == "InternalIP")
        [smtp] = free_ports(1)
        self.at = Addresses(postgres=5432, redis=6379, web=8400, prefect=4200, smtp=smtp)

    def start(self) -> None:
        """Apply the file, filled in; return once everything is up."""
        _apply([each for each in self._documents() if each["kind"] in FIRST])
        web, prefect = (_get("service", name)["spec"]["clusterIP"] for name in ("web", "prefect-server"))
        self.at = replace(self.at, web_host=web, prefect_host=prefect)
        _apply(self._documents())
        until = time.monotonic() + START_SECONDS
        seen, since = self._up(), time.monotonic()
        while not seen or time.monotonic() - since < UP_SECONDS:
            assert time.monotonic() < until, _kubectl("get", "pods")
            time.sleep(POLL_SECONDS)
            if (now := self._up()) != seen:
                seen, since = now, time.monotonic()
        self.replicas = seen

    def start_again(self, name: str) -> None:
        """The kubelet does, for all."""

    def stop(self) -> None:
        """End everything, and remove it; what it has said stays in the folder."""
        try:
            for pod in (each for these in self.replicas.values() for each in these):
                (self.folder / f"{pod.name}.log").write_text(pod.log)
        finally:
            self.replicas = {}
            _kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found")

    def left_running(self) -> list[str]:
        """What is in the namespace, if that is there."""
        return _kubectl("get", "all", "--output", "name").split()

    def execute(self, name: str, *words: str) -> str:
        """Run a command beside a service; return what it prints."""
        return _kubectl("exec", self.replicas[name][-1].pod, "--", *words)

    def settings(self, home: Path) -> dict[str, str]:
        """The variables by which this process looks at what the cluster does, with a home of its own."""
        ours = {name: value for name, value in self._given().items() if name.startswith("ETAPPE_")}
        return ours | {"ETAPPE_HOME": str(home), "ETAPPE_DATABASE_URL": self.database_url("etappe")}

    def database_url(self, name: str) -> str:
        """Where this process finds one of the cluster's databases."""
        [postgres] = self.replicas["postgres"]
        password = self._given()["POSTGRES_PASSWORD"]
        return f"postgresql://etappe:{password}@{postgres.address}:{self.at.postgres}/{name}"

    def _given(self) -> dict[str, str]:
        return self.at.filled_in(self.mail_host)

    def _documents(self) -> list[dict[str, Any]]:
        """The file, with everything filled in that is an example in it."""
        given = self._given()
        again = ("ETAPPE_BASE_URL", "ETAPPE_MAIL_FROM", "ETAPPE_SMTP_URL", "ETAPPE_SECRET_KEYS")
        values = {name: given[name] for name in again} | {
            "PREFECT_API_AUTH_STRING": given["PREFECT_AUTH_STRING"],
            "PREFECT_SERVER_API_AUTH_STRING": given["PREFECT_AUTH_STRING"],
            "PREFECT_UI_URL": self.at.prefect_url,
            "PREFECT_SERVER_UI_API_URL": f"{self.at.prefect_url}/api",
        }
        source = (DEPLOY / "kubernetes.yaml").read_text("utf-8").replace("change-me", given["POSTGRES_PASSWORD"])
        documents = [dict(each) for each in yaml.safe_load_all(source)]
        for each in documents:
            examples = each.get("data") or each.get("stringData") or {}
            examples.update({name: values.pop(name) for name in values.keys() & examples.keys()})
        assert not values, values
        return documents

    def _up(self) -> dict[str, list[Pod]]:
        """All pods by what they are for, when the jobs are done and all others are ready; otherwise nothing."""
        found: dict[str, list[Pod]] = {}
        restarts: Counter[str] = Counter()
        for each in _get("pods")["items"]:
            name, [container] = each["metadata"]["labels"]["app"], _status(each).get("containerStatuses") or [{}]
            if _status(each)["phase"] == "Succeeded":
                continue  # a job, which is tried until it succeeds
            restarts[name] += container.get("restartCount", 0)
            if not container.get("ready"):
                return {}
            number = len(found.setdefault(name, [])) + 1
            number_of_container = container["containerID"].rpartition("/")[2]
            found[name].append(Pod(f"{name}-{number}", each["metadata"]["name"], number_of_container))
        self.restarts = +restarts
        wanted = {each["metadata"]["name"]: each["spec"]["replicas"] for each in self._documents()
                  if each["kind"] in ("Deployment", "StatefulSet")}  # fmt: skip
        return found if {name: len(these) for name, these in found.items()} == wanted else {}


def _kubectl(*words: str, given: str | None = None) -> str:
    """Run kubectl; return what it prints. Raises AssertionError with what it said when that fails."""
    done = subprocess.run(
        ["kubectl", "--namespace", NAMESPACE, *words],
        input=given, capture_output=True, text=True, timeout=START_SECONDS, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _get(*words: str) -> dict[str, Any]:
    return dict(json.loads(_kubectl("get", *words, "--output", "json")))


def _status(found: dict[str, Any]) -> dict[str, Any]:
    return dict(found["status"])


def _apply(documents: list[dict[str, Any]]) -> None:
    _kubectl("apply", "--filename", "-", given=yaml.safe_dump_all(documents))
