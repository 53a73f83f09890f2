"""Rows that are only ever added, such as entries of the record and messages: written together, at a transaction's end.

As rows of the session, each would be watched for changes that never come. Until they are written they are plain
values; `read_once` and `read_each` have them written first where they would find them (models/reading.py), other
queries do not. There are no savepoints: what was appended in one that is rolled back would be written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Insert, insert
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from models.base import Base
from models.database import locks_rows, refuse_to_write_where_only_looked
from models.one_insert import Kind, document_of, insert_from_document

_WAITING = "etappe.waiting"
_Rows = dict[Kind, list[Mapping[str, Any]]]


def append(session: Session, table: type[Base], **values: Any) -> None:
    """Have a row written at the end of the transaction, after all rows of the session.

    Raises RuntimeError in a session that only looks.
    """
    _append(session, Kind(table, tuple(values), once=False), values)


def append_once(session: Session, table: type[Base], **values: Any) -> None:
    """As `append`, unless there is a row with this key then; two transactions that do so at once do not collide."""
    _append(session, Kind(table, tuple(values), once=True), values)


def _append(session: Session, kind: Kind, values: Mapping[str, Any]) -> None:
    refuse_to_write_where_only_looked(session)
    rows: _Rows = session.info.setdefault(_WAITING, {})
    rows.setdefault(kind, []).append(values)


def waiting(session: Session) -> Iterable[tuple[str, Sequence[Mapping[str, Any]]]]:
    """Return the rows that wait to be written, with the name of their table."""
    rows: _Rows = session.info.get(_WAITING, {})
    return [(kind.table.__tablename__, values) for kind, values in rows.items()]


def write_waiting(session: Session) -> None:
    """Write the session's rows, and then all that waits, in the order in which it came for each table.

    As with a flush, nothing of the transaction is kept when that fails.
    """
    session.flush()
    rows: _Rows = session.info.pop(_WAITING, {})
    write = _write_by_one_statement if locks_rows(session) else _write_by_tables
    try:
        write(session, rows)
    except DBAPIError:
        session.rollback()
        raise


def _write_by_tables(session: Session, rows: _Rows) -> None:
    for kind, values in rows.items():
        session.connection().execute(_insert(kind), values)


@cache
def _insert(kind: Kind) -> Insert:
    return sqlite.insert(kind.table).on_conflict_do_nothing() if kind.once else insert(kind.table)


def _write_by_one_statement(session: Session, rows: _Rows) -> None:
    if rows:
        session.connection().execute(insert_from_document(tuple(rows)), document_of(rows))
