"""Asking a database that the operator has named for a metric: one SELECT, read only, a time limit, at most two rows."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from urllib.parse import quote

from sqlalchemy import make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError

from domain.queried import Answer

SECONDS = 10
_ENOUGH_ROWS = 2  # more than one is one too many
_NOBODY_ANSWERS = "it does not answer, or lets nobody in with this user and password"
_STEPS = 10_000  # of SQLite's machine, between two looks at the clock


class NotRead(Exception):
    """The database gave no answer; why, in English. Never holds the address, in which a password may stand."""


def read(address: str, query: str, seconds: float = SECONDS) -> Answer:
    """Return what one SELECT gives, of any number of rows the first two. Raises NotRead.

    `address` is sqlite:///file or postgresql://user:password@host/name. Nothing is ever changed: the connection is read
    only, and its transaction is rolled back.
    """
    try:
        url = make_url(address)
        ask = _DIALECTS[url.get_backend_name()]
    except (ArgumentError, KeyError):
        raise NotRead("its address is neither sqlite:///... nor postgresql://...") from None
    # As a part of another SELECT, it can be nothing else.
    return ask(url, f"SELECT * FROM (\n{query}\n) AS answer LIMIT {_ENOUGH_ROWS}", seconds)  # noqa: S608  # a plan's


def _sqlite(url: URL, query: str, seconds: float) -> Answer:
    try:
        return _ask_sqlite(url, query, seconds)
    except sqlite3.Error as failure:
        raise NotRead(_in_words(failure)) from failure


def _ask_sqlite(url: URL, query: str, seconds: float) -> Answer:
    until = time.monotonic() + seconds
    file = f"file:{quote(url.database or '')}?mode=ro"
    with closing(sqlite3.connect(file, uri=True, timeout=seconds, isolation_level=None)) as connection:
        connection.execute("PRAGMA query_only = ON")
        connection.set_progress_handler(lambda: time.monotonic() > until, _STEPS)
        cursor = connection.execute(query)
        return Answer([column[0] for column in cursor.description], cursor.fetchmany(_ENOUGH_ROWS))


def _postgresql(url: URL, query: str, seconds: float) -> Answer:
    import psycopg  # takes 8 MB, and hardly any plan asks a database

    try:
        return _ask_postgresql(url, query, seconds)
    except psycopg.OperationalError as failure:
        never_connected = failure.sqlstate is None  # its words hold the host and the user
        raise NotRead(_NOBODY_ANSWERS if never_connected else _in_words(failure)) from failure
    except psycopg.Error as failure:
        raise NotRead(_in_words(failure)) from failure


def _ask_postgresql(url: URL, query: str, seconds: float) -> Answer:
    import psycopg

    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    milliseconds = int(seconds * 1000)
    limits = f"-c statement_timeout={milliseconds} -c lock_timeout={milliseconds} -c default_transaction_read_only=on"
    connection = psycopg.connect(
        address, connect_timeout=max(2, int(seconds)), tcp_user_timeout=milliseconds, options=limits
    )
    with closing(connection):
        connection.read_only = True
        # Prepared, so that the server takes one statement and no more.
        cursor = connection.execute(query.encode(), prepare=True)
        answer = Answer([column.name for column in cursor.description or ()], cursor.fetchmany(_ENOUGH_ROWS))
        connection.rollback()
        return answer


_DIALECTS: dict[str, Callable[[URL, str, float], Answer]] = {"sqlite": _sqlite, "postgresql": _postgresql}


def _in_words(failure: Exception) -> str:
    words = " ".join(str(failure).partition("\n")[0].split()) or type(failure).__name__
    return "it took too long" if "interrupted" in words or "timeout" in words else words[:300]
