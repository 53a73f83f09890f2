"""Decisions per second by two web processes against one, on one PostgreSQL: whole POSTs, each at a gate of its own.

Starts so many rollouts once, and gives each measurement a fresh copy of that database. PostgreSQL writes every commit
to the disk before it answers (synchronous_commit and fsync on). One and two processes take turns; medians are printed,
with minimum and maximum, and what each part takes of the processor for a decision.

Where clients, database and web processes share few cores, two web processes cannot have twice as many: so the
processor's time says how far that goes. A web process needs a core of its own; as long as it has one, and what a
decision costs is the same with two of them, they decide twice as much, until the database has used up its own cores.
The last line is the raw limit in the same run: rows committed by as many clients, each told to the relays.
Run: python benchmarks/two_of_each.py [decisions] [rounds]
"""

from __future__ import annotations

import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode

import psutil  # type: ignore[import-untyped]  # its stubs are a package of their own

sys.path.insert(0, str(Path(__file__).parents[1]))

from models import schema
from models.checks import CheckRun
from models.database import Database
from settings import CHECKOUT
from tests.company import KEYS, SIGN_OFF, Company, one_gate
from tests.postgres import Postgres
from worker import postgres
from worker.parts import leashed

CLIENTS = 16
WARM_UP = 20 * CLIENTS
"""Each process, and each of its sessions in PostgreSQL, learns its statements first: that is not what one costs."""
Form = tuple[str, bytes]
"""Where to post, and what."""


@dataclass(frozen=True)
class Measured:
    """What so many decisions took: by the clock (seconds), and of the processor for each of them (milliseconds)."""

    per_second: float
    web: float
    database: float
    clients: float


def main() -> None:
    """Measure one and two in turns, and print the medians and what follows from them."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    found: dict[int, list[Measured]] = {1: [], 2: []}
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder, _postgres(Path(folder)) as (server, process):
        forms = _prepare(server, count + WARM_UP)
        for _ in range(rounds):
            for webs in found:
                found[webs].append(_measure(server, process, webs, forms, Path(folder)))
        limit = _commits(server, count)
    for webs, all_of_them in found.items():
        _say(webs, all_of_them)
    _conclude(found)
    print(f"the raw limit: {limit:.0f} rows committed per s by {CLIENTS} clients")


@contextmanager
def _postgres(folder: Path) -> Iterator[tuple[Postgres, psutil.Process]]:
    """A PostgreSQL that writes down what it commits, and its process."""
    server = postgres.Postgres(folder / "postgres", "maintenance")
    folder.chmod(0o755)
    part = server.part()
    server.prepare()
    with (folder / "postgres.log").open("wb") as log:
        command = [*part.command, "--synchronous_commit=on", "--max_connections=100"]
        process = subprocess.Popen(leashed(command, part.user), stdout=log, stderr=log)
    try:
        while not server.answers():
            time.sleep(0.05)
        yield Postgres(server), psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(60)


def _prepare(server: Postgres, count: int) -> list[Form]:
    """Start so many rollouts with one gate each in the database "waiting"; return what decides them."""
    db = Database(server.create("waiting"))
    schema.upgrade(db)
    company = Company(db, now=datetime.now(UTC))
    forms = [_form(company) for _ in range(count)]
    db.close()
    return forms


def _form(company: Company) -> Form:
    company.start(one_gate(f"{SIGN_OFF}, quorum: any"))
    request = company.asked("anna@example.com")
    fields = {"decision": "approve", "code": company.code(request), "digest": company.page(request).digest}
    return f"/decide/{company.token(request)}", urlencode(fields).encode()


def _measure(server: Postgres, database: psutil.Process, webs: int, forms: Sequence[Form], folder: Path) -> Measured:
    url = server.create(template="waiting")
    with ExitStack() as stack:
        running = [stack.enter_context(_web(url, folder)) for _ in range(webs)]
        ports = [port for port, _ in running]
        _decide(ports, forms[:WARM_UP])
        processes = [process for _, process in running]
        before, began = _used(processes, database), time.perf_counter()
        _decide(ports, forms[WARM_UP:])
        took, after = time.perf_counter() - began, _used(processes, database)
    count = len(forms) - WARM_UP
    web, base, clients = ((late - early) * 1000 / count for early, late in zip(before, after, strict=True))
    return Measured(count / took, web, base, clients)


def _commits(server: Postgres, count: int) -> float:
    """How many rows so many clients commit in a second, each in a transaction of its own."""
    db = Database(server.create(template="waiting"))

    def commit(_: int) -> None:
        with db.write() as session:
            session.add(CheckRun(started_at=datetime.now(UTC), report={}))

    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(commit, range(CLIENTS)))  # as many connections are open then
        began = time.perf_counter()
        list(pool.map(commit, range(count)))
        took = time.perf_counter() - began
    db.close()
    return count / took


@contextmanager
def _web(url: str, folder: Path) -> Iterator[tuple[int, psutil.Process]]:
    """A web process, until the block ends; its port, and the process."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    environment = {
        **os.environ,
        "ETAPPE_HOME": str(folder),
        "ETAPPE_DATABASE_URL": url,
        "ETAPPE_SECRET_KEYS": KEYS[0].decode(),
    }
    command = [sys.executable, "-m", "cli", "web", "--web-port", str(port)]
    with subprocess.Popen(command, cwd=CHECKOUT, env=environment, stdout=subprocess.DEVNULL) as process:
        while not _is_up(port):
            time.sleep(0.05)
        yield port, psutil.Process(process.pid)
        process.terminate()


def _is_up(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def _decide(ports: Sequence[int], forms: Sequence[Form]) -> None:
    """Post all forms by so many clients, each with a kept connection, as many to each web process."""
    with ThreadPoolExecutor(CLIENTS) as pool:
        shares = [forms[number::CLIENTS] for number in range(CLIENTS)]
        list(pool.map(_post_all, [ports[number % len(ports)] for number in range(CLIENTS)], shares))


def _post_all(port: int, forms: Sequence[Form]) -> None:
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    for path, body in forms:
        connection.request("POST", path, body, {"Content-Type": "application/x-www-form-urlencoded"})
        answer = connection.getresponse()
        page = answer.read()
        if answer.status != 200:
            raise SystemExit(f"not a 200: {answer.status} {re.sub('<[^>]+>', ' ', page.decode())[:500]}")
    connection.close()


def _used(webs: Sequence[psutil.Process], database: psutil.Process) -> tuple[float, float, float]:
    """The processor's time until now, in seconds: of the web processes, of all of the database, of this process."""
    sessions = sum(map(_seconds, database.children(recursive=True)))
    ended = sum(database.cpu_times()[2:4])  # sessions that are over
    return sum(map(_seconds, webs)), _seconds(database) + sessions + ended, time.process_time()


def _seconds(process: psutil.Process) -> float:
    """What a process has used by itself, and the kernel for it; nothing once it has ended."""
    try:
        used: tuple[float, ...] = process.cpu_times()[:2]
    except psutil.NoSuchProcess:
        return 0.0
    return sum(used)


def _say(webs: int, found: Sequence[Measured]) -> None:
    rates = [each.per_second for each in found]
    print(
        f"{webs} web: median {statistics.median(rates):6.1f} decisions per s   min {min(rates):6.1f}   "
        f"max {max(rates):6.1f}   of the processor for each: web {_median(found, 'web'):5.2f} ms, "
        f"database {_median(found, 'database'):5.2f} ms, clients {_median(found, 'clients'):5.2f} ms"
    )


def _median(found: Sequence[Measured], name: str) -> float:
    return statistics.median(float(getattr(each, name)) for each in found)


def _conclude(found: dict[int, list[Measured]]) -> None:
    ratios = [two.per_second / one.per_second for one, two in zip(found[1], found[2], strict=True)]
    print(f"two against one: median {statistics.median(ratios):.2f}   min {min(ratios):.2f}   max {max(ratios):.2f}")
    one, two = (sum(_median(found[webs], name) for name in ("web", "database", "clients")) for webs in (1, 2))
    web, cores = _median(found[1], "web"), os.cpu_count() or 1
    print(f"a decision takes {two / one:.2f} times as much of the processor with two as with one")
    most = min(2.0, web * cores / two)
    print(f"most that {cores} cores shared by all allow: {most:.2f}; with a core for each web process: ", end="")
    print(f"{2 * web / _median(found[2], 'web'):.2f}")
    print(f"one core of the database is used up by {1000 / _median(found[2], 'database'):.0f} decisions per s")


if __name__ == "__main__":
    main()
