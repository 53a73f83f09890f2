"""All services of deploy/compose.yaml as processes: started in its order, restarted until they are up, killed, ended.

Once all are up, nobody is restarted any more: who is killed stays away.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]  # its stubs are a package of their own
import psycopg
import redis

from settings import CHECKOUT
from tests.cluster.places import HOST, Addresses, command, free_ports
from worker import postgres
from worker.family import end_all, family
from worker.leash import leashed

MOST_RESTARTS = 5
START_SECONDS = 240
GRACE = timedelta(seconds=30)
NOT_FROM_THE_IMAGE = ("postgres", "redis", "proxy")


@dataclass
class Process:
    """One container's place: its process, and what it has for itself."""

    name: str
    home: Path
    port: int
    process: subprocess.Popen[bytes]

    @property
    def is_gone(self) -> bool:
        """Whether it has ended."""
        return self.process.poll() is not None

    @property
    def family(self) -> list[psutil.Process]:
        """Its process and all that came of it; empty when it is gone."""
        return family(self.process.pid)

    @property
    def log(self) -> str:
        """What it has said."""
        return (self.home / "log").read_text(errors="replace")

    def ports_to(self, port: int) -> set[int]:
        """From which ports it is connected with this one."""
        lines = [line for each in self.family for line in each.net_connections("tcp4")]
        return {line.laddr.port for line in lines if line.raddr and line.raddr.port == port}

    def kill(self) -> None:
        """Kill it at once with all that came of it, as when a container is killed."""
        for process in self.family:
            process.kill()
        self.process.wait(10)


class Processes:
    """Runs below one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.at = Addresses.free()
        self.mail_host = HOST
        self.services, self._configs = self.at.services()
        self.replicas: dict[str, list[Process]] = {}
        self.restarts: Counter[str] = Counter()
        self._ports = {
            name: free_ports(2) if self.services[name].get("expose") else [0] * self._count(name)
            for name in self.services
        }

    def start(self) -> None:
        """Start everything in the order of the file; return once all is up that says whether it is."""
        self._start_postgres()
        self._start_redis()
        self._start_proxy()
        for name in self._in_order():
            for other, how in self.services[name].get("depends_on", {}).items():
                if other not in NOT_FROM_THE_IMAGE:
                    self._wait(other, how["condition"])
            if name not in NOT_FROM_THE_IMAGE:
                self.replicas[name] = [self._start(name, number) for number in range(self._count(name))]
        self._wait("web", "service_healthy")

    def start_again(self, name: str) -> None:
        """Start a service that has ended and of which there is one."""
        self.replicas[name] = [self._start(name)]

    def stop(self) -> None:
        """End everything, what all others need at the end."""
        for names in (self.replicas.keys() - set(NOT_FROM_THE_IMAGE), NOT_FROM_THE_IMAGE):
            replicas = [replica for name in names for replica in self.replicas.get(name, [])]
            end_all([process for replica in replicas for process in replica.family], GRACE)
            for replica in replicas:
                replica.process.wait(10)

    def left_running(self) -> list[str]:
        """Whatever was started here, or has come of it, and still runs."""
        return [words for process in psutil.process_iter() if (words := self._words_if_ours(process))]

    def execute(self, name: str, *words: str) -> str:
        """Run a command beside a service, as `docker compose exec` does; return what it prints."""
        replica = self.replicas[name][0]
        done = subprocess.run(
            command(words, self.services[name], replica.port), cwd=CHECKOUT, env=self.environment(name, replica.home),
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def settings(self, home: Path) -> dict[str, str]:
        """The variables by which this process looks at what the cluster does, with a home of its own."""
        return self.environment("web", home)

    def database_url(self, name: str) -> str:
        """Where this process finds one of the cluster's databases."""
        return f"postgresql://etappe@{HOST}:{self.at.postgres}/{name}"

    def environment(self, name: str, home: Path) -> dict[str, str]:
        """The variables of a service's container whose home this is."""
        return self.at.environment(self.services[name].get("environment", {}), home)

    def _count(self, name: str) -> int:
        return int(self.services[name].get("deploy", {}).get("replicas", 1))

    def _in_order(self) -> Sequence[str]:
        needs = {name: service.get("depends_on", {}).keys() for name, service in self.services.items()}
        return list(TopologicalSorter(needs).static_order())

    def _start(self, name: str, number: int = 0) -> Process:
        service, port = self.services[name], self._ports[name][number]
        home = self.folder / f"{name}-{number + 1}"
        return self._run(home, command(service["command"], service, port), self.environment(name, home), port)

    def _run(
        self, home: Path, words: Sequence[str], environment: Mapping[str, str], port: int, user: str = ""
    ) -> Process:
        (home / "tmp").mkdir(parents=True, exist_ok=True)
        with (home / "log").open("ab") as log:
            process = subprocess.Popen(
                leashed(words, user),
                cwd=CHECKOUT, env=dict(environment), stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        return Process(home.name, home, port, process)

    def _wait(self, name: str, condition: str) -> None:
        """Wait until all of a service are as the condition says; who ends before is started again."""
        until = time.monotonic() + START_SECONDS
        for number in range(self._count(name)):
            while not self._is(condition, name, number):
                assert time.monotonic() < until, f"{name}: {self.replicas[name][number].log}"
                time.sleep(0.3)

    def _is(self, condition: str, name: str, number: int) -> bool:
        replica, service = self.replicas[name][number], self.services[name]
        code = replica.process.poll()
        if code == 0 and condition == "service_completed_successfully":
            return True
        if code is not None:
            self.restarts[name] += 1
            assert self.restarts[name] <= MOST_RESTARTS, f"{name}: {replica.log}"
            self.replicas[name][number] = self._start(name, number)
            return False
        return condition == "service_healthy" and _succeeds(
            command(service["healthcheck"]["test"][1:], service, replica.port)
        )

    def _start_postgres(self) -> None:
        server = postgres.Postgres(self.folder / "postgres-1", "maintenance")
        home = server.folder
        server.prepare()
        words = [
            postgres.program("postgres"), *self.services["postgres"]["command"][1:], "-D", str(server.data),
            "-p", str(self.at.postgres), "-c", f"listen_addresses={HOST}",
            "-c", f"unix_socket_directories={server.socket_folder}",
        ]  # fmt: skip
        environment = {"HOME": str(home), "PATH": os.environ["PATH"]}
        started = self._run(home, words, environment, self.at.postgres, postgres.STAND_IN)
        self.replicas["postgres"] = [started]
        _eventually(self._has_postgres, started)
        given = self.services["postgres"]["environment"]
        with psycopg.connect(self._postgres(), autocommit=True) as connection:
            connection.execute(f"CREATE ROLE {given['POSTGRES_USER']} SUPERUSER LOGIN")
            connection.execute(f"CREATE DATABASE {given['POSTGRES_DB']} OWNER {given['POSTGRES_USER']}")
            connection.execute(self._configs["databases"])

    def _postgres(self) -> str:
        return f"postgresql://{postgres.SUPERUSER}@{HOST}:{self.at.postgres}/maintenance"

    def _has_postgres(self) -> bool:
        try:
            psycopg.connect(self._postgres(), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def _start_redis(self) -> None:
        home = self.folder / "redis-1"
        here = ["--port", str(self.at.redis), "--bind", HOST, "--dir", str(home)]
        words = [*self.services["redis"]["command"], *here]
        environment = {"HOME": str(home), "PATH": os.environ["PATH"]}
        self.replicas["redis"] = [self._run(home, words, environment, self.at.redis)]
        _eventually(self._has_redis, self.replicas["redis"][0])

    def _has_redis(self) -> bool:
        with redis.Redis(HOST, self.at.redis) as connection:
            try:
                return bool(connection.ping())
            except redis.ConnectionError:
                return False

    def _start_proxy(self) -> None:
        home = self.folder / "proxy-1"
        home.mkdir()
        (home / "nginx.conf").write_text(NGINX.format(
            home=home, user="user root;" if os.geteuid() == 0 else "",
            servers=self.at.proxy(self._configs["proxy"], self._ports),
        ))  # fmt: skip
        environment = {"HOME": str(home), "PATH": f"{os.environ['PATH']}:/usr/sbin"}
        words = ["nginx", "-c", str(home / "nginx.conf"), "-e", str(home / "log")]
        self.replicas["proxy"] = [self._run(home, words, environment, 0)]

    def _words_if_ours(self, process: psutil.Process) -> str:
        """Its command where it was started here and runs; it may end while it is looked at."""
        try:
            if process.status() == psutil.STATUS_ZOMBIE:
                return ""
            words = " ".join(process.cmdline())
            given = [words, *process.environ().values()]
        except psutil.Error:
            return ""
        return words if any(str(self.folder) in value for value in given) else ""


NGINX = """
{user}
daemon off;
pid {home}/pid;
worker_processes 1;
events {{}}
http {{
  access_log {home}/access;
  client_body_temp_path {home}/tmp/body;
  proxy_temp_path {home}/tmp/proxy;
  fastcgi_temp_path {home}/tmp/fastcgi;
  uwsgi_temp_path {home}/tmp/uwsgi;
  scgi_temp_path {home}/tmp/scgi;
{servers}
}}
"""
"""What the image of nginx has around the proxy's configuration."""


def _succeeds(words: Sequence[str]) -> bool:
    return subprocess.run(words, capture_output=True, check=False, timeout=30).returncode == 0


def _eventually(holds: Any, replica: Process) -> None:
    until = time.monotonic() + START_SECONDS
    while not holds():
        assert replica.process.poll() is None and time.monotonic() < until, replica.log
        time.sleep(0.1)
