"""The overview answers at once, wrong usage is 2, a refusal is one sentence and 1, and a closed pipe is no mistake."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cli.main import COMMANDS
from tests.cli.conftest import Terminal

CHECKOUT = Path(__file__).resolve().parents[2]
HEAVY = ("prefect", "sqlalchemy", "fastapi", "pydantic", "alembic", "holidays", "babel", "domain.plan")
LOOK = f"""
import sys
from cli.main import main
code = main(["--help"])
sys.exit(code or ", ".join(name for name in {HEAVY!r} if name in sys.modules))
"""


def test_the_overview_imports_nothing_heavy() -> None:
    looked = subprocess.run([sys.executable, "-c", LOOK], cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert looked.stderr.strip() == ""
    assert "check-stalled" in looked.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(etappe: Terminal, command: str) -> None:
    said = etappe(command, "--help")
    assert said.code == 0
    assert said.out.startswith(f"Usage: etappe {command}")


def test_the_version_is_the_projects(etappe: Terminal) -> None:
    assert etappe("--version").out == "etappe 0.1.0\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ("unknown",),
        ("rollout", "unknown"),
        ("rollout", "start", "office-policy"),
        ("rollout", "start", "office-policy", "--requester", "a@b.ch", "--budget", "no amount"),
        ("rollout", "start", "office-policy", "--requester", "a@b.ch", "--people", "nobody="),
        ("rollout", "start", "office-policy", "--requester", "a@b.ch", "--language", "fr"),
        ("rollout", "start", "office-policy", "--requester", "a@b.ch", "--start-on", "tomorrow"),
        ("rollout", "cancel", "abcd"),
        ("measure", "abcd", "metric"),
        ("measure", "abcd", "metric", "1", "--sample", "few"),
        ("measure", "abcd", "metric", "1", "--at", "noon"),
        ("measure", "abcd", "metric", "1", "--smaple", "3"),
        ("plan", "check", "no-such-file.yaml"),
        ("people", "import", "no-such-file.yaml"),
        ("start", "--web-port", "70000"),
    ],
)
def test_wrong_usage_is_2_and_says_what_is_wrong(etappe: Terminal, arguments: tuple[str, ...]) -> None:
    said = etappe(*arguments)
    assert said.code == 2
    assert "Error: " in said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("people", "list"),
        ("rollout", "list"),
        ("rollout", "show", "abcd"),
        ("rollout", "start", "office-policy", "--requester", "a@b.ch", "--set", "policy=x"),
        ("measure", "abcd", "metric", "-3"),
        ("check-stalled",),
        ("audit", "verify"),
        ("web",),
        ("relay",),
        ("worker",),
    ],
)
def test_a_database_that_was_never_set_up_is_said_and_not_made(
    etappe: Terminal, arguments: tuple[str, ...], tmp_path: Path
) -> None:
    said = etappe(*arguments)
    assert (said.code, said.err) == (1, "The database has not been set up; run `etappe start` or `etappe migrate`.\n")
    assert not (tmp_path / "home" / "etappe.db").exists()


def test_a_secret_key_that_is_too_short_is_refused_before_anything_is_set_up(
    etappe: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ETAPPE_SECRET_KEYS", "long enough for everybody,short")
    said = etappe("migrate")
    assert (said.code, "ETAPPE_SECRET_KEYS is shorter than 16 bytes" in said.err) == (1, True)


def test_a_database_that_does_not_answer_is_one_sentence(etappe: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ETAPPE_DATABASE_URL", "postgresql://anna:secret@127.0.0.1:9/etappe")
    said = etappe("rollout", "list")
    assert said.code == 1
    assert said.err.count("\n") == 1
    assert "postgresql+psycopg://anna:***@127.0.0.1:9/etappe cannot be used" in said.err.replace(
        "postgresql://", "postgresql+psycopg://"
    )
    assert "secret" not in said.err


def test_an_address_that_is_none_is_one_sentence(etappe: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ETAPPE_DATABASE_URL", "my database")
    said = etappe("rollout", "list")
    assert said.code == 1
    assert said.err.startswith("ETAPPE_DATABASE_URL is no address of a database")


def test_a_reader_that_goes_away_is_no_mistake() -> None:
    program = "from cli.main import main; import sys; sys.exit(main())"
    piped = f"{sys.executable} -c '{program}' plan schema | head -n 1; echo ${{PIPESTATUS[0]}}"
    said = subprocess.run(["bash", "-c", piped], cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert said.stdout == "{\n0\n"
    assert said.stderr == ""


def test_nor_is_one_that_has_gone_before_anything_is_said() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    program = "from cli.main import main; import sys; sys.exit(main())"
    said = subprocess.run([sys.executable, "-c", program, "plan", "schema"], cwd=CHECKOUT, stdout=writer,
                          stderr=subprocess.PIPE, text=True, check=False)  # fmt: skip
    os.close(writer)
    assert (said.returncode, said.stderr) == (0, "")
