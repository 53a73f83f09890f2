"""`etappe gate restart`: the flow run of a gate is started anew, with a reason, by whoever looks after the stage."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import REQUESTER, Terminal

PLAN = """
plan: shifting
title: Shifting
stages:
  - id: only
    title: Only stage
    gates:
      - {id: shift, title: Shift, kind: run, deployment: shift-traffic/sample}
"""


@pytest.fixture
def shifting(company: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A rollout whose gate waits for its flow run."""
    folder = tmp_path / "plans"
    folder.mkdir()
    (folder / "shifting.yaml").write_text(PLAN)
    monkeypatch.setenv("ETAPPE_PLANS", str(folder))
    return str(company("rollout", "start", "shifting", "--requester", REQUESTER, "--json").facts()["id"])


def test_it_is_started_anew_in_another_round(company: Terminal, shifting: str) -> None:
    said = company("gate", "restart", shifting, "shift", "--reason", "it hangs", "--by", REQUESTER)
    assert (said.code, said.err) == (0, "")
    assert "The flow run of shift is started anew" in said.out
    [gate] = company("rollout", "show", shifting, "--json").facts()["stages"][0]["gates"]
    assert (gate["state"], gate["round"], gate["run"]) == ("open", 2, None)
    assert "Its flow run is about to be started." in company("rollout", "show", shifting).out


def test_the_facts_can_be_printed(company: Terminal, shifting: str) -> None:
    facts = company("gate", "restart", shifting, "shift", "--reason", "it hangs", "--json").facts()
    assert facts["stages"][0]["gates"][0]["round"] == 2


@pytest.mark.parametrize(
    ("gate", "more", "sentence"),
    [
        ("shfit", ("--reason", "x"), "did you mean “shift”"),
        ("shift", ("--reason", " "), "needs a reason"),
        ("shift", ("--reason", "x", "--by", "anna.keller@example.com"), "does not look after this rollout"),
        ("shift", ("--reason", "x", "--by", "stranger@example.com"), "not in the directory"),
    ],
)
def test_a_refusal_is_one_sentence(
    company: Terminal, shifting: str, gate: str, more: tuple[str, ...], sentence: str
) -> None:
    said = company("gate", "restart", shifting, gate, *more)
    assert said.code == 1
    assert sentence in said.err
    assert said.err.count("\n") == 1
    assert company("rollout", "show", shifting, "--json").facts()["stages"][0]["gates"][0]["round"] == 1


def test_without_a_reason_it_is_wrong_usage(company: Terminal, shifting: str) -> None:
    assert company("gate", "restart", shifting, "shift").code == 2
