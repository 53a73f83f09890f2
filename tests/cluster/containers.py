"""All services of deploy/compose.yaml as what they are meant to be: containers, by Docker and its compose.

Who is killed by hand is not started again by Docker, whatever the file says of restarting. Processes and connections of
containers are looked at from outside, so this needs Linux, and root.
"""

from __future__ import annotations

import json
import socket
import subprocess
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]  # its stubs are a package of their own

from settings import CHECKOUT
from tests.cluster.places import Addresses, free_ports, ports_in
from tests.deployed import DEPLOY
from worker.family import family

PROJECT = "etappe-cluster"
BUILD_AND_START_SECONDS = 900


@dataclass(frozen=True)
class Container:
    """One container, by its name without the project's."""

    name: str
    id: str

    @property
    def is_gone(self) -> bool:
        """Whether it has ended."""
        return not self._inspect()["State"]["Running"]

    @property
    def restarts(self) -> int:
        """How many times Docker has started it again."""
        return int(self._inspect()["RestartCount"])

    @property
    def address(self) -> str:
        """Where this machine reaches it."""
        [network] = self._inspect()["NetworkSettings"]["Networks"].values()
        return str(network["IPAddress"])

    @property
    def family(self) -> list[psutil.Process]:
        """Its processes; empty when it is gone."""
        return family(self._pid) if self._pid else []

    @property
    def log(self) -> str:
        """What it has said."""
        done = subprocess.run(["docker", "logs", self.id], capture_output=True, text=True, check=True)
        return done.stdout + done.stderr

    def ports_to(self, port: int) -> set[int]:
        """From which ports it is connected with this one: all connections of a container are its own."""
        return set() if self.is_gone else ports_in(self._pid, port)

    def kill(self) -> None:
        """Kill it at once."""
        docker("kill", self.id)

    @property
    def _pid(self) -> int:
        """The number of its first process, as this machine counts; 0 when it is gone."""
        return int(self._inspect()["State"]["Pid"])

    def _inspect(self) -> dict[str, Any]:
        return dict(json.loads(docker("inspect", self.id))[0])


class Containers:
    """Runs as a project of its own, at the ports of the file; keeps logs below one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        [smtp] = free_ports(1)
        self.at = Addresses(postgres=5432, redis=6379, web=8400, prefect=4200, smtp=smtp)
        self.mail_host = _address_of("docker0")
        self.replicas: dict[str, list[Container]] = {}
        self._given = self.at.filled_in(self.mail_host)
        self._variables = folder / "filled-in.env"

    @property
    def restarts(self) -> Counter[str]:
        """How many times each service had to be started again."""
        return +Counter({name: sum(each.restarts for each in these) for name, these in self.replicas.items()})

    def start(self) -> None:
        """Build the image and start everything, by the one command that the file names; return once compose does."""
        self._variables.write_text("".join(f"{name}={value}\n" for name, value in self._given.items()))
        self._compose("up", "--build", "--detach")
        for line in self._compose("ps", "--all", "--format", "json").splitlines():
            each = json.loads(line)
            container = Container(each["Name"].removeprefix(f"{PROJECT}-"), each["ID"])
            self.replicas.setdefault(each["Service"], []).append(container)
        for these in self.replicas.values():
            these.sort(key=lambda container: container.name)

    def start_again(self, name: str) -> None:
        """Start a service that has ended and of which there is one."""
        self._compose("start", name)

    def stop(self) -> None:
        """End everything, and remove it; what it has said stays in the folder."""
        for container in (each for these in self.replicas.values() for each in these):
            (self.folder / f"{container.name}.log").write_text(container.log)
        self.replicas = {}
        self._compose("down", "--volumes", "--timeout", "30")

    def left_running(self) -> list[str]:
        """Containers and volumes of the project."""
        ours = f"label=com.docker.compose.project={PROJECT}"
        return [
            *docker("ps", "--all", "--quiet", "--filter", ours).split(),
            *docker("volume", "ls", "--quiet", "--filter", ours).split(),
        ]

    def execute(self, name: str, *words: str) -> str:
        """Run a command beside a service; return what it prints."""
        return self._compose("exec", "--no-TTY", name, *words)

    def settings(self, home: Path) -> dict[str, str]:
        """The variables by which this process looks at what the cluster does, with a home of its own."""
        ours = {name: value for name, value in self._given.items() if name.startswith("ETAPPE_")}
        return ours | {"ETAPPE_HOME": str(home), "ETAPPE_DATABASE_URL": self.database_url("etappe")}

    def database_url(self, name: str) -> str:
        """Where this process finds one of the cluster's databases."""
        [postgres] = self.replicas["postgres"]
        return f"postgresql://etappe:{self._given['POSTGRES_PASSWORD']}@{postgres.address}:{self.at.postgres}/{name}"

    def _compose(self, *words: str) -> str:
        file = ("--file", str(DEPLOY / "compose.yaml"), "--env-file", str(self._variables))
        return docker("compose", "--project-name", PROJECT, *file, *words)


def docker(*words: str) -> str:
    """Run docker; return what it prints. Raises AssertionError with what it said when that fails."""
    done = subprocess.run(
        ["docker", *words], cwd=CHECKOUT, capture_output=True, text=True, timeout=BUILD_AND_START_SECONDS, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _address_of(interface: str) -> str:
    """Where containers reach this machine."""
    [address] = [each.address for each in psutil.net_if_addrs()[interface] if each.family is socket.AF_INET]
    return str(address)
