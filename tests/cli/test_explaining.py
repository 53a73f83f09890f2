"""`etappe rollout explain`, and that every command it shows runs as it stands."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.cli.conftest import REQUESTER, Terminal

ANNA, CARLA = "anna.keller@example.com", "carla.rossi@example.com"
HELENA = "helena.vogt@example.com"
PLAN = f"""
plan: everything
title: Everything
stages:
  - id: asked
    title: Asked
    gates:
      - id: sign
        title: Sign
        kind: sign-off
        question: Well?
        approvers: [{ANNA}, {CARLA}]
        quorum: all
        waiver: [{HELENA}]
        escalate: [{{after: 2 days, to: {HELENA}}}]
      - {{id: value, title: Value, kind: measurement, metric: visits, at_least: 1, measured_by: owner}}
      - {{id: hits, title: Hits, kind: measurement, metric: hits, at_least: 1, minimum_sample: 2, measured_by: owner}}
      - {{id: shift, title: Shift, kind: run, deployment: shift-traffic/sample}}
"""
TYPED = {"VALUE": "5", "COUNT": "7", "EMAIL": "ben.frei@example.com"}
"""What only the reader knows, in the place of the words in capitals."""


@pytest.fixture
def everything(company: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A rollout with gates of many kinds."""
    folder = tmp_path / "plans"
    folder.mkdir()
    (folder / "everything.yaml").write_text(PLAN)
    monkeypatch.setenv("ETAPPE_PLANS", str(folder))
    started = company("rollout", "start", "everything", "--requester", REQUESTER, "--owner", ANNA, "--json")
    assert started.code == 0, started.err
    return str(started.facts()["id"])


def commands(company: Terminal, rollout: str) -> list[list[str]]:
    """The words of every command that the text shows, as a shell reads them."""
    said = company("rollout", "explain", rollout)
    assert (said.code, said.err) == (0, "")
    return [shlex.split(line) for line in said.out.splitlines() if line.startswith("    etappe ")]


def kind(words: list[str]) -> str:
    """What kind of command this is."""
    sample = " --sample" if "--sample" in words else ""
    return f"measure{sample}" if words[1] == "measure" else " ".join(words[1:3])


def run(company: Terminal, words: list[str]) -> None:
    """Paste a command; it must not be refused."""
    said = company(*(TYPED.get(word, word) for word in words[1:]))
    assert said.code == 0, (words, said.err)


def test_it_says_what_is_missing_and_prints_the_same_facts(company: Terminal, everything: str) -> None:
    said = company("rollout", "explain", everything).out
    assert "Sign  (gate sign)\n  2 of 2 approvals are missing.\n  Waits for Anna Keller, Carla Rossi.\n" in said
    facts = company("rollout", "explain", everything, "--json").facts()
    assert [one["id"] for one in facts["explanations"]] == ["sign", "value", "hits", "shift"]
    assert company("rollout", "explain", "nothing").code == 1


def test_every_command_that_is_shown_runs_as_it_stands(company: Terminal, everything: str) -> None:
    done: list[str] = []
    while new := [words for words in commands(company, everything) if kind(words) not in done]:
        run(company, new[0])
        done.append(kind(new[0]))
    assert done == ["gate reassign", "gate escalate", "gate waive", "measure", "measure --sample", "gate restart"]


def test_so_do_those_for_a_question_and_a_rollout_on_hold(company: Terminal, everything: str) -> None:
    decide = ("gate", "decide", everything, "sign", "--by", CARLA, "--decision")
    assert company(*decide, "request-changes", "--comment", "numbers").code == 0
    [respond] = [words for words in commands(company, everything) if "respond" in words]
    run(company, respond)
    assert company(*decide, "reject", "--comment", "no").code == 0
    run(company, next(words for words in commands(company, everything) if "resume" in words))
    assert company(*decide, "reject", "--comment", "no").code == 0
    run(company, next(words for words in commands(company, everything) if "cancel" in words))


def test_show_prints_the_address_of_the_page(company: Terminal, everything: str) -> None:
    shown, facts = company("rollout", "show", everything).out, company("rollout", "show", everything, "--json").facts()
    assert re.fullmatch(rf"http://127\.0\.0\.1:9/rollouts/{everything}/[\w-]{{43}}", facts["page"])
    assert shown.endswith(f"page: {facts['page']}\n")


def test_escalating_is_refused_in_one_sentence_when_no_level_is_left(company: Terminal, everything: str) -> None:
    escalate = ("gate", "escalate", everything, "sign", "--reason", "the fair is on Friday", "--by")
    assert company(*escalate, REQUESTER).code == 1
    assert company(*escalate, ANNA).code == 0
    assert company(*escalate, ANNA).err == "The plan names nobody else for this gate; no level of escalation is left.\n"
