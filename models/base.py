"""The declarative base and the column types every table shares."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from functools import cache
from typing import Annotated, Any, TypeVar

from sqlalchemy import JSON, DateTime, Enum, Insert, MetaData, String, TypeDecorator
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Session, mapped_column

_E = TypeVar("_E", bound=StrEnum)


class UtcDateTime(TypeDecorator[datetime]):
    """A moment, aware and in UTC on both sides; a naive datetime is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a time zone cannot be stored")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class ExactDecimal(TypeDecorator[Decimal]):
    """A number as it was given, digit by digit: SQLite would keep a float, and PostgreSQL would round."""

    impl = String(64)
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> str | None:
        return None if value is None else f"{value:f}"

    def process_result_value(self, value: str | None, dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(value)


def state_column(kind: type[_E]) -> Enum:
    """Return a column type that stores the values of `kind` as text, and refuses any other."""
    return Enum(kind, native_enum=False, length=32, values_callable=lambda members: [m.value for m in members])


def insert_once(session: Session, table: type[Base], **values: Any) -> None:
    """Insert a row unless there is one with this key; two transactions that do so at once do not collide."""
    with session.no_autoflush:
        session.execute(_insert_once(session.get_bind().dialect.name, table), values)


@cache
def _insert_once(dialect: str, table: type[Base]) -> Insert:
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    return insert(table).on_conflict_do_nothing()


class Base(DeclarativeBase):
    """The base of every table."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: UtcDateTime, dict[str, Any]: JSON, list[Any]: JSON}


Address = Annotated[str, mapped_column(String(254))]
Name = Annotated[str, mapped_column(String(60))]
RolloutId = Annotated[str, mapped_column(String(16))]
RequestId = Annotated[str, mapped_column(String(32))]
