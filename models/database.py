"""The database: one engine, read sessions, and write transactions that queue up instead of colliding."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from sqlalchemy import Engine, NullPool, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.orm import Session

from models.write_turn import WriteTurn

BUSY_TIMEOUT_SECONDS = 30
"""How long to wait at most for what another transaction has locked."""
CACHE_KIBIBYTES = 512
"""How much of a SQLite file each connection keeps in its memory: SQLite would keep 2,000, and the system has it too."""
CONNECTIONS = 20
"""How many connections to PostgreSQL a process keeps. The one used last is taken first: most is prepared there."""
PREPARED_STATEMENTS = 500
"""How many statements each connection to PostgreSQL may have prepared, more than there are; the driver would take 100.

It prepares what it has seen five times. Planning a statement anew takes longer than running it.
"""
_ONLY_LOOKS = "etappe.only-looks"
_T = TypeVar("_T")
_R = TypeVar("_R")
NOTIFY_CHANNEL = "etappe"
"""PostgreSQL only: whoever has committed notifies this channel."""
_NOTIFY = f"NOTIFY {NOTIFY_CHANNEL}"


class Database:
    """Etappe's own database, on SQLite or PostgreSQL.

    On SQLite every write transaction begins with BEGIN IMMEDIATE: begun as a reader and upgraded later, it dies with
    "database is locked" as soon as two people decide at once. Who writes waits for their turn before that
    (models/write_turn.py).
    """

    def __init__(self, url: str, connections: int = CONNECTIONS) -> None:
        """`connections` is how many to PostgreSQL are kept; half as many more are opened when there is much to do."""
        self.url = _with_driver(url)
        self.engine = _sqlite_engine(self.url) if self.is_sqlite else _postgres_engine(self.url, connections)
        self._writing = self.engine.execution_options(etappe_write=True) if self.is_sqlite else self.engine
        self._reading = self.engine if self.is_sqlite else self.engine.execution_options(postgresql_readonly=True)
        self._turn = WriteTurn((make_url(self.url).database or "") if self.is_sqlite else "")
        self._telling = None if self.is_sqlite else self.engine.execution_options(isolation_level="AUTOCOMMIT")

    @property
    def is_sqlite(self) -> bool:
        """Whether this is SQLite."""
        return self.url.startswith("sqlite")

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Give a session to look with. Nothing it does is kept, and PostgreSQL refuses to do it."""
        with Session(self._reading, expire_on_commit=False) as session, self._looking(session):
            yield session

    @contextmanager
    def write(self, *, telling: bool = True) -> Iterator[Session]:
        """Give a session whose changes are committed together at the end, or not at all.

        Without `telling` nobody needs to hear of it: there is nothing to do because of it. On SQLite they do anyway.
        """
        with Session(self._writing, expire_on_commit=False) as session:
            with self._turn.taken(), session.begin():
                yield session
            if telling:
                self._tell()

    @contextmanager
    def write_at_once(self, *, telling: bool = True) -> Iterator[Session]:
        """Give a session for a single statement that is a transaction by itself; all else as with `write`.

        On PostgreSQL it is committed with its execution, not at the end of the block.
        """
        if self._telling is None:
            with self.write(telling=telling) as session:
                yield session
            return
        with Session(self._telling, expire_on_commit=False) as session:
            yield session
            if telling:
                self._tell_by(session)

    def write_then_read(self, change: Callable[[Session], _T], look: Callable[[Session, _T], _R]) -> _R:
        """Commit what `change` does, together or not at all; then `look`, with what it returned, in the same session.

        Nobody waits for the second: all locks are given back before it. It has what the first has read, as it was then.
        On PostgreSQL it goes without a transaction, by the connection that tells the relays.
        """
        with Session(self._writing, expire_on_commit=False) as session:
            with self._turn.taken(), session.begin():
                changed = change(session)
            session.bind = self._reading if self._telling is None else self._telling
            self._tell_by(session)
            session.info[_ONLY_LOOKS] = True
            return look(session, changed)

    @contextmanager
    def _looking(self, session: Session) -> Iterator[None]:
        """On PostgreSQL, end by a commit: at a rollback the driver forgets which statements the server has prepared.

        It has to, since what was made in the transaction is gone then (psycopg/_preparing.py). Also what is refused
        after a look ends so; only what the database itself refuses does not.
        """
        try:
            yield
        except SQLAlchemyError:
            raise
        except Exception:
            self._look_no_longer(session)
            raise
        self._look_no_longer(session)

    def _look_no_longer(self, session: Session) -> None:
        if not self.is_sqlite:
            session.expunge_all()
            session.commit()

    def _tell(self) -> None:
        """On PostgreSQL, have the relays look; when that fails, all is committed, and they look by themselves soon.

        Not in the transaction: of those that notify, each is committed only when the one before it is on the disk.
        """
        if self._telling is None:
            return
        with suppress(DBAPIError), self._telling.connect() as connection:
            connection.exec_driver_sql(_NOTIFY)

    def _tell_by(self, session: Session) -> None:
        if self._telling is None:
            return
        try:
            session.connection().exec_driver_sql(_NOTIFY)
        except DBAPIError:
            session.rollback()  # or it could not look either

    def without_foreign_keys(self) -> Engine:
        """Give an engine for migrations: SQLite changes a table by putting another one in its place, and while foreign
        keys are watched, it would take away what leans on the old one. (https://sqlite.org/lang_altertable.html, 7)"""
        return _sqlite_engine(self.url, foreign_keys=False) if self.is_sqlite else self.engine

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def refuse_to_write_where_only_looked(session: Session) -> None:
    """Raise RuntimeError in a session that only looks at what was committed (`Database.write_then_read`)."""
    if session.info.get(_ONLY_LOOKS):
        raise RuntimeError("what is only to be looked at after a commit was changed")


@event.listens_for(Session, "before_flush")
def _refuse_to_flush(session: Session, context: object, instances: object) -> None:
    looks = session.info.get(_ONLY_LOOKS)
    if looks and (session.new or session.deleted or any(map(session.is_modified, session.dirty))):
        refuse_to_write_where_only_looked(session)


def locks_rows(session: Session) -> bool:
    """Whether single rows are locked, as on PostgreSQL; on SQLite, whoever writes has locked all of them."""
    return session.get_bind().dialect.name != "sqlite"


def _with_driver(url: str) -> str:
    parsed = make_url(url)
    if parsed.drivername in ("postgres", "postgresql"):
        parsed = parsed.set(drivername="postgresql+psycopg")
    return parsed.render_as_string(hide_password=False)


def _postgres_engine(url: str, connections: int) -> Engine:
    from models.lean_cursor import LeanCursor  # imports psycopg

    engine = create_engine(
        url,
        pool_size=connections,
        max_overflow=connections // 2,
        pool_use_lifo=True,
        connect_args={"cursor_factory": LeanCursor},
    )
    event.listen(engine, "connect", _prepare_postgres)
    return engine


def _prepare_postgres(connection: Any, record: Any) -> None:
    connection.prepared_max = PREPARED_STATEMENTS
    connection.execute(f"SET lock_timeout = '{BUSY_TIMEOUT_SECONDS}s'")
    connection.commit()


def _sqlite_engine(url: str, *, foreign_keys: bool = True) -> Engine:
    engine = create_engine(url, **({} if foreign_keys else {"poolclass": NullPool}))
    event.listen(engine, "connect", _prepare_sqlite if foreign_keys else _prepare_sqlite_for_migrations)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, record: Any) -> None:
    _prepare_sqlite_for_migrations(connection, record)
    connection.execute("PRAGMA foreign_keys = ON")


def _prepare_sqlite_for_migrations(connection: Any, record: Any) -> None:
    connection.isolation_level = None  # the driver must not begin transactions by itself; _begin_sqlite does
    patience, cache = f"busy_timeout = {BUSY_TIMEOUT_SECONDS * 1000}", f"cache_size = -{CACHE_KIBIBYTES}"
    for pragma in (patience, "journal_mode = WAL", "synchronous = FULL", cache):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Any) -> None:
    writes = connection.get_execution_options().get("etappe_write")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
