"""The doctor names every key, host and database that a plan counts on and that cannot be used."""

from __future__ import annotations

import base64
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.conftest import Terminal
from tests.sample_plans import ROLES

PLAN = f"""
plan: systems
title: Systems
chat: [team, ops]
{ROLES}
stages:
  - id: only
    title: Only
    gates:
      - {{id: called, title: Called, kind: check, signed_with: ci}}
      - {{id: asked, title: Asked, kind: check, asks: "https://127.0.0.1:9/status"}}
      - {{id: read, title: Read, kind: measurement, metric: hits, at_least: 1,
          queried: {{database: shop, query: SELECT 1 AS value}}}}
"""
KEY = f"whsec_{base64.b64encode(b'k' * 32).decode()}"


@pytest.fixture
def doctor(company: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Runs the doctor, with that plan among the others."""
    plans = tmp_path / "plans"
    plans.mkdir()
    (plans / "systems.yaml").write_text(PLAN)
    monkeypatch.setenv("ETAPPE_PLANS", str(plans))
    return company


def found(doctor: Terminal) -> dict[str, list[tuple[str, str]]]:
    """What the doctor says, by what it looked at."""
    by_check: dict[str, list[tuple[str, str]]] = {}
    for each in doctor("doctor", "--json").facts():
        by_check.setdefault(each["check"], []).append((each["level"], each["sentence"]))
    return by_check


def test_what_a_plan_names_and_nobody_configured(doctor: Terminal) -> None:
    said = found(doctor)
    assert said["check keys"] == [
        ("problem", "the plan systems names the key “ci”; add ci=whsec_... to ETAPPE_CHECK_KEYS")
    ]
    [(level, sentence)] = said["check hosts"]
    assert (level, "private address 127.0.0.1; add 127.0.0.1 to ETAPPE_CHECK_HOSTS" in sentence) == ("problem", True)
    [(level, sentence)] = said["metric databases"]
    assert (level, "the plan systems names the database “shop”" in sentence) == ("problem", True)
    advice = "to ETAPPE_CHAT_URLS"
    assert [(level, sentence.endswith(advice)) for level, sentence in said["chat"]] == [("problem", True)] * 2
    assert "the plan systems names the chat channel “team”; add team=slack://..." in said["chat"][0][1]


def test_all_is_well_once_it_is_configured(doctor: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(sqlite3.connect(tmp_path / "shop.db")) as connection:
        connection.execute("CREATE TABLE orders (amount)")
    monkeypatch.setenv("ETAPPE_CHECK_KEYS", f"ci={KEY}")
    monkeypatch.setenv("ETAPPE_CHECK_HOSTS", "127.0.0.1")
    monkeypatch.setenv("ETAPPE_METRIC_DATABASES", f"shop=sqlite:///{tmp_path / 'shop.db'}")
    monkeypatch.setenv(
        "ETAPPE_CHAT_URLS", "team=json://127.0.0.1:9, ops=discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js"
    )
    said = found(doctor)
    for check in ("check keys", "check hosts", "metric databases", "chat"):
        assert {level for level, _ in said[check]} == {"ok"}, said[check]


def test_what_is_configured_and_cannot_be_used(doctor: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ETAPPE_CHECK_KEYS", "ci=short")
    monkeypatch.setenv("ETAPPE_METRIC_DATABASES", "shop=postgresql://anna:secret@127.0.0.1:9/shop, other=oracle://x")
    monkeypatch.setenv("ETAPPE_CHAT_URLS", "team=slack://secret, ops=msteams://secret/a/b/c")
    said = found(doctor)
    assert said["check keys"][0][0] == "problem"
    assert "ETAPPE_CHECK_KEYS" in said["check keys"][0][1]
    assert [level for level, _ in said["metric databases"]] == ["problem", "problem"]
    assert said["chat"] == [
        ("problem", f"“{name}” in ETAPPE_CHAT_URLS is not an address that apprise knows") for name in ("team", "ops")
    ]
    assert "secret" not in str(said["metric databases"])


def test_the_chats_of_people_are_looked_at_as_well(doctor: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "people.yaml"
    file.write_text(
        "people:\n"
        "  - {email: anna@example.com, name: Anna, chat: nowhere}\n"
        "  - {email: ben@example.com, name: Ben, chat: 'slack://secret'}\n"
        "  - {email: carla@example.com, name: Carla, chat: 'json://127.0.0.1:9'}\n"
    )
    assert doctor("people", "import", str(file)).code == 0
    said = [sentence for _, sentence in found(doctor)["chat"] if "directory" in sentence]
    assert said == [
        "anna@example.com has the chat “nowhere” in the directory; add it to ETAPPE_CHAT_URLS",
        "the address that ben@example.com has in the directory is not one that apprise knows",
    ]
