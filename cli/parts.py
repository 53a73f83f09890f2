"""The parts of a whole Etappe on one machine: in which order they start, and the environment that makes them one.

Everything is passed by environment, so that two copies with different homes and ports run side by side.
"""

from __future__ import annotations

import os
import socket
import sys
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cli.opening import sqlite_file
from cli.prefect import client_environment
from settings import Settings
from worker.parts import Part, Port
from worker.prefect_facts import PrefectFacts
from worker.prefect_server import prefect_environment, python_path, server_parts, worker_part

HOST = "127.0.0.1"
RELAY = ("cli.main", "cli.commands.relay", "worker.relay", "worker.follower", "notifications.rendering:prepare")
WEB = ("cli.main", "cli.commands.web", "web.serve:prepare", "web.pages:prepare", "notifications.rendering:prepare")

WEB_PROCESSES = 2
"""How many processes serve the pages under `etappe start`: one uses no more than one core (docs/performance.md)."""
WEB_PROCESSES_VARIABLE = "ETAPPE_WEB_PROCESSES"
"""Says how many instead."""

_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class Layout:
    """Where one Etappe is on this machine. `base_url` and `smtp_url` may be "": this machine's own page and mailbox."""

    home: Path
    web_port: int
    prefect_port: int
    smtp_port: int
    base_url: str = ""
    smtp_url: str = ""
    credentials: str = field(default="", repr=False)

    @property
    def web_url(self) -> str:
        """Where this machine reaches the pages."""
        return f"http://{HOST}:{self.web_port}"

    @property
    def prefect(self) -> PrefectFacts:
        """Prefect's API on this machine."""
        return PrefectFacts(f"http://{HOST}:{self.prefect_port}/api", self.credentials)

    def settings(self) -> Settings:
        """Return the settings that all parts share."""
        return Settings.from_environment({**os.environ, **self._own()})

    def addresses(self) -> dict[str, str]:
        """Return where it puts what it was not told to leave elsewhere, by the variables that would say the same."""
        pages = {} if self.base_url else {"ETAPPE_BASE_URL": self.web_url}
        mailbox = {} if self.smtp_url else {"ETAPPE_SMTP_URL": self._own()["ETAPPE_SMTP_URL"]}
        return {**pages, **mailbox, "PREFECT_API_URL": self.prefect.url}

    def environment(self) -> dict[str, str]:
        """Return what is added to the environment of every part."""
        settings = self.settings()
        file = sqlite_file(settings)
        prefect = prefect_environment(self.home, self.prefect_port, credentials=self.credentials)
        return {
            **{name: value for name, value in prefect.items() if not name.startswith("PREFECT_SERVER_")},
            **self._own(),
            "PREFECT_UI_URL": self.prefect.pages,
            "PREFECT_CLIENT_SERVER_VERSION_CHECK_ENABLED": "false",  # server and clients are one installation
            "ETAPPE_DATABASE_URL": f"sqlite:///{file}" if file else settings.database_url,
            "ETAPPE_PLANS": os.pathsep.join(str(folder.absolute()) for folder in settings.plan_folders),
            "PYTHONPATH": python_path(),
            "PYTHONUNBUFFERED": "1",
        }

    def _own(self) -> dict[str, str]:
        return {
            "ETAPPE_HOME": str(self.home),
            "ETAPPE_BASE_URL": self.base_url or self.web_url,
            "ETAPPE_SMTP_URL": self.smtp_url or f"smtp://{HOST}:{self.smtp_port}",
        }


def all_parts(layout: Layout) -> list[Part]:
    """Return every part of an Etappe, in the order in which they start; what needs nothing of each other, together."""
    shared = layout.environment()
    mailbox = [] if layout.smtp_url else [replace(_mailbox(layout, shared), beside=True)]
    database, server = server_parts(layout.home, layout.prefect_port, credentials=layout.credentials)
    return [
        command_part("setup", shared, "migrate", "--sample-people", finishes=True),
        replace(database, beside=True),
        *mailbox,
        server,
        replace(_web(layout, shared), beside=True),
        command_part("deployments", shared, "deploy", finishes=True, within=timedelta(minutes=2)),
        _relay(layout.settings(), shared),
        _worker(layout, shared),  # after the relay: it takes up what was at work before itself
    ]


def worker_parts(settings: Settings, prefect: PrefectFacts) -> list[Part]:
    """Return the relay and a worker alone, for a Prefect that runs elsewhere or already."""
    shared = {**client_environment(settings.home, prefect), "PYTHONPATH": python_path(), "PYTHONUNBUFFERED": "1"}
    began = datetime.now(UTC)
    local = worker_part(settings.home, 0, worker_type=settings.worker_type)
    worker = replace(
        local,
        environment={**shared, "TMPDIR": local.environment["TMPDIR"]},
        ready=lambda: _has_worker(prefect, began),
    )
    return [_relay(settings, shared), worker]


def command_part(
    name: str,
    environment: Mapping[str, str],
    *arguments: str,
    finishes: bool = False,
    within: timedelta = timedelta(seconds=60),
    ports: tuple[Port, ...] = (),
    ready: Callable[[], bool] = lambda: True,
) -> Part:
    """Return a part that is a command of etappe's own."""
    command = [sys.executable, "-P", "-m", "cli", *arguments]
    return Part(name, command, environment, ready, within, finishes=finishes, ports=ports)


def _mailbox(layout: Layout, shared: Mapping[str, str]) -> Part:
    port = layout.smtp_port
    return command_part(
        "mailbox",
        shared,
        "mailbox",
        "--smtp-port",
        str(port),
        ports=(Port(port, "--smtp-port"),),
        ready=lambda: _listens(port),
    )


def _relay(settings: Settings, shared: Mapping[str, str]) -> Part:
    return replace(command_part("relay", shared, "relay"), preload=(*RELAY, *_database(settings)))


def _database(settings: Settings) -> tuple[str, ...]:
    """Return what a first query would import and do."""
    postgresql = ("sqlalchemy.dialects.postgresql.psycopg", "psycopg")
    sqlite = ("sqlalchemy.dialects.sqlite.pysqlite", "sqlite3")
    return *(sqlite if sqlite_file(settings) else postgresql), "sqlalchemy.orm:configure_mappers"


def _web(layout: Layout, shared: Mapping[str, str]) -> Part:
    processes = os.environ.get(WEB_PROCESSES_VARIABLE) or str(WEB_PROCESSES)
    part = command_part(
        "web page",
        {**shared, WEB_PROCESSES_VARIABLE: processes},
        "web",
        "--web-port",
        str(layout.web_port),
        ports=(Port(layout.web_port, "--web-port"),),
        ready=lambda: is_healthy(layout.web_url),
    )
    return replace(part, preload=(*WEB, *_database(layout.settings())))


def _worker(layout: Layout, shared: Mapping[str, str]) -> Part:
    kind = layout.settings().worker_type
    part = worker_part(layout.home, layout.prefect_port, credentials=layout.credentials, worker_type=kind)
    clients = {name: value for name, value in part.environment.items() if not name.startswith("PREFECT_SERVER_")}
    return replace(part, environment={**shared, **clients})


def is_healthy(web_url: str) -> bool:
    """Whether the pages are served at this address."""
    try:
        with _direct.open(f"{web_url}/healthz", timeout=2) as answer:
            return bool(answer.status == 200)
    except (OSError, ValueError):
        return False


def _listens(port: int) -> bool:
    try:
        socket.create_connection((HOST, port), timeout=1).close()
    except OSError:
        return False
    return True


def _has_worker(prefect: PrefectFacts, since: datetime) -> bool:
    try:
        seen = prefect.last_heartbeat()
    except OSError:
        return False
    return seen is not None and seen >= since
