"""Rows of several tables in one statement of PostgreSQL, which takes them out of one JSON document.

Given by itself, each value of each row takes Python more than all else about writing it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import JSON, ColumnElement, Insert, Table, bindparam, cast, column, func, literal_column, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.schema import ScalarElementColumnDefault

from models.base import Base, UtcDateTime

_DOCUMENT = bindparam("document", type_=JSON)


class Kind(NamedTuple):
    """Rows written alike: of one table, with these columns; `once` where a key that is there stays as it is."""

    table: type[Base]
    columns: tuple[str, ...]
    once: bool


def document_of(rows: Mapping[Kind, Sequence[Mapping[str, Any]]]) -> dict[str, Any]:
    """Return these rows as the values of `insert_from_document`. Raises ValueError for a moment without a time zone.

    Keys that may be there already come in one order, whoever writes them: or two who wait for each other would.
    """
    return {_DOCUMENT.key: [[_in_json(kind.table, row) for row in _in_order(kind, rows[kind])] for kind in rows]}


@cache
def insert_from_document(kinds: tuple[Kind, ...]) -> Insert:
    """The statement that writes a list of rows for each of these kinds."""
    *others, last = (_insert(kind, _DOCUMENT[place]) for place, kind in enumerate(kinds))
    return last.add_cte(*(other.cte(f"rows_{place}") for place, other in enumerate(others)))


def _insert(kind: Kind, objects: ColumnElement[Any]) -> Insert:
    columns = [_table(kind.table).columns[name] for name in dict.fromkeys((*_defaults(kind.table), *kind.columns))]
    typed = (column(one.key, one.type) for one in columns)
    found = func.json_to_recordset(objects).table_valued(*typed).render_derived(with_types=True)
    null = cast(literal_column("'null'"), JSON)  # the document's null is SQL's; None in a column of JSON is JSON's
    values = (func.coalesce(each, null) if isinstance(each.type, JSON) else each for each in found.c)
    statement = insert(kind.table).from_select(columns, select(*values), include_defaults=False)
    return statement.on_conflict_do_nothing() if kind.once else statement


def _in_order(kind: Kind, rows: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    keys = [one.key for one in _table(kind.table).primary_key]
    return sorted(rows, key=lambda row: [row[key] for key in keys]) if kind.once else rows


def _in_json(table: type[Base], row: Mapping[str, Any]) -> dict[str, Any]:
    return {**_defaults(table), **row, **{name: _moment(row[name]) for name in _moments(table) if name in row}}


def _moment(value: datetime | None) -> str | None:
    if value is None:
        return None
    if value.tzinfo is None:
        raise ValueError("a moment without a time zone cannot be stored")
    return value.astimezone(UTC).isoformat()


@cache
def _defaults(table: type[Base]) -> Mapping[str, Any]:
    """What is written where nothing is given."""
    columns = ((one.key, one.default) for one in _table(table).columns)
    return {name: default.arg for name, default in columns if isinstance(default, ScalarElementColumnDefault)}


@cache
def _moments(table: type[Base]) -> Sequence[str]:
    return [one.key for one in _table(table).columns if isinstance(one.type, UtcDateTime)]


def _table(of: type[Base]) -> Table:
    table = of.__table__
    assert isinstance(table, Table)
    return table
