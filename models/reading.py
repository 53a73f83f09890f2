"""Reading with less work: queries that are built once, and reads that a transaction makes once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import cache, wraps
from inspect import signature, unwrap
from itertools import chain
from typing import Any, ParamSpec, TypeVar, TypeVarTuple

from sqlalchemy import BindParameter, Select, Table, bindparam, event
from sqlalchemy.orm import Session
from sqlalchemy.sql import visitors

_P = ParamSpec("_P")
_T = TypeVar("_T")
_Ts = TypeVarTuple("_Ts")
_READ = "etappe.read"


def prepared(query: Callable[_P, Select[*_Ts]]) -> Callable[_P, Select[*_Ts]]:
    """Build a query once, and only fill in its values at every call: building takes longer than SQLite to answer.

    Nothing else about the query may depend on its values, and none of them may be None, which SQL compares otherwise.
    """
    names = tuple(signature(query).parameters)

    @cache
    def built() -> Select[*_Ts]:
        return query(*map(bindparam, names))  # type: ignore[arg-type, call-arg]  # it stands for any value

    @wraps(query)
    def fill(*given: _P.args, **named: _P.kwargs) -> Select[*_Ts]:
        values: dict[str, Any] = {**dict(zip(names, given, strict=False)), **named}
        if any(isinstance(value, BindParameter) for value in values.values()):  # another one builds on this one
            return query(*given, **named)
        return built().params({name: _listed(value) for name, value in values.items()})

    return fill


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, Collection) and not isinstance(value, str) else value


def read_once(session: Session, query: Callable[_P, Select[_T]], *given: _P.args, **named: _P.kwargs) -> Sequence[_T]:
    """Return what a query finds, or found before in this transaction, if no table that it reads was written to since.

    Writing by the session's rows is noticed, by statements of one's own is not.
    """
    session.flush()
    memory: dict[Any, Sequence[_T]] = session.info.setdefault(_READ, {})
    key = (query, given, tuple(named.items()))
    if key not in memory:
        memory[key] = session.scalars(query(*given, **named)).all()
    return memory[key]


@event.listens_for(Session, "before_flush")
def _forget(session: Session, context: object, instances: object) -> None:
    """Forget what was read of the tables that are written to now."""
    memory: dict[Any, Any] = session.info.get(_READ, {})
    if memory:
        written = {row.__tablename__ for row in chain(session.new, session.dirty, session.deleted)}
        for key in [key for key in memory if written & _tables(key[0])]:
            del memory[key]


@cache
def _tables(query: Callable[..., Select[Any]]) -> frozenset[str]:
    statement = unwrap(query)(*map(bindparam, signature(query).parameters))
    return frozenset(part.name for part in visitors.iterate(statement) if isinstance(part, Table))
