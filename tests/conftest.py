"""What all tests share: where their files are, and empty databases that cost a millisecond.

Statements are compiled once for each engine, and PostgreSQL reads its catalogs anew for each database. So there is one
database of each kind, which is emptied before each test that asks for it.
"""

from __future__ import annotations

import gc
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import text

from models import schema
from models.database import Database
from tests.postgres import Postgres

TEMPLATE = "etappe_template"
MEMORY = Path("/dev/shm")
ENOUGH_BYTES = 2 * 1024**3
AN_OBJECT_IN = 50_000
"""How many new objects make Python look for garbage; it usually does so after 700."""


def pytest_configure(config: pytest.Config) -> None:
    """Keep temporary files in memory where there is enough: nothing that a test writes has to outlive the machine.

    Where Prefect is asked without being told where it is, that fails, instead of starting a server.
    """
    os.environ["PREFECT_SERVER_ALLOW_EPHEMERAL_MODE"] = "false"
    with suppress(OSError):
        if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= ENOUGH_BYTES:
            os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))
    gc.set_threshold(AN_OBJECT_IN)


def pytest_collection_finish(session: pytest.Session) -> None:
    """What was imported and collected stays to the end: never look through it for garbage."""
    gc.freeze()


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the whole schema, to be copied."""
    path = tmp_path_factory.mktemp("sqlite") / "migrated.db"
    db = Database(f"sqlite:///{path}")
    schema.upgrade(db)
    db.close()
    return path


@pytest.fixture(scope="session")
def sqlite_database(migrated_sqlite: Path) -> Iterator[Database]:
    """The SQLite database of all tests."""
    db = Database(f"sqlite:///{migrated_sqlite.with_name('etappe.db')}")
    yield db
    db.close()


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A real PostgreSQL with a template database that holds the whole schema."""
    with Postgres.running(tmp_path_factory.mktemp("postgres")) as server:
        db = Database(server.create(TEMPLATE))
        schema.upgrade(db)
        db.close()
        yield server


@pytest.fixture(scope="session")
def postgres_database(postgres: Postgres) -> Iterator[Database]:
    """The PostgreSQL database of all tests."""
    db = Database(postgres.create(template=TEMPLATE))
    made = _schema_of(db)
    yield db
    assert _schema_of(db) == made, "a test has changed the schema that others use as well"
    db.close()


@pytest.fixture(params=["sqlite", "postgres"])
def db(request: pytest.FixtureRequest) -> Iterator[Database]:
    """An empty Etappe database."""
    database: Database = request.getfixturevalue(f"{request.param}_database")
    if database.is_sqlite:
        _copy(request.getfixturevalue("migrated_sqlite"), database)
    else:
        _empty(database)
    yield database
    database.close()


@pytest.fixture(params=["sqlite", "postgres"])
def new_db(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An Etappe database that no other test has ever used: its statistics are those of this test alone."""
    if request.param == "sqlite":
        migrated: Path = request.getfixturevalue("migrated_sqlite")
        database = Database(f"sqlite:///{shutil.copy(migrated, tmp_path / 'new.db')}")
    else:
        server: Postgres = request.getfixturevalue("postgres")
        database = Database(server.create(template=TEMPLATE))
    yield database
    database.close()


def _copy(migrated: Path, database: Database) -> None:
    path = Path(database.url.removeprefix("sqlite:///"))
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    shutil.copyfile(migrated, path)


def _empty(database: Database) -> None:
    """Delete every row, those that may only be appended included, and let numbers begin anew."""
    with database.engine.begin() as connection:
        connection.execute(text("SET LOCAL lock_timeout = '10s'"))  # somebody who still writes is told, not waited for
        connection.execute(text("SET LOCAL session_replication_role = replica"))  # no trigger and no foreign key
        tables = "; ".join(f"DELETE FROM {table.name}" for table in schema.metadata.sorted_tables)
        connection.execute(text(tables))
        connection.execute(text("SELECT setval(format('%I.%I', schemaname, sequencename), start_value, false) "
                                "FROM pg_sequences WHERE last_value IS NOT NULL"))  # fmt: skip


def _schema_of(database: Database) -> list[tuple[str, ...]]:
    """Every column, trigger, index and constraint, with what PostgreSQL knows of it."""
    questions = (
        "SELECT 'column', attrelid::regclass::text, attname::text, atttypid::regtype::text || attnotnull "
        "FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid "
        "WHERE relnamespace = 'public'::regnamespace AND attnum > 0",
        "SELECT 'trigger', tgrelid::regclass::text, pg_get_triggerdef(oid), tgenabled::text FROM pg_trigger "
        "WHERE NOT tgisinternal",
        "SELECT 'index', tablename::text, indexname::text, indexdef FROM pg_indexes WHERE schemaname = 'public'",
        "SELECT 'constraint', conrelid::regclass::text, conname::text, pg_get_constraintdef(oid) FROM pg_constraint "
        "WHERE connamespace = 'public'::regnamespace",
    )
    with database.read() as session:
        return sorted(tuple(row) for question in questions for row in session.execute(text(question)))
