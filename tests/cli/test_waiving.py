"""`etappe gate waive`: in a person's own name, with a reason; refused in one sentence with nothing changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import REQUESTER, Terminal

CHAIR = "helena.vogt@example.com"
BOARD = "anna.keller@example.com"
PLAN = """
plan: waivable
title: Waivable
roles:
  executive-board: {title: Board}
  chair: {title: Chair}
stages:
  - id: only
    title: Only stage
    gates: [{id: gate, title: The gate, kind: sign-off, question: Now, approvers: [executive-board], waiver: [chair]}]
"""


@pytest.fixture
def waivable(company: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    folder = tmp_path / "plans"
    folder.mkdir()
    (folder / "waivable.yaml").write_text(PLAN)
    monkeypatch.setenv("ETAPPE_PLANS", str(folder))
    return str(company("rollout", "start", "waivable", "--requester", REQUESTER, "--json").facts()["id"])


def test_a_gate_is_waived_and_shown_as_waived(company: Terminal, waivable: str) -> None:
    said = company("gate", "waive", waivable, "gate", "--reason", "the fair is on Friday", "--by", CHAIR)
    assert (said.code, said.err) == (0, "")
    assert "The gate gate is waived" in said.out
    assert "The rollout is completed." in said.out
    assert f"waived by Helena Vogt: “the fair is on Friday” ({CHAIR})" in company("rollout", "show", waivable).out


def test_the_facts_are_those_of_the_gate(company: Terminal, waivable: str) -> None:
    facts = company("gate", "waive", waivable, "gate", "--reason", "Friday", "--by", CHAIR, "--json").facts()
    assert (facts["id"], facts["state"], facts["outcome"], facts["waived_by"]) == ("gate", "waived", "go", CHAIR)
    assert facts["because"] == "waived by Helena Vogt: “Friday”"
    assert company("rollout", "show", waivable, "--json").facts()["stages"][0]["gates"][0] == facts


@pytest.mark.parametrize(
    ("gate", "reason", "by", "sentence"),
    [
        ("gate", "Friday", BOARD, "may not waive this gate; the plan names helena.vogt@example.com"),
        ("gate", "Friday", "stranger@example.com", "“stranger@example.com” is not in the directory"),
        ("gate", " ", CHAIR, "needs a reason"),
        ("gaet", "Friday", CHAIR, "no gate “gaet”; did you mean “gate”"),
    ],
)
def test_a_refusal_is_one_sentence_and_changes_nothing(
    company: Terminal, waivable: str, gate: str, reason: str, by: str, sentence: str
) -> None:
    said = company("gate", "waive", waivable, gate, "--reason", reason, "--by", by)
    assert (said.code, said.err.count("\n")) == (1, 1)
    assert sentence in said.err
    assert company("rollout", "show", waivable, "--json").facts()["state"] == "open"


@pytest.mark.parametrize("missing", ["--by", "--reason"])
def test_nobody_waives_without_a_name_or_a_reason(company: Terminal, waivable: str, missing: str) -> None:
    options = {"--reason": "Friday", "--by": CHAIR}
    given = [word for name, value in options.items() if name != missing for word in (name, value)]
    said = company("gate", "waive", waivable, "gate", *given)
    assert said.code == 2
    assert missing in said.err
