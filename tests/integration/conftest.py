"""Real databases for the integration tests: each runs on SQLite and on PostgreSQL, on a fresh copy of the schema."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from models import schema
from models.database import Database
from tests.api_client import WITH_ADMIN, Api
from tests.company import Company
from tests.https_server import HttpsServer, certificate, running
from tests.postgres import Postgres


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the whole schema, to be copied."""
    path = tmp_path_factory.mktemp("sqlite") / "migrated.db"
    db = Database(f"sqlite:///{path}")
    schema.upgrade(db)
    db.close()
    return path


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A real PostgreSQL with a template database that holds the whole schema."""
    with Postgres.running(tmp_path_factory.mktemp("postgres")) as server:
        db = Database(server.create("etappe_template"))
        schema.upgrade(db)
        db.close()
        yield server


@pytest.fixture(params=["sqlite", "postgres"])
def db(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty Etappe database."""
    if request.param == "sqlite":
        migrated: Path = request.getfixturevalue("migrated_sqlite")
        url = f"sqlite:///{shutil.copy(migrated, tmp_path / 'etappe.db')}"
    else:
        server: Postgres = request.getfixturevalue("postgres")
        url = server.create(template="etappe_template")
    database = Database(url)
    yield database
    database.close()


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The certificate of our https server, which is its own authority."""
    return certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def server(pem: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HttpsServer]:
    """An https server whose certificate is trusted."""
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    with running(pem) as server:
        yield server


@pytest.fixture
def company(db: Database) -> Company:
    """A company with people in it, one of them an administrator."""
    return Company(db, directory=WITH_ADMIN)


@pytest.fixture
def api(company: Company, tmp_path: Path) -> Api:
    """Its API."""
    return Api(company, tmp_path)
