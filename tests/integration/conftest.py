"""The company of the integration tests, on an empty database: each test runs on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from models.database import Database
from settings import Settings
from tests.api_client import WITH_ADMIN, Api
from tests.company import KEYS, OLDER, Company
from tests.https_server import HttpsServer, certificate, running
from web.app import create_app


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
def browser(company: Company, tmp_path: Path) -> TestClient:
    """A browser anywhere, that says nothing of its language."""
    keys = b",".join([KEYS[0], OLDER]).decode()
    settings = Settings.from_environment({"ETAPPE_HOME": str(tmp_path), "ETAPPE_SECRET_KEYS": keys})
    return TestClient(create_app(settings, company.db, now=lambda: company.now))


@pytest.fixture
def api(company: Company, tmp_path: Path) -> Api:
    """Its API."""
    return Api(company, tmp_path)
