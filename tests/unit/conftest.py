"""A browser for the tests of pages; and property tests that leave nothing behind and do not fail on a slow machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from hypothesis import settings

from tests.fakes_operations import FakeOperations, decide_page
from tests.unit.web_client import client, fake_operations, installation

settings.register_profile("unit", deadline=None, database=None)
settings.load_profile("unit")


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[TestClient]:
    """A browser on the machine of the installation."""
    with client(installation(tmp_path)) as found:
        yield found


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeOperations:
    """Operations that know one open request to decide."""
    return fake_operations(monkeypatch, page=decide_page())
