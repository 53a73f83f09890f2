"""`etappe rollout migrate`: what a newer version would mean is shown; only --yes with a --reason does it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import REQUESTER, Terminal

PLAN = """
plan: tool
title: Tool
inputs: {scope: {kind: text}}
stages:
  - id: decision
    title: Decision
    gates:
      - {id: go, title: Go, kind: sign-off, question: "Shall we?", approvers: [anna.keller@example.com]}
      - {id: old, title: Old, kind: sign-off, question: "And this?", approvers: [anna.keller@example.com]}
"""
NEWER = PLAN.replace("Shall we?", "Shall we really?").replace("id: old, title: Old", "id: new, title: New")


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The plan's file, where plans are found."""
    folder = tmp_path / "plans"
    folder.mkdir()
    monkeypatch.setenv("ETAPPE_PLANS", str(folder))
    path = folder / "tool.yaml"
    path.write_text(PLAN, encoding="utf-8")
    return path


@pytest.fixture
def started(company: Terminal, file: Path) -> str:
    """A rollout of the plan as it was at first; the file holds the newer version by now."""
    said = company("rollout", "start", "tool", "--requester", REQUESTER, "--json")
    file.write_text(NEWER, encoding="utf-8")
    return str(said.facts()["id"])


@pytest.fixture
def stored(company: Terminal, tmp_path: Path) -> Callable[[], dict[str, list[Any]]]:
    """Every row of every table, read without Etappe."""

    def read() -> dict[str, list[Any]]:
        with sqlite3.connect(tmp_path / "home" / "etappe.db") as connection:
            names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            return {name: connection.execute(f"SELECT * FROM {name}").fetchall() for name in names}

    return read


def test_it_shows_what_would_stay_valid_and_changes_nothing(
    company: Terminal, started: str, stored: Callable[[], dict[str, list[Any]]]
) -> None:
    before = stored()
    said = company("rollout", "migrate", started)
    assert said.code == 0
    assert said.out.splitlines() == [
        "Plan tool, version 1 → 2",
        "Decision  stays",
        "  Go  asked again: the question was reworded",
        "  New  new",
        "  Old  gone",
        'Nothing has changed yet; to do it, add --yes --reason "why".',
    ]
    assert stored() == before


def test_as_json(company: Terminal, started: str) -> None:
    facts = company("rollout", "migrate", started, "--json").facts()
    assert {key: facts[key] for key in ("rollout", "plan", "from", "to", "done")} == {
        "rollout": started,
        "plan": "tool",
        "from": 1,
        "to": 2,
        "done": False,
    }
    [stage] = facts["stages"]
    assert (stage["id"], stage["fate"]) == ("decision", "stays")
    assert stage["gates"][0] == {
        "id": "go",
        "title": "Go",
        "fate": "asked-again",
        "because": ["the question was reworded"],
        "lapses": [],
    }


def test_yes_does_it_once(company: Terminal, started: str) -> None:
    said = company("rollout", "migrate", started, "--yes", "--reason", "a better question", "--by", REQUESTER)
    assert (said.code, said.out.splitlines()[-1]) == (
        0,
        f"The rollout {started} follows version 2 now; everybody concerned is told.",
    )
    facts = company("rollout", "show", started, "--json").facts()
    assert facts["version"] == 2
    assert [(gate["id"], gate["round"]) for gate in facts["stages"][0]["gates"]] == [("go", 2), ("new", 1)]
    again = company("rollout", "migrate", started, "--yes", "--reason", "again", "--json").facts()
    assert (again["from"], again["to"], again["done"]) == (2, 2, False)
    assert "follows version 2 of “tool” already" in company("rollout", "migrate", started).out


def test_yes_without_a_reason_is_wrong_usage(
    company: Terminal, started: str, stored: Callable[[], dict[str, list[Any]]]
) -> None:
    before = stored()
    said = company("rollout", "migrate", started, "--yes")
    assert said.code == 2
    assert "--yes needs --reason" in said.err
    assert stored() == before


def test_a_file_can_be_given(company: Terminal, started: str, tmp_path: Path) -> None:
    other = tmp_path / "draft.yaml"
    other.write_text(PLAN.replace("And this?", "And that?"), encoding="utf-8")
    shown = company("rollout", "migrate", started, "--file", str(other)).out
    assert "  Go  stays" in shown
    assert "  Old  asked again: the question was reworded" in shown


@pytest.mark.parametrize(
    ("newer", "sentence"),
    [
        (PLAN.replace("plan: tool", "plan: other"), "follows the plan “tool”; this file holds “other”"),
        (PLAN.replace("kind: text", "kind: text, required: true"), "needs “scope”"),
        (PLAN.replace("kind: sign-off", "kind: sing-off"), "draft.yaml:"),
    ],
)
def test_what_cannot_be_followed_is_one_sentence(
    company: Terminal, started: str, tmp_path: Path, newer: str, sentence: str
) -> None:
    other = tmp_path / "draft.yaml"
    other.write_text(newer, encoding="utf-8")
    said = company("rollout", "migrate", started, "--file", str(other))
    assert said.code == 1
    assert sentence in said.err
    assert "Traceback" not in said.err


def test_somebody_who_does_not_look_after_it_is_refused(company: Terminal, started: str) -> None:
    by = ("--yes", "--reason", "mine", "--by", "anna.keller@example.com")
    said = company("rollout", "migrate", started, *by)
    assert (said.code, said.err.count("\n")) == (1, 1)
    assert "does not look after this rollout" in said.err


def test_an_unknown_rollout_is_one_sentence(company: Terminal, file: Path) -> None:
    said = company("rollout", "migrate", "zzzzzzzz")
    assert (said.code, said.err.count("\n")) == (1, 1)
    assert "no rollout “zzzzzzzz”" in said.err
