"""A terminal: runs `etappe` in this process, on a home of its own, and gives what a shell would see."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cli.main import main
from models import schema
from models.database import Database

REQUESTER = "lea.brunner@example.com"


@dataclass(frozen=True)
class Said:
    """What a command answered."""

    code: int
    out: str
    err: str

    def facts(self) -> Any:
        """What it printed as JSON."""
        return json.loads(self.out)


Terminal = Callable[..., Said]


@pytest.fixture
def etappe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Terminal:
    """Run a command; the home is empty at first."""
    for name in ("ETAPPE_DATABASE_URL", "ETAPPE_PLANS", "ETAPPE_SECRET_KEYS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ETAPPE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")  # nothing ever answers on port 9
    monkeypatch.delenv("PREFECT_UI_URL", raising=False)
    monkeypatch.setenv("ETAPPE_SMTP_URL", "smtp://127.0.0.1:9")
    monkeypatch.setenv("ETAPPE_BASE_URL", "http://127.0.0.1:9")  # at the default one an Etappe may be running

    def run(*arguments: str) -> Said:
        capsys.readouterr()
        code = main(arguments)
        out, err = capsys.readouterr()
        return Said(code, out, err)

    return run


@pytest.fixture(scope="session")
def set_up_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home as the first start leaves it, to be copied."""
    home = tmp_path_factory.mktemp("set-up")
    db = Database(f"sqlite:///{home / 'etappe.db'}")
    schema.upgrade(db)
    db.close()
    return home


@pytest.fixture
def company(etappe: Terminal, set_up_home: Path, tmp_path: Path) -> Terminal:
    """Run a command; the database is set up, and the sample people are in it."""
    shutil.copytree(set_up_home, tmp_path / "home")
    assert etappe("migrate", "--sample-people").code == 0
    return etappe


@pytest.fixture
def rollout_id(company: Terminal) -> str:
    """A rollout of the bundled plan that was just started."""
    said = company(
        "rollout", "start", "social-media-introduction", "--requester", REQUESTER, "--budget", "Video=1200", "--json"
    )
    return str(said.facts()["id"])
