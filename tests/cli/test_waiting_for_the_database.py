"""`etappe migrate --wait`: for what starts beside the one that sets the database up."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.commands.migrate import LOOK_EVERY_SECONDS
from tests.cli.conftest import Terminal

NOT_SET_UP = "The database has not been set up; run `etappe start` or `etappe migrate`."
NOT_CURRENT = "The database is at another version than this Etappe; run `etappe migrate`."
SET_UP = "The database is set up."
Meanwhile = Callable[..., None]


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Meanwhile:
    """Have these happen while it is waited, one after the other; whoever waits longer than that is told to stop."""

    def happen(*events: Callable[[], object]) -> None:
        left = list(events)

        def sleep(seconds: float) -> None:
            assert seconds == LOOK_EVERY_SECONDS
            left.pop(0)()

        monkeypatch.setattr("cli.commands.migrate.time.sleep", sleep)

    return happen


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def end() -> None:
    """What Ctrl-C does."""
    raise KeyboardInterrupt


def say_version(home: Path, version: str) -> str:
    """Have the database say that it is at this version; return what it said before."""
    with sqlite3.connect(home / "etappe.db") as connection:
        [(before,)] = connection.execute("SELECT version_num FROM alembic_version").fetchall()
        connection.execute("UPDATE alembic_version SET version_num = ?", (version,))
    connection.close()
    return str(before)


def test_it_ends_when_somebody_has_set_the_database_up_and_sets_nothing_up_itself(
    etappe: Terminal, meanwhile: Meanwhile, home: Path, set_up_home: Path
) -> None:
    there: list[bool] = []
    meanwhile(lambda: there.append(home.exists()), lambda: shutil.copytree(set_up_home, home))
    said = etappe("migrate", "--wait")
    assert (said.code, said.out.splitlines()) == (0, [NOT_SET_UP, SET_UP])
    assert there == [False]


def test_it_waits_for_the_version_that_this_etappe_has(company: Terminal, meanwhile: Meanwhile, home: Path) -> None:
    now = say_version(home, "0001")
    meanwhile(lambda: say_version(home, now))
    assert company("migrate", "--wait").out.splitlines() == [NOT_CURRENT, SET_UP]


def test_it_waits_for_a_server_that_does_not_answer_until_somebody_ends_it(
    etappe: Terminal, meanwhile: Meanwhile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ETAPPE_DATABASE_URL", "postgresql://anna:secret@127.0.0.1:9/etappe")
    meanwhile(lambda: None, end)
    said = etappe("migrate", "--wait")
    [line] = said.out.splitlines()
    assert "127.0.0.1:9/etappe cannot be used" in line and "secret" not in line
    assert said.code == 130


def test_it_does_not_wait_for_what_nobody_can_mend_but_who_wrote_it(
    etappe: Terminal, meanwhile: Meanwhile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ETAPPE_DATABASE_URL", "nothing of the kind")
    meanwhile()
    said = etappe("migrate", "--wait")
    assert (said.code, "ETAPPE_DATABASE_URL is no address" in said.err) == (1, True)
