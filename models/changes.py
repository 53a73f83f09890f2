"""Hearing of commits without asking the tables: PRAGMA data_version on SQLite, LISTEN on PostgreSQL.

One connection listens for all threads of a process; a thread of its own passes on what it hears.
"""

from __future__ import annotations

import math
import threading
import time
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self
from weakref import WeakKeyDictionary

from sqlalchemy import make_url

from models.database import NOTIFY_CHANNEL, Database
from models.file_watch import FileWatch

if TYPE_CHECKING:
    import psycopg

LOOK_EVERY_SECONDS = 0.01
"""SQLite only: how often to look where the system does not tell that the write-ahead log is written to."""
LOOK_ANYWAY_SECONDS = 0.1
"""SQLite only: how often to look where it does."""
LOOK_AT_FIRST_SECONDS = 0.00025
"""SQLite only: how soon to look again after the log was written to; what is written counts once it is on the disk."""
LISTEN_FOR_SECONDS = 0.5
LATER_SECONDS = 0.02
"""How much later those are told who let others go first: all threads of a process share one processor."""


class Changes:
    """Tells whether something was committed since it was last asked. For one thread."""

    def __init__(self, db: Database, *, later: bool = False) -> None:
        """`later`: wait for LATER_SECONDS after a commit, so that whoever is told at once is not held up."""
        self._db, self._later = db, later
        self._listener: _Listener | None = None
        self._heard = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Listen no longer. The last one to do so gives the connection back."""
        if self._listener is not None:
            self._listener.leave()
            self._listener = None

    def wait(self, seconds: float) -> bool:
        """Wait until something is committed, at most `seconds`; return whether something was.

        The first call returns at once, since nothing is known of what came before. Raises whatever the database's
        driver raises; then `close` and wait anew.
        """
        if self._listener is None:
            self._listener = _Listener.joined(self._db)
            self._heard = self._listener.told(later=self._later)
            return True
        before = self._heard
        self._heard = self._listener.wait_for_more_than(before, seconds, later=self._later)
        return self._heard != before


class _Listener:
    """Listens to one database for as many as have joined, and counts how often something was committed."""

    _all: WeakKeyDictionary[Database, _Listener] = WeakKeyDictionary()
    _joining = threading.Lock()

    @classmethod
    def joined(cls, db: Database) -> _Listener:
        """Return the one that listens to this database; whatever is committed from now on, it hears."""
        with cls._joining:
            listener = cls._all.get(db)
            if listener is not None and not listener.is_over:
                listener._members += 1
                return listener
            cls._all[db] = cls(_SqliteLine(db) if db.is_sqlite else _PostgresLine(db))
            return cls._all[db]

    def __init__(self, line: _Line) -> None:
        self._line, self._members = line, 1
        self._failure: Exception | None = None
        self._at_once, self._later = _Told(), _Told()
        self._thread = threading.Thread(target=self._listen, name="changes", daemon=True)
        self._thread.start()

    @property
    def is_over(self) -> bool:
        """Whether nobody listens any more, because the line failed or everybody has left."""
        return not self._thread.is_alive() or self._failure is not None

    def leave(self) -> None:
        """One member less. With the last one it is over."""
        with self._joining:
            self._members -= 1
            if self._members == 0:
                self._thread.join()

    def told(self, *, later: bool) -> int:
        """Return how often it was told that something was committed."""
        return (self._later if later else self._at_once).times

    def wait_for_more_than(self, known: int, seconds: float, *, later: bool) -> int:
        """Return how often it was told of a commit, once that is more than is known, or after so many seconds."""
        told = self._later if later else self._at_once
        with told.news:
            told.news.wait_for(lambda: told.times > known or self._failure is not None, seconds)
            if self._failure is not None:
                raise self._failure
            return told.times

    def _listen(self) -> None:
        try:
            self._tell_until_all_have_left()
        except Exception as failure:  # noqa: BLE001 - whoever waits is told
            self._failure = failure
            self._at_once.tell()
            self._later.tell()
        finally:
            self._line.close()

    def _tell_until_all_have_left(self) -> None:
        later_at = math.inf
        while self._members:
            if self._line.hears(min(LISTEN_FOR_SECONDS, max(0.0, later_at - time.monotonic()))):
                self._at_once.tell()
                later_at = min(later_at, time.monotonic() + LATER_SECONDS)
            if time.monotonic() >= later_at:
                self._later.tell()
                later_at = math.inf


class _Told:
    """How often some were told that something was committed, and what they wait at for the next time."""

    def __init__(self) -> None:
        self.times, self.news = 0, threading.Condition()

    def tell(self) -> None:
        with self.news:
            self.times += 1
            self.news.notify_all()


class _Line(Protocol):
    """A connection that hears of commits, for one thread at a time."""

    def hears(self, seconds: float) -> bool:
        """Wait until something is committed, at most so many seconds; return whether something was."""

    def close(self) -> None:
        """Give the connection back."""


class _SqliteLine:
    """Looks whether something was committed when the write-ahead log is written to, and now and then anyway."""

    def __init__(self, db: Database) -> None:
        self._connection = db.engine.raw_connection()
        self._version = self._data_version()
        self._log = FileWatch(f"{make_url(db.url).database}-wal")
        self._look_again = LOOK_AT_FIRST_SECONDS

    def hears(self, seconds: float) -> bool:
        until = time.monotonic() + seconds
        while True:
            version = self._data_version()
            if version != self._version:
                self._version = version
                return True
            left = until - time.monotonic()
            if left <= 0:
                return False
            self._rest(left)

    def close(self) -> None:
        self._log.close()
        self._connection.close()

    def _rest(self, left: float) -> None:
        """Wait until it is worth looking: soon after the log was written to, and then less and less often."""
        most = LOOK_ANYWAY_SECONDS if self._log.works else LOOK_EVERY_SECONDS
        if self._log.wait(min(left, most, self._look_again)):
            self._look_again = LOOK_AT_FIRST_SECONDS
            time.sleep(LOOK_AT_FIRST_SECONDS)  # a commit is written in many pieces, and each is told of
        else:
            self._look_again = min(1.3 * self._look_again, most)

    def _data_version(self) -> int:
        driver: Any = self._connection.driver_connection
        return int(driver.execute("PRAGMA data_version").fetchone()[0])


class _PostgresLine:
    def __init__(self, db: Database) -> None:
        import psycopg  # SQLite does without

        url = make_url(db.url).set(drivername="postgresql")
        self._connection: psycopg.Connection = psycopg.connect(
            url.render_as_string(hide_password=False), autocommit=True
        )
        self._connection.execute(f"LISTEN {NOTIFY_CHANNEL}")

    def hears(self, seconds: float) -> bool:
        return bool(list(self._connection.notifies(timeout=seconds, stop_after=1)))

    def close(self) -> None:
        self._connection.close()
