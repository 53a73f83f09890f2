"""Measured values of a CSV file: all rows or none, and every bad one named by its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import REQUESTER, Terminal
from tests.sample_plans import one_gate

PLAN = one_gate("kind: measurement, metric: hits, at_least: 70")


@pytest.fixture
def rollouts(company: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Two rollouts that wait for a value."""
    plans = tmp_path / "plans"
    plans.mkdir()
    (plans / "one-gate.yaml").write_text(PLAN)
    monkeypatch.setenv("ETAPPE_PLANS", str(plans))
    people = ["--people", "board=anna.keller@example.com", "--requester", REQUESTER]
    return [str(company("rollout", "start", "one-gate", *people, "--json").facts()["id"]) for _ in range(2)]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the file is."""
    return tmp_path / "hits.csv"


def test_a_file_is_recorded_in_its_rollouts(company: Terminal, rollouts: list[str], file: Path) -> None:
    file.write_text(
        "rollout,metric,value,sample,measured_at\n"
        f"{rollouts[0]},hits,90.125,12,2026-03-02T10:00+01:00\n"
        "\n"
        f'{rollouts[1]},hits,"12",,\n'
    )
    said = company("measure", "--csv", str(file), "--by", REQUESTER)
    assert (said.code, said.out) == (0, "Recorded 2 values in 2 rollouts.\n"), said.err
    assert [company("rollout", "show", each, "--json").facts()["state"] for each in rollouts] == ["completed", "held"]


def test_what_a_gate_waits_for_is_shown(company: Terminal, rollouts: list[str]) -> None:
    assert "\n      No value has been measured yet.\n" in company("rollout", "show", rollouts[0]).out


def test_one_from_a_spreadsheet_in_german_is_read_too(company: Terminal, rollouts: list[str], file: Path) -> None:
    file.write_bytes(f"\ufeffRollout;Metric;Value\r\n{rollouts[0]};hits;90.5\r\n".encode())
    assert company("measure", "--csv", str(file)).out == "Recorded 1 value in 1 rollout.\n"


def test_every_bad_row_is_named_and_nothing_is_recorded(company: Terminal, rollouts: list[str], file: Path) -> None:
    first = rollouts[0]
    file.write_text(
        "rollout,metric,value,sample,measured_at\n"
        f"{first},hits,90,,\n"
        f"{first},hits,many,,\n"
        f"{first},hits,1e5,few,\n"
        f"{first},,90,,noon\n"
        f"{first},hits,90\n"
    )
    said = company("measure", "--csv", str(file))
    assert said.code == 1
    assert [line.split(":")[1] for line in said.err.splitlines()] == ["3", "4", "4", "5", "5", "6"]
    assert "“many” is not a value; write it like 1200 or 12.5" in said.err
    assert "the first line names 5 columns" in said.err
    assert company("rollout", "show", first, "--json").facts()["state"] == "open"


def test_so_is_what_only_the_database_knows(company: Terminal, rollouts: list[str], file: Path) -> None:
    future = f"{rollouts[0]},hits,90,2036-01-01T10:00+01:00"
    file.write_text(f"rollout,metric,value,measured_at\n{rollouts[0]},hit,90,\nnowhere,hits,90,\n{future}\n")
    said = company("measure", "--csv", str(file))
    assert said.code == 1
    lines = said.err.splitlines()
    assert [line.split(":")[1] for line in lines] == ["2", "3", "4"]
    for line, words in zip(lines, ("did you mean “hits”", "no rollout “nowhere”", "in the future"), strict=True):
        assert words in line


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "column “rollout” is missing"),
        (b"rollout,metric,value\n", "holds no values"),
        (b"rollout,metric\nx,hits\n", "column “value” is missing"),
        (b"rollout,metric,value,colour\nx,hits,1,red\n", "“colour” is not a column"),
        (b"rollout,metric,value,value\nx,hits,1,2\n", "there twice"),
        (b'rollout,metric,value\nx,hits,"1\n', "not CSV"),
        (b"rollout,metric,value\nx,hits,\xff\n", "not UTF-8"),
        (b"rollout,metric,value\n" + b"x,hits,1\n" * 10_001, "more than 10000 values"),
    ],
)
def test_a_file_that_is_none_is_refused(company: Terminal, file: Path, content: bytes, words: str) -> None:
    file.write_bytes(content)
    said = company("measure", "--csv", str(file))
    assert (said.code, words in said.err) == (1, True), said.err


@pytest.mark.parametrize("arguments", [("abcd",), ("--at", "2026-03-02T10:00"), ("--sample", "3")])
def test_a_file_says_everything_by_itself(company: Terminal, file: Path, arguments: tuple[str, ...]) -> None:
    file.write_text("rollout,metric,value\nx,hits,1\n")
    said = company("measure", *arguments, "--csv", str(file))
    assert (said.code, "stands in the file" in said.err) == (2, True)
