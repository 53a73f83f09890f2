"""The company of the integration tests, on an empty database: each test runs on SQLite and on PostgreSQL."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.database import Database
from tests.api_client import WITH_ADMIN, Api
from tests.company import Company


@pytest.fixture
def company(db: Database) -> Company:
    """A company with people in it, one of them an administrator."""
    return Company(db, directory=WITH_ADMIN)


@pytest.fixture
def api(company: Company, tmp_path: Path) -> Api:
    """Its API."""
    return Api(company, tmp_path)
