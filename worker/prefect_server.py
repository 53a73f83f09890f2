"""Prefect's server and a worker for one home: environment, database, how they start, when they are ready.

Nothing here leaves the machine: the server listens on 127.0.0.1, its database on a socket, and Prefect's analytics are
off. The new version of Prefect's pages asks an analytics service all the same, from the browser, so the classic pages
are the ones that open. The database is PostgreSQL, since on SQLite the server answered 38 of 40 concurrent creates of a
flow run with 503.
"""

from __future__ import annotations

import base64
import json
import os
import socket
import sys
import urllib.request
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from settings import CHECKOUT, WARM, WORK_POOL
from worker.parts import Part, Port
from worker.postgres import Postgres

HOST = "127.0.0.1"
PORT_OPTION = "--prefect-port"
AT_MOST = 16
"""How many flow runs a warm worker runs at a time; fewer by the work pool's own limit in Prefect."""
WARM_WORKER = ("prefect.main", "worker.warm.worker", "worker.warm.zygote:warm_up")
"""What a warm worker imports, and has done, before it starts."""

_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def prefect_environment(
    home: Path, port: int, *, credentials: str = "", poll_every: timedelta = timedelta(seconds=1)
) -> dict[str, str]:
    """The variables that make a process's Prefect that of this home: server, worker, flow runs and clients alike.

    `credentials` ("user:password") locks Prefect's API and its pages; empty: open to whoever can reach 127.0.0.1.
    """
    address = f"http://{HOST}:{port}"
    locked = {"PREFECT_SERVER_API_AUTH_STRING": credentials, "PREFECT_API_AUTH_STRING": credentials}
    return {
        "PREFECT_HOME": str(_folder(home)),
        "PREFECT_PROFILES_PATH": str(_folder(home) / "profiles.toml"),
        "PREFECT_API_URL": f"{address}/api",
        "PREFECT_SERVER_API_HOST": HOST,
        "PREFECT_SERVER_API_PORT": str(port),
        "PREFECT_SERVER_CORS_ALLOWED_ORIGINS": f"{address},http://localhost:{port}",
        "PREFECT_SERVER_DATABASE_CONNECTION_URL": database(home).url("postgresql+asyncpg"),
        "PREFECT_SERVER_UI_API_URL": f"{address}/api",
        "PREFECT_SERVER_UI_STATIC_DIRECTORY": str(_folder(home) / "pages"),
        "PREFECT_SERVER_UI_V2_ENABLED": "false",
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "PREFECT_TELEMETRY_ENABLE_RESOURCE_METRICS": "false",
        "PREFECT_CLI_PROMPT": "false",
        "PREFECT_WORKER_QUERY_SECONDS": f"{poll_every.total_seconds():g}",
        **(locked if credentials else {}),
    }


def database(home: Path) -> Postgres:
    """The PostgreSQL of this home's Prefect."""
    return Postgres(_folder(home) / "database", "prefect")


def server_parts(home: Path, port: int, *, credentials: str = "") -> list[Part]:
    """Prefect's database and its server, in the order in which they start."""
    server = Part(
        name="prefect server",
        command=[sys.executable, "-m", "worker.prefect_program", *f"server start --host {HOST} --port {port}".split()],
        environment=prefect_environment(home, port, credentials=credentials),
        ready=lambda: is_healthy(port),
        ready_within=timedelta(minutes=3),
        ports=(Port(port, PORT_OPTION),),
    )
    return [database(home).part(), server]


def worker_part(home: Path, port: int, *, credentials: str = "", worker_type: str = WARM) -> Part:
    """A worker of this type, which makes the work pool when there is none.

    A limit for the warm worker alone: with one, the stock one was seen to crash when it polls this often. A temporary
    folder of its own: in the common one all users of a machine would share `runner_storage`, and only the first could
    start a worker.
    """
    began = datetime.now(UTC)
    temporary = _folder(home) / "temporary"
    ours = worker_type == WARM
    return Part(
        name="worker",
        command=_warm_worker() if ours else _stock_worker(worker_type),
        environment={
            **prefect_environment(home, port, credentials=credentials),
            "TMPDIR": str(temporary),
            "PYTHONPATH": python_path(),  # Prefect finds our type there
        },
        prepare=lambda: temporary.mkdir(parents=True, exist_ok=True),
        ready=lambda: has_worker(port, since=began, credentials=credentials),
        ready_within=timedelta(minutes=2),
        stop_within=timedelta(seconds=5),
        preload=WARM_WORKER if ours else (),
    )


def worker_name() -> str:
    """The name in Prefect of this machine's worker: the same after a restart, another one on another machine."""
    return f"etappe on {socket.gethostname()}"


def python_path() -> str:
    """Return where the parts find Etappe's packages, whatever folder they run in."""
    return os.pathsep.join(filter(None, [str(CHECKOUT), os.environ.get("PYTHONPATH", "")]))


def is_healthy(port: int) -> bool:
    """Whether Prefect's server answers."""
    try:
        with _direct.open(f"http://{HOST}:{port}/api/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def has_worker(port: int, *, since: datetime, credentials: str = "") -> bool:
    """Whether a worker has reported to our work pool at or after `since` (aware)."""
    try:
        workers = _post(port, f"/work_pools/{WORK_POOL}/workers/filter", {}, credentials)
    except OSError:
        return False
    return any(datetime.fromisoformat(worker["last_heartbeat_time"]) >= since for worker in workers)


def _post(port: int, path: str, body: dict[str, Any], credentials: str) -> Any:
    request = urllib.request.Request(f"http://{HOST}:{port}/api{path}", json.dumps(body).encode())
    request.add_header("Content-Type", "application/json")
    if credentials:
        request.add_header("Authorization", "Basic " + base64.b64encode(credentials.encode()).decode())
    with _direct.open(request, timeout=5) as answer:
        return json.load(answer)


def _warm_worker() -> Sequence[str]:
    return sys.executable, "-P", "-m", "worker.warm", worker_name(), WORK_POOL, str(AT_MOST)


def _stock_worker(worker_type: str) -> Sequence[str]:
    where = ("--pool", WORK_POOL, "--name", worker_name(), "--type", worker_type)
    return sys.executable, "-P", "-m", "prefect", "worker", "start", *where


def _folder(home: Path) -> Path:
    return home.resolve() / "prefect"
