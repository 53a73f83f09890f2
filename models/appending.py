"""Rows that are only ever added, such as entries of the record and messages: written together, at a transaction's end.

As rows of the session, each would be watched for changes that never come. Until they are written they are plain values;
a query that would find them has them written first (models/reading.py).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cache
from typing import Any

from sqlalchemy import Insert, insert
from sqlalchemy.orm import Session

from models.base import Base

_WAITING = "etappe.waiting"
_Rows = dict[tuple[type[Base], Collection[str]], list[Mapping[str, Any]]]


def append(session: Session, table: type[Base], **values: Any) -> None:
    """Have a row written at the end of the transaction, after all rows of the session."""
    rows: _Rows = session.info.setdefault(_WAITING, {})
    rows.setdefault((table, tuple(values)), []).append(values)


def waiting(session: Session) -> Collection[str]:
    """Return the names of the tables for which rows wait to be written."""
    rows: _Rows | None = session.info.get(_WAITING)
    return {table.__tablename__ for table, _ in rows} if rows else ()


def write_waiting(session: Session) -> None:
    """Write the session's rows, and then all that waits, in the order in which it came for each table."""
    session.flush()
    rows: _Rows = session.info.pop(_WAITING, {})
    for (table, _), values in rows.items():
        session.connection().execute(_insert(table), values)


@cache
def _insert(table: type[Base]) -> Insert:
    return insert(table)
