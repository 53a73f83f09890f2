"""One real PostgreSQL for the tests that need one, and databases on it that cost milliseconds."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg

from worker import postgres
from worker.leash import leashed

THROWN_AWAY = {"fsync": "off", "full_page_writes": "off", "max_wal_size": "64MB"}
"""What nobody needs after the tests need not be written down, nor take up memory."""


class Postgres:
    """A running server; `create` gives a new database of it, as a copy of another one when told."""

    def __init__(self, server: postgres.Postgres) -> None:
        self.server = server

    @classmethod
    @contextmanager
    def running(cls, folder: Path) -> Iterator[Postgres]:
        """Run a server until the block ends."""
        server = postgres.Postgres(folder / "postgres", "maintenance")
        part = server.part()
        server.prepare()
        with (folder / "postgres.log").open("wb") as log:
            command = [*part.command, *(f"--{name}={value}" for name, value in THROWN_AWAY.items())]
            process = subprocess.Popen(leashed(command, part.user), stdout=log, stderr=log)
        try:
            _wait_until_it_answers(server)
            yield cls(server)
        finally:
            process.send_signal(signal.SIGQUIT)  # at once: what nobody needs any more need not be written down
            process.wait(30)

    def create(self, name: str = "", template: str = "template1") -> str:
        """Make a database and return its address for SQLAlchemy."""
        database = name or f"test_{uuid4().hex}"
        with psycopg.connect(self.server.url(), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{database}" TEMPLATE "{template}"')
        return postgres.Postgres(self.server.folder, database).url("postgresql+psycopg")


def _wait_until_it_answers(server: postgres.Postgres, seconds: float = 20) -> None:
    until = time.monotonic() + seconds
    while not server.answers():
        if time.monotonic() > until:
            raise TimeoutError("PostgreSQL for the tests did not start")
        time.sleep(0.05)
