"""Rows that are only ever added, such as entries of the record and messages: written together, at a transaction's end.

As rows of the session, each would be watched for changes that never come. Until they are written they are plain
values; `read_once` and `read_each` have them written first where they would find them (models/reading.py), other
queries do not. There are no savepoints: what was appended in one that is rolled back would be written.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cache
from typing import Any

from sqlalchemy import Insert, insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from models.base import Base
from models.database import refuse_to_write_where_only_looked

_WAITING = "etappe.waiting"
_Rows = dict[tuple[type[Base], Collection[str]], list[Mapping[str, Any]]]


def append(session: Session, table: type[Base], **values: Any) -> None:
    """Have a row written at the end of the transaction, after all rows of the session.

    Raises RuntimeError in a session that only looks.
    """
    refuse_to_write_where_only_looked(session)
    rows: _Rows = session.info.setdefault(_WAITING, {})
    rows.setdefault((table, tuple(values)), []).append(values)


def waiting(session: Session) -> Collection[str]:
    """Return the names of the tables for which rows wait to be written."""
    rows: _Rows | None = session.info.get(_WAITING)
    return {table.__tablename__ for table, _ in rows} if rows else ()


def write_waiting(session: Session) -> None:
    """Write the session's rows, and then all that waits, in the order in which it came for each table.

    As with a flush, nothing of the transaction is kept when that fails.
    """
    session.flush()
    rows: _Rows = session.info.pop(_WAITING, {})
    try:
        for (table, _), values in rows.items():
            session.connection().execute(_insert(table), values)
    except DBAPIError:
        session.rollback()
        raise


@cache
def _insert(table: type[Base]) -> Insert:
    return insert(table)
