"""The relay as one process: none of its threads ends without the others."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from models.database import Database
from operations.installation import Installation
from settings import Settings
from worker import relay


def test_a_thread_that_fails_for_good_ends_the_relay(
    db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It went on without that thread, and looked as if it were well."""

    def cannot_begin() -> None:
        raise RuntimeError("nothing to deliver with")

    monkeypatch.setattr(relay, "AppriseSender", cannot_begin)
    given = {"ETAPPE_HOME": str(tmp_path), "ETAPPE_DATABASE_URL": db.url}
    installation, before = Installation(Settings.from_environment(given)), threading.active_count()
    with pytest.raises(RuntimeError, match="nothing to deliver with"):
        relay.run(installation, threading.Event(), with_prefect=False)
    assert threading.active_count() == before
    installation.db.close()
