"""Commands answer at once: none of them waits for a library that it does not need."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

from cli.parts import Layout, all_parts
from models import schema
from settings import CHECKOUT

SLOW = {"prefect", "fastapi", "starlette", "uvicorn", "alembic", "apprise", "icalendar", "aiosmtpd", "babel"}
"""Libraries that take a tenth of a second to import, or several of them."""
DATABASE = {"sqlalchemy"}

RUN = """
import json, sys
from cli.main import main
code = main(sys.argv[1:])
sys.stdout.flush()
print(json.dumps([code, sorted({name.partition(".")[0] for name in sys.modules})]), file=sys.stderr)
"""


def imported_by(home: Path, *arguments: str) -> set[str]:
    """The packages that a command has imported by its end, in a process of its own."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("ETAPPE_", "PREFECT_"))}
    done = subprocess.run(
        [sys.executable, "-c", RUN, *arguments],
        cwd=CHECKOUT, env={**environment, "ETAPPE_HOME": str(home)}, capture_output=True, text=True, check=True,
        timeout=60,
    )  # fmt: skip
    code, packages = json.loads(done.stderr.splitlines()[-1])
    assert code == 0, done.stderr
    return set(packages)


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["start", "--help"]], ids=" ".join)
def test_the_overview_needs_neither_libraries_nor_the_database(arguments: list[str], tmp_path: Path) -> None:
    unneeded = SLOW | (DATABASE if arguments != ["start", "--help"] else set())
    assert not imported_by(tmp_path, *arguments) & unneeded


@pytest.mark.parametrize("arguments", [
    "rollout list", "rollout --help", "board", "people list", "gate --help", "plan list", "token list", "audit verify",
])  # fmt: skip
def test_what_people_ask_every_day_needs_the_database_and_no_more(
    arguments: str, set_up_home: Path, tmp_path: Path
) -> None:
    shutil.copytree(set_up_home, tmp_path / "home")
    assert not imported_by(tmp_path / "home", *arguments.split()) & SLOW


def test_the_newest_revision_is_known_without_asking_alembic() -> None:
    config = Config()
    config.set_main_option("script_location", str(CHECKOUT / "models" / "migrations"))
    assert ScriptDirectory.from_config(config).get_heads() == [schema.newest_revision()]


def test_the_pages_alone_import_neither_prefect_nor_what_changes_the_schema_nor_a_driver_they_do_not_use() -> None:
    """What a process has imported stays in its memory: docs/performance.md, “Waiting, and growing”."""
    names = ["cli.main", "cli.commands.web", "web.serve", "sqlalchemy.dialects.sqlite.pysqlite"]
    assert not imported_with(names) & {"prefect", "alembic", "psycopg", "holidays", "icalendar", "apprise", "aiosmtpd"}


@pytest.mark.parametrize(("url", "drivers"), [("", set()), ("postgresql://somewhere/etappe", {"psycopg"})])
def test_what_the_parts_share_has_the_driver_that_they_use_and_nothing_that_changes_the_schema(
    url: str, drivers: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ETAPPE_DATABASE_URL", url)
    parts = all_parts(Layout(tmp_path, 18400, 14200, 11025))
    names = [name.partition(":")[0] for part in parts for name in part.preload]
    assert "worker.follower" in names
    assert imported_with(names) & {"alembic", "psycopg", "aiosmtpd"} == drivers


@pytest.mark.parametrize(("asked", "processes"), [("", "2"), ("1", "1"), ("5", "5")])
def test_two_processes_serve_the_pages_unless_another_number_is_asked_for(
    asked: str, processes: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ETAPPE_WEB_PROCESSES", asked)
    [web] = [part for part in all_parts(Layout(tmp_path, 18400, 14200, 11025)) if part.name == "web page"]
    assert web.environment["ETAPPE_WEB_PROCESSES"] == processes


def test_only_the_country_whose_holidays_are_asked_for_is_imported_and_all_can_be() -> None:
    script = (
        "import sys; from domain import days_off\n"
        "days_off.in_year('CH-ZH', 2026)\n"
        "print(*(name for name in sys.modules if name.startswith('holidays.countries.')))\n"
        "print(*(name for name in days_off._known() if not days_off.in_year(name, 2026)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=CHECKOUT, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "holidays.countries.switzerland\n\n"


def imported_with(names: Sequence[str]) -> set[str]:
    """The packages that have been imported when these modules have, in a process of its own."""
    script = "import importlib, sys\nfor name in sys.argv[1:]: importlib.import_module(name)\n"
    script += "print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run(
        [sys.executable, "-c", script, *names], cwd=CHECKOUT, capture_output=True, text=True, check=True, timeout=60
    )
    return set(done.stdout.split())
