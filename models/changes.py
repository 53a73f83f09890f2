"""Hearing of commits without asking the tables: PRAGMA data_version on SQLite, LISTEN on PostgreSQL."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

import psycopg
from sqlalchemy import PoolProxiedConnection, make_url

from models.database import NOTIFY_CHANNEL, Database

LOOK_EVERY_SECONDS = 0.02


class Changes:
    """Tells whether something was committed since it was last asked. For one thread."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._sqlite: PoolProxiedConnection | None = None
        self._postgres: psycopg.Connection | None = None
        self._version = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the connection back."""
        if self._sqlite is not None:
            self._sqlite.close()
        if self._postgres is not None:
            self._postgres.close()
        self._sqlite = self._postgres = None

    def wait(self, seconds: float) -> bool:
        """Wait until something is committed, at most `seconds`; return whether something was.

        The first call returns at once, since nothing is known of what came before.
        """
        return self._wait_sqlite(seconds) if self._db.is_sqlite else self._wait_postgres(seconds)

    def _wait_sqlite(self, seconds: float) -> bool:
        until = time.monotonic() + seconds
        while True:
            version = self._data_version()
            if version != self._version:
                self._version = version
                return True
            if time.monotonic() >= until:
                return False
            time.sleep(LOOK_EVERY_SECONDS)

    def _data_version(self) -> int:
        if self._sqlite is None:
            self._sqlite = self._db.engine.raw_connection()  # not in a transaction, which would never see a new version
        cursor = self._sqlite.cursor()
        cursor.execute("PRAGMA data_version")
        [version] = cursor.fetchone() or [-1]
        cursor.close()
        return int(version)

    def _wait_postgres(self, seconds: float) -> bool:
        if self._postgres is None or self._postgres.closed:
            url = make_url(self._db.url).set(drivername="postgresql")
            self._postgres = psycopg.connect(url.render_as_string(hide_password=False), autocommit=True)
            self._postgres.execute(f"LISTEN {NOTIFY_CHANNEL}")
            return True
        heard = list(self._postgres.notifies(timeout=seconds, stop_after=1))
        return bool(heard)
