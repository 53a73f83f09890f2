"""Plans on the command line: checked line by line, listed with those that are broken, and shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from plans.catalogue import BUNDLED
from tests.cli.conftest import Terminal
from tests.sample_plans import SIGN_OFF, one_gate

BROKEN = one_gate(SIGN_OFF.replace("approvers: [board]", "aprovers: [board]"))


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    file = tmp_path / "one-gate.yaml"
    file.write_text(BROKEN + "surplus: 1\n")
    return file


def test_a_good_plan_is_fine(etappe: Terminal) -> None:
    said = etappe("plan", "check", str(BUNDLED / "office-policy.yaml"))
    assert said.code == 0
    assert "the plan “office-policy” is fine: 2 stages, 2 gates." in said.out


def test_every_problem_has_a_line_with_its_place(etappe: Terminal, broken: Path) -> None:
    said = etappe("plan", "check", str(broken))
    assert said.code == 1
    assert said.out == ""
    lines = said.err.splitlines()
    assert len(lines) >= 2
    for line in lines:
        place = line.removeprefix(f"{broken}:").split(":")
        assert place[0].isdigit()
        assert place[1].isdigit()
    assert "aprovers" in said.err
    assert "surplus" in said.err


def test_problems_as_json(etappe: Terminal, broken: Path) -> None:
    said = etappe("plan", "check", str(broken), "--json")
    assert said.code == 1
    assert said.facts()["valid"] is False
    assert {"line", "column", "path", "sentence"} == set(said.facts()["problems"][0])


def test_a_file_that_is_not_named_like_its_plan_is_fine_with_a_note(etappe: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "draft.yaml"
    file.write_text(one_gate(SIGN_OFF))
    said = etappe("plan", "check", str(file))
    assert said.code == 0
    assert "must be called one-gate.yaml" in said.err


def test_the_list_names_what_can_be_used_and_what_cannot(
    etappe: Terminal, broken: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ETAPPE_PLANS", str(broken.parent))
    said = etappe("plan", "list")
    assert said.code == 0
    assert "social-media-introduction  Introduce social media" in said.out
    assert "Cannot be used: one-gate" in said.out
    facts = {one["plan"]: one["usable"] for one in etappe("plan", "list", "--json").facts()}
    bundled = ("office-policy", "social-media-introduction", "software-release")
    assert facts == {**dict.fromkeys(bundled, True), "one-gate": False}


def test_a_plan_is_shown_with_who_is_asked_and_what_follows(etappe: Terminal) -> None:
    said = etappe("plan", "show", "social-media-introduction")
    assert "decided by executive-board; quorum: all" in said.out
    assert "after 8 business days chair as well" in said.out
    assert "satisfaction-target (number, 70 unless given)" in said.out
    assert "at least satisfaction-target, measured by project-lead" in said.out
    assert "starts shift-traffic/sample" in etappe("plan", "show", "software-release").out
    assert etappe("plan", "show", "office-policy", "--json").facts()["plan"] == "office-policy"


def test_an_unknown_plan_names_the_nearest(etappe: Terminal) -> None:
    said = etappe("plan", "show", "office-polcy")
    assert said.code == 1
    assert "office-policy" in said.err
    assert said.err.count("\n") == 1


def test_the_schema_is_a_json_schema(etappe: Terminal) -> None:
    assert etappe("plan", "schema").facts()["$schema"].startswith("https://json-schema.org/")
