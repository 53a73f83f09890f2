"""Reading with less work: queries that are built once, and reads that a transaction makes once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, wraps
from inspect import signature, unwrap
from operator import eq
from typing import Any, NamedTuple, ParamSpec, TypeVar, TypeVarTuple, cast

from sqlalchemy import BindParameter, Column, Result, Select, Table, bindparam, event
from sqlalchemy.orm import InstrumentedAttribute, Session
from sqlalchemy.orm.attributes import instance_state
from sqlalchemy.sql.elements import BinaryExpression, ClauseElement
from sqlalchemy.sql.operators import in_op
from sqlalchemy.sql.visitors import replacement_traverse

from models.appending import waiting, write_waiting

_P = ParamSpec("_P")
_T = TypeVar("_T")
_Ts = TypeVarTuple("_Ts")
_READ = "etappe.read"
_OWNERS: dict[Callable[..., Any], InstrumentedAttribute[Any]] = {}
"""By query: the column that names the owner of what it finds (rows_of)."""
_ONLY: dict[Callable[..., Any], tuple[InstrumentedAttribute[Any], Collection[Any]]] = {}
"""By query: a column, and which of its values what it finds may have (finds_only)."""


def rows_of(owner: InstrumentedAttribute[Any]) -> Callable[[Callable[_P, Select[_T]]], Callable[_P, Select[_T]]]:
    """Say that a query finds all rows that name its one value as their owner, in the order in which they came.

    A new row is put at the end of what was found before, without asking again.
    """

    def say(query: Callable[_P, Select[_T]]) -> Callable[_P, Select[_T]]:
        _OWNERS[query] = owner
        return query

    return say


def finds_only(
    column: InstrumentedAttribute[Any], values: Collection[Any]
) -> Callable[[Callable[_P, Select[_T]]], Callable[_P, Select[_T]]]:
    """Say that of a column's table a query finds only rows with one of these values, so others may be appended."""

    def say(query: Callable[_P, Select[_T]]) -> Callable[_P, Select[_T]]:
        _ONLY[query] = column, values
        return query

    return say


def prepared(query: Callable[_P, Select[*_Ts]]) -> Callable[_P, Select[*_Ts]]:
    """Build a query once, and only fill in its values at every call: building takes longer than SQLite to answer.

    Nothing else about the query may depend on its values, and none of them may be None, which SQL compares otherwise.
    """

    @wraps(query)
    def fill(*given: _P.args, **named: _P.kwargs) -> Select[*_Ts]:
        values = _values(query, given, named)
        if any(isinstance(value, BindParameter) for value in values.values()):  # another one builds on this one
            return query(*given, **named)
        return cast("Select[*_Ts]", _built(query)).params(values)

    return fill


def ask(session: Session, query: Callable[_P, Select[*_Ts]], *given: _P.args, **named: _P.kwargs) -> Result[*_Ts]:
    """Return what `session.execute(query(...))` does, for a prepared query, with the least work.

    A statement with values in it is another one each time, and SQLAlchemy has to find out that it knows it already.
    """
    return session.execute(cast("Select[*_Ts]", _built(query)), _values(query, given, named))


@cache
def _built(query: Callable[..., Select[Any]]) -> Select[Any]:
    """A query whose values are still to be filled in."""
    return cast("Select[Any]", unwrap(query)(*map(bindparam, _names(query))))


def _values(query: Callable[..., object], given: Sequence[Any], named: Mapping[str, Any]) -> dict[str, Any]:
    values = {**dict(zip(_names(query), given, strict=False)), **named}
    return {name: _listed(value) for name, value in values.items()}


@cache
def _names(query: Callable[..., object]) -> tuple[str, ...]:
    return tuple(signature(query).parameters)


@dataclass(frozen=True)
class _ForSeveral:
    """A query for several values of what it compares with; behind each row stand the values that it belongs to.

    `places` says where among the query's values these are, and whether they are looked for by IN.
    """

    query: Select[Any]
    names: tuple[str, ...]
    places: tuple[tuple[int, bool], ...]

    def values(self, given: Collection[tuple[Any, ...]]) -> dict[str, Any]:
        """The query's values for all of these; it may find more, where several are compared."""
        values = dict(zip(self.names, next(iter(given)), strict=True))
        for place, is_in in self.places:
            of_each = (one for each in given for one in (each[place] if is_in else (each[place],)))
            values[self.names[place]] = list(dict.fromkeys(of_each))
        return values

    def given(self, like: tuple[Any, ...], values: Sequence[Any]) -> tuple[Any, ...]:
        """The values for which a row is found, where others are `like` these."""
        each = list(like)
        for (place, is_in), value in zip(self.places, values, strict=True):
            each[place] = frozenset((value,)) if is_in else value
        return tuple(each)


@cache
def _for_several(query: Callable[..., Select[Any]]) -> _ForSeveral:
    names = tuple(signature(query).parameters)
    compared: dict[int, tuple[bool, Any]] = {}

    def in_place(element: Any, **_: object) -> Any:
        if isinstance(element, BinaryExpression) and getattr(element.right, "key", None) in names:
            if element.operator in (eq, in_op):
                compared[names.index(element.right.key)] = (element.operator is in_op, element.left)
            if element.operator is eq:
                return element.left.in_(bindparam(element.right.key, expanding=True))
        return None

    several = cast("Select[Any]", replacement_traverse(_built(query), {}, in_place))
    places = tuple((place, is_in) for place, (is_in, _) in compared.items())
    return _ForSeveral(several.add_columns(*(column for _, column in compared.values())), names, places)


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, Collection) and not isinstance(value, str) else value


def read_once(session: Session, query: Callable[_P, Select[_T]], *given: _P.args, **named: _P.kwargs) -> Sequence[_T]:
    """Return what a query finds, or found before in this transaction when nothing that it looks at has changed since.

    A session has each row once, so a row that was found shows every change of it; asking again is only of use when rows
    have come or gone, or what the query selects or sorts by is another. What waits to be written is written first where
    that is so, and waits on where not: a verb's entries and messages are written together at its end. Changes of the
    session's rows are noticed, statements of one's own are not.
    """
    _write_what_it_finds(session, query)
    memory: dict[Any, Sequence[_T]] = session.info.setdefault(_READ, {})
    key = (query, given, tuple(named.items()))
    if key not in memory:
        with session.no_autoflush:
            memory[key] = ask(session, query, *given, **named).scalars().all()
    return memory[key]


def was_read(session: Session, query: Callable[_P, Select[_T]], *given: _P.args, **named: _P.kwargs) -> bool:
    """Whether this was asked before in this transaction, so that `read_once` may know it."""
    return (query, given, tuple(named.items())) in session.info.get(_READ, {})


def read_each(
    session: Session, query: Callable[_P, Select[_T]], given: Iterable[tuple[Any, ...]]
) -> dict[tuple[Any, ...], Sequence[_T]]:
    """Return what a query finds for each of these values, as `read_once` does; what is not known yet, in one statement.

    `read_once` knows it afterwards. What the query compares by = is one value here, what it looks for by IN a frozenset
    of one; anything else has to be the same in all of them.
    """
    _write_what_it_finds(session, query)
    memory: dict[Any, Sequence[_T]] = session.info.setdefault(_READ, {})
    asked = list(dict.fromkeys(given))
    unknown: dict[tuple[Any, ...], list[_T]] = {each: [] for each in asked if (query, each, ()) not in memory}
    if unknown:
        several = _for_several(query)
        with session.no_autoflush:
            for row, *values in session.execute(several.query, several.values(unknown)):
                unknown.get(several.given(asked[0], values), []).append(row)
        memory.update(((query, each, ()), rows) for each, rows in unknown.items())
    return {each: memory[query, each, ()] for each in asked}


def all_found(found: Mapping[tuple[Any, ...], Sequence[_T]]) -> list[_T]:
    """Return what `read_each` has found for all values together."""
    return [row for rows in found.values() for row in rows]


def know(session: Session, query: Callable[..., Select[_T]], found: Sequence[_T], *given: Any) -> None:
    """Say what a query finds now, where that follows from something else, so that it need not be asked."""
    memory: dict[Any, Sequence[_T]] = session.info.setdefault(_READ, {})
    memory[query, given, ()] = found


def _write_what_it_finds(session: Session, query: Callable[..., Select[Any]]) -> None:
    if _concerns(_Waits.of(session), query):
        session.flush()
    if _finds_what_waits(session, query):
        _write_waiting(session)


@event.listens_for(Session, "before_commit")
def _write_waiting(session: Session) -> None:
    """Write what was appended, and forget what the queries have found that would find it."""
    if waiting(session):
        memory: dict[Any, Any] = session.info.get(_READ, {})
        for key in [key for key in memory if _finds_what_waits(session, key[0])]:
            del memory[key]
        write_waiting(session)


def _finds_what_waits(session: Session, query: Callable[..., Select[Any]]) -> bool:
    looks_at = _looks_at(query)
    return any(table in looks_at and _may_find(query, table, rows) for table, rows in waiting(session))


def _may_find(query: Callable[..., Select[Any]], table: str, rows: Iterable[Mapping[str, Any]]) -> bool:
    if query not in _ONLY:
        return True
    column, values = _ONLY[query]
    return column.class_.__tablename__ != table or any(row[column.key] in values for row in rows)


@event.listens_for(Session, "before_flush")
def _forget(session: Session, context: object, instances: object) -> None:
    """Forget what the queries have found that look at what is written now."""
    memory: dict[Any, Any] = session.info.get(_READ, {})
    waits = _Waits.of(session)
    for key in list(memory):
        query, given, named = key
        owner = _OWNERS.get(query)
        if _concerns(waits, query, owner):
            del memory[key]
        elif owner is not None:
            of = (*given, *dict(named).values())[0]
            memory[key] = [*memory[key], *_new_rows(session, owner, of)]


def _new_rows(session: Session, owner: InstrumentedAttribute[Any], of: Any) -> list[Any]:
    new = [row for row in session.new if isinstance(row, owner.parent.class_) and getattr(row, owner.key) == of]
    return sorted(new, key=lambda row: instance_state(row).insert_order or 0)


def _names_its_owner(row: Any, owner: InstrumentedAttribute[Any]) -> bool:
    return isinstance(row, owner.parent.class_) and getattr(row, owner.key) is not None


class _Waits(NamedTuple):
    """The session's rows that wait to be written; SQLAlchemy makes these sets anew whenever they are asked for."""

    new: Collection[Any]
    deleted: Collection[Any]
    changed: Collection[Any]

    @classmethod
    def of(cls, session: Session) -> _Waits:
        return cls(session.new, session.deleted, session.dirty)


def _concerns(
    waits: _Waits, query: Callable[..., Select[Any]], owner: InstrumentedAttribute[Any] | None = None
) -> bool:
    """Whether something that waits to be written may change which rows a query finds; new ones of an owner do not."""
    looks_at = _looks_at(query)
    for row in waits.new:
        if row.__tablename__ in looks_at and not (owner and _names_its_owner(row, owner)):
            return True
    for row in waits.deleted:
        if row.__tablename__ in looks_at:
            return True
    for row in waits.changed:  # asked some ninety times in a decision, hence without anything that is made for each
        columns = looks_at.get(row.__tablename__)
        if columns and len(instance_state(row).unmodified_intersection(columns)) < len(columns):
            return True
    return False


@cache
def _looks_at(query: Callable[..., Select[Any]]) -> Mapping[str, frozenset[str]]:
    """The tables that a query reads, each with the columns that say which rows are found, and in which order."""
    found: dict[str, set[str]] = {}
    for part in _parts(_built(query)):
        if isinstance(part, Table):
            found.setdefault(part.name, set())
        elif isinstance(part.table, Table):
            found.setdefault(part.table.name, set()).add(part.key)
    return {table: frozenset(columns) for table, columns in found.items()}


def _parts(element: ClauseElement) -> Iterator[Table | Column[Any]]:
    """The tables and columns that a query names; that a table is read does not name its columns."""
    for child in element.get_children():
        if isinstance(child, Table | Column):
            yield child
        else:
            yield from _parts(child)
