"""What the operator asks: does the check run, does the record hold, what is wrong, what would be started."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cli.commands.start import welcome
from cli.parts import Layout, all_parts
from settings import Settings
from settings.last_start import remember
from tests.cli.conftest import Terminal
from worker.parts import together

LEVELS = {"ok", "warning", "problem"}


def test_the_check_runs_while_prefect_is_down(company: Terminal, rollout_id: str) -> None:
    said = company("check-stalled")
    assert said.code == 0
    assert "Reminded at 0 gates" in said.out
    assert said.out.splitlines()[-1].startswith("Prefect does not answer at http://127.0.0.1:9/api")


def test_the_check_as_json(company: Terminal) -> None:
    facts = company("check-stalled", "--json").facts()
    assert facts["prefect"]["compared"] is False
    assert {"reminded", "escalated", "expired", "stalled", "advanced", "expiries_wait"} <= facts.keys()


def tamper(tmp_path: Path, statement: str) -> None:
    """Change the record the way somebody would who has the file and takes the triggers away first."""
    connection = sqlite3.connect(tmp_path / "home" / "etappe.db")
    for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        connection.execute(f'DROP TRIGGER "{name}"')
    connection.execute(statement)
    connection.commit()
    connection.close()


def test_an_untouched_record_holds(company: Terminal, rollout_id: str) -> None:
    said = company("audit", "verify")
    assert said.code == 0
    assert said.out.startswith("1 record of 1 hold; ")
    [report] = company("audit", "verify", rollout_id, "--json").facts()
    assert (report["rollout_id"], report["holds"], report["broken_at"]) == (rollout_id, True, None)


@pytest.mark.parametrize(
    ("statement", "broken_at"),
    [
        ("UPDATE audit_entries SET actor = 'x@example.com' WHERE sequence = 2", 2),
        ("UPDATE audit_entries SET facts = '{\"plan\": 1.5}' WHERE sequence = 1", 1),
        ("DELETE FROM audit_entries WHERE sequence = 2", 3),
        ("DELETE FROM audit_entries WHERE sequence = (SELECT max(sequence) FROM audit_entries)", 3),
        ("UPDATE rollouts SET head_hash = 'x'", 4),
        ("UPDATE audit_entries SET facts = 'no json' WHERE sequence = 1", None),
    ],
)
def test_a_record_that_was_tampered_with_says_where(
    company: Terminal, rollout_id: str, tmp_path: Path, statement: str, broken_at: int | None
) -> None:
    tamper(tmp_path, statement)
    said = company("audit", "verify")
    assert said.code == 1
    assert f"The record of the rollout {rollout_id} breaks" in said.err
    [report] = company("audit", "verify", "--json").facts()
    assert (report["holds"], report["broken_at"]) == (False, broken_at)


def test_an_unknown_rollout_has_no_record(company: Terminal) -> None:
    assert company("audit", "verify", "zzzzzzzz").code == 1


def findings(company: Terminal) -> dict[str, str]:
    facts = company("doctor", "--json").facts()
    assert {one["level"] for one in facts} <= LEVELS
    return {one["check"]: one["level"] for one in facts}


def test_the_doctor_tells_problems_from_warnings(company: Terminal, rollout_id: str, tmp_path: Path) -> None:
    found = findings(company)
    assert found["database"] == found["people"] == found["secret"] == found["plans"] == "ok"
    assert found["base URL"] == found["last check"] == "warning"
    assert found["mail"] == found["Prefect"] == found["pages"] == "problem"
    (tmp_path / "home" / "secret-key").chmod(0o644)
    assert findings(company)["secret"] == "problem"
    said = company("doctor")
    assert said.code == 1
    assert "run: chmod 600" in said.out


def test_the_doctor_makes_nothing(etappe: Terminal, tmp_path: Path) -> None:
    said = etappe("doctor")
    assert said.code == 1
    assert "has not been set up" in said.out
    assert not (tmp_path / "home").exists()


@pytest.fixture
def layout(etappe: Terminal, tmp_path: Path) -> Layout:
    return Layout(tmp_path / "home", web_port=18400, prefect_port=14200, smtp_port=11025)


def test_everything_starts_in_the_order_in_which_it_is_needed(layout: Layout) -> None:
    groups = [[part.name for part in group] for group in together(all_parts(layout))]
    assert groups == [
        ["setup", "database", "mailbox"],
        ["prefect server", "web page"],
        ["deployments"],
        ["relay"],
        ["worker"],
    ]


def test_pages_relay_and_worker_are_forked_from_one_process_in_which_their_surroundings_are_the_same(
    layout: Layout,
) -> None:
    """Prefect reads its settings when it is imported, so those must be the same for all that share the import."""
    forked = {part.name: part for part in all_parts(layout) if part.preload}
    assert list(forked) == ["web page", "relay", "worker"]
    settings = [
        {name: value for name, value in part.environment.items() if name.startswith("PREFECT_")}
        for part in forked.values()
    ]
    assert settings[0] == settings[1] == settings[2]


def test_every_port_can_be_given(layout: Layout) -> None:
    ports = {port.option: port.number for part in all_parts(layout) for port in part.ports}
    assert ports == {"--prefect-port": 14200, "--smtp-port": 11025, "--web-port": 18400}


def test_every_part_of_etappe_is_told_the_same(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ETAPPE_PLANS", "my-plans")
    parts = {part.name: part.environment for part in all_parts(layout)}
    for name in ("setup", "deployments", "mailbox", "web page", "relay", "worker"):
        environment = parts[name]
        assert environment["ETAPPE_HOME"] == str(layout.home)
        assert environment["ETAPPE_BASE_URL"] == "http://127.0.0.1:18400"
        assert environment["ETAPPE_SMTP_URL"] == "smtp://127.0.0.1:11025"
        assert environment["ETAPPE_DATABASE_URL"] == f"sqlite:///{layout.home / 'etappe.db'}"
        assert environment["ETAPPE_PLANS"] == str(Path("my-plans").absolute())
        assert environment["PREFECT_API_URL"] == "http://127.0.0.1:14200/api"


def test_a_mail_server_of_ones_own_takes_the_place_of_the_mailbox(tmp_path: Path) -> None:
    layout = Layout(tmp_path, 18400, 14200, 11025, "https://etappe.example.com", "smtps://mail.example.com")
    parts = {part.name: part.environment for part in all_parts(layout)}
    assert "mailbox" not in parts
    assert parts["relay"]["ETAPPE_SMTP_URL"] == "smtps://mail.example.com"
    assert parts["relay"]["ETAPPE_BASE_URL"] == "https://etappe.example.com"


def test_the_welcome_names_the_addresses_and_what_to_do(layout: Layout) -> None:
    said = welcome(layout, "http://127.0.0.1:14200/deployments/deployment/1")
    for words in (
        "http://127.0.0.1:14200/deployments/deployment/1",
        "http://127.0.0.1:18400/mailbox",
        "etappe board",
        "Ctrl-C ends all",
    ):
        assert words in said


@pytest.mark.parametrize(
    ("api", "pages", "shown"),
    [
        ("http://127.0.0.1:4211/api", "", "http://127.0.0.1:4211"),
        ("http://prefect-server:4200/api", "https://prefect.example.com", "https://prefect.example.com"),
        ("", "", ""),
    ],
)
def test_the_pages_show_where_people_reach_prefect(
    company: Terminal, monkeypatch: pytest.MonkeyPatch, api: str, pages: str, shown: str
) -> None:
    """Which is not where its API is reached from a container."""
    given: list[str] = []

    @contextmanager
    def listening(settings: Settings, *, prefect_ui_url: str, **more: object) -> Iterator[Callable[[], None]]:
        given.append(prefect_ui_url)
        yield lambda: None

    monkeypatch.setattr("web.serve.listening", listening)
    monkeypatch.setenv("PREFECT_API_URL", api)
    monkeypatch.setenv("PREFECT_UI_URL", pages)
    assert company("web").code == 0
    assert given == [shown]


@pytest.mark.parametrize("command", ["relay", "start"])
def test_a_mail_server_that_cannot_be_one_is_said_at_once(
    company: Terminal, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: str
) -> None:
    """It was a traceback of one of the relay's threads, and the others went on."""
    monkeypatch.setenv("ETAPPE_SMTP_URL", "smtp://:25")
    before = sorted((tmp_path / "home").rglob("*"))
    said = company(command)
    assert (said.code, said.out) == (1, "")
    assert said.err == (
        "ETAPPE_SMTP_URL cannot be used; write it like smtp+starttls://user:password@mail.example.com:587.\n"
    )
    assert sorted((tmp_path / "home").rglob("*")) == before


class TestWhereTheLastStartPutThings:
    def test_commands_in_another_terminal_find_them(
        self, company: Terminal, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        for name in ("ETAPPE_BASE_URL", "ETAPPE_SMTP_URL", "PREFECT_API_URL"):
            monkeypatch.delenv(name)
        layout = Layout(tmp_path / "home", 18401, 14201, 11025)
        remember(layout.home, layout.addresses())
        assert company("board").out.startswith("http://127.0.0.1:18401/board/")
        settings = Settings.from_environment()
        assert (settings.base_url, settings.smtp_url) == ("http://127.0.0.1:18401", "smtp://127.0.0.1:11025")
        assert "Prefect does not answer at http://127.0.0.1:14201/api" in company("check-stalled").out
        assert (
            "Prefect does not answer at http://127.0.0.1:14202/api"
            in company("check-stalled", "--prefect-port", "14202").out
        )

    def test_what_was_told_goes_before_and_is_not_written_down(self, company: Terminal, tmp_path: Path) -> None:
        layout = Layout(tmp_path / "home", 18401, 14201, 11025, "https://etappe.example.com", "smtp://u:secret@mail")
        assert layout.addresses() == {"PREFECT_API_URL": "http://127.0.0.1:14201/api"}
        remember(layout.home, {**layout.addresses(), "ETAPPE_BASE_URL": "http://127.0.0.1:18401"})
        assert company("board").out.startswith("http://127.0.0.1:9/board/")
        assert "Prefect does not answer at http://127.0.0.1:9/api" in company("check-stalled").out

    @pytest.mark.parametrize("written", ["", "{", "[1]", "\x00"])
    def test_what_is_no_longer_what_was_written_counts_for_nothing(self, tmp_path: Path, written: str) -> None:
        (tmp_path / "addresses.json").write_text(written)
        assert Settings.from_environment({"ETAPPE_HOME": str(tmp_path)}).base_url == "http://127.0.0.1:8400"
