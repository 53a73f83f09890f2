"""PostgreSQL's cursor says of a result what psycopg's own does, as far as anybody asks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from sqlalchemy import text

from models.database import Database


@pytest.fixture
def connection(db: Database) -> Iterator[psycopg.Connection[Any]]:
    if db.is_sqlite:
        pytest.skip("PostgreSQL's")
    with db.engine.connect() as connected:
        driver = connected.connection.driver_connection
        assert isinstance(driver, psycopg.Connection)
        yield driver


@pytest.mark.parametrize(
    "statement",
    ["SELECT 1 AS one, 'two' AS \"zwölf\", now()", "SELECT * FROM people", "SELECT", "SELECT 1 WHERE false",
     "UPDATE people SET name = name", "UPDATE people SET name = name RETURNING email"],
)  # fmt: skip
def test_names_and_types_are_those_that_psycopg_tells(connection: psycopg.Connection[Any], statement: str) -> None:
    lean: Any = connection.cursor()
    theirs = psycopg.Cursor(connection)
    for cursor in (lean, theirs):
        cursor.execute(statement)
    assert type(lean) is not type(theirs)
    expected = theirs.description
    if expected is None:
        assert lean.description is None
    else:
        assert lean.description == [(one.name, one.type_code, *[None] * 5) for one in expected]


def test_a_result_has_its_columns_by_name(db: Database) -> None:
    with db.read() as session:
        row = session.execute(text("SELECT 1 AS one, 2 AS two")).one()
    assert (row.one, row.two) == (1, 2)


def test_nothing_is_said_before_anything_was_asked(connection: psycopg.Connection[Any]) -> None:
    assert connection.cursor().description is None
