"""Web processes, and a PostgreSQL that writes every commit to the disk: started, and looked at while they work."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # its stubs are a package of their own

from models.checks import CheckRun
from models.database import Database
from settings import CHECKOUT
from tests.ports import free_port
from tests.postgres import Postgres
from worker import postgres
from worker.leash import leashed

DISK = "/var/tmp"
"""Where databases lie on a disk: the temporary folder may be memory."""
PATIENCE_SECONDS = 60


@contextmanager
def durable_postgres(folder: Path) -> Iterator[tuple[Postgres, psutil.Process]]:
    """A PostgreSQL that has written down what it says it has committed, and its process, until the block ends."""
    server = postgres.Postgres(folder / "postgres", "maintenance")
    folder.chmod(0o755)
    part = server.part()
    server.prepare()
    with (folder / "postgres.log").open("wb") as log:
        command = [*part.command, "--synchronous_commit=on", "--max_connections=100"]
        process = subprocess.Popen(leashed(command, part.user), stdout=log, stderr=log)
    try:
        _until(server.answers, process)
        yield Postgres(server), psutil.Process(process.pid)
    finally:
        process.send_signal(part.stop_signal)
        process.wait(PATIENCE_SECONDS)


@contextmanager
def web(url: str, home: Path, key: bytes) -> Iterator[tuple[int, psutil.Process]]:
    """A web process on this database, until the block ends; its port, and the process. Its log is beside `home`."""
    port = free_port()
    environment = {
        **os.environ,
        "ETAPPE_HOME": str(home),
        "ETAPPE_DATABASE_URL": url,
        "ETAPPE_SECRET_KEYS": key.decode(),
    }
    command = [sys.executable, "-m", "cli", "web", "--web-port", str(port)]
    with (home / f"web-{port}.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=CHECKOUT, env=environment, stdout=log, stderr=log)
    try:
        _until(lambda: _listens(port), process)
        yield port, psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(PATIENCE_SECONDS)


def used(processes: Sequence[psutil.Process]) -> float:
    """Seconds of the processor that these and their children have used until now, those that ended included."""
    families = [each for process in processes for each in (process, *process.children(recursive=True))]
    return sum(map(_seconds, families)) + sum(sum(process.cpu_times()[2:4]) for process in processes)


def commits_per_second(db: Database, count: int, clients: int) -> float:
    """How many rows so many threads commit in a second, each row in a transaction of its own: the raw limit."""

    def commit(_: int) -> None:
        with db.write() as session:
            session.add(CheckRun(started_at=datetime.now(UTC), report={}))

    with ThreadPoolExecutor(clients) as pool:
        list(pool.map(commit, range(clients)))  # as many connections are open then
        began = time.perf_counter()
        list(pool.map(commit, range(count)))
        return count / (time.perf_counter() - began)


def _until(ready: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while not ready():
        if process.poll() is not None or time.monotonic() > until:
            raise SystemExit(f"did not start: {process.args!r}")
        time.sleep(0.05)


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def _seconds(process: psutil.Process) -> float:
    """What a process has used by itself, and the kernel for it; nothing once it has ended."""
    try:
        own: tuple[float, ...] = process.cpu_times()[:2]
    except psutil.NoSuchProcess:
        return 0.0
    return sum(own)
