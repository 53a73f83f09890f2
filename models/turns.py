"""One at a time, of all processes that work on the same database: for what must not be done by two of them at once.

On PostgreSQL a session holds an advisory lock, on SQLite a process holds a lock on a file beside the database. Both are
gone as soon as the process is, however it went, so whoever waits takes over without being told.
"""

from __future__ import annotations

import fcntl
from contextlib import suppress
from io import TextIOWrapper
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from sqlalchemy import make_url

from models.database import Database

if TYPE_CHECKING:
    import psycopg

_TURNS = 4_386_002  # a number of our own among PostgreSQL's advisory locks
_MINE = "SELECT pg_try_advisory_lock(%s, hashtext(%s))"
_SERVER_NOTICES = "-c tcp_keepalives_idle=5 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=3"
"""A machine that vanishes says no farewell: each side then gives the session up after 11 seconds."""


class Turn:
    """The turn to do one thing, by its name. For one thread; two of them are rivals also within one process."""

    def __init__(self, db: Database, name: str) -> None:
        self._db, self._name = db, name
        self._session: psycopg.Connection | None = None
        self._file: TextIOWrapper | None = None
        self._mine = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.give_back()

    def is_mine(self) -> bool:
        """Take the turn unless another one has it; return whether it is ours. Asked again, look whether it still is.

        Raises psycopg.OperationalError when the database does not answer, or has ended the session that had the turn;
        give it back then, and ask again.
        """
        return self._is_mine_sqlite() if self._db.is_sqlite else self._is_mine_postgres()

    def give_back(self) -> None:
        """Let another one have the turn; nothing when it is not ours."""
        if self._session is not None:
            import psycopg

            with suppress(psycopg.Error):  # the server takes a moment to notice that a session was closed
                self._session.execute("SELECT pg_advisory_unlock_all()")
            self._session.close()
        if self._file is not None:
            self._file.close()
        self._session, self._file, self._mine = None, None, False

    def _is_mine_postgres(self) -> bool:
        if self._session is None:
            self._session = self._connect()
        if self._mine:
            self._session.execute("SELECT")  # a session that has ended raises, and its lock is another one's
        else:
            [self._mine] = self._session.execute(_MINE, (_TURNS, self._name)).fetchone() or (False,)
        return self._mine

    def _connect(self) -> psycopg.Connection:
        import psycopg  # SQLite does without

        url = make_url(self._db.url).set(drivername="postgresql")
        given = str(url.query.get("options", ""))
        return psycopg.connect(
            url.render_as_string(hide_password=False),
            autocommit=True,
            keepalives_idle=5,
            keepalives_interval=2,
            keepalives_count=3,
            tcp_user_timeout=11_000,
            options=f"{given} {_SERVER_NOTICES}".strip(),
        )

    def _is_mine_sqlite(self) -> bool:
        database = make_url(self._db.url).database
        if self._mine or database in (None, "", ":memory:"):
            return True
        file = Path(f"{database}-{self._name}").open("a", encoding="ascii")  # noqa: SIM115 - open as long as it is held
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return False
        self._file, self._mine = file, True
        return True
