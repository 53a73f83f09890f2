"""Rollouts on the command line: started, shown, measured, called off; refused in one sentence with nothing begun."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import REQUESTER, Terminal
from tests.sample_plans import ROLES

MEASURED = f"""
plan: measured
title: Measured
calendar: {{holidays: CH-ZH, time_zone: Europe/Zurich}}
{ROLES}
stages:
  - id: only
    title: Only stage
    gates:
      - {{id: gate, title: The gate, kind: measurement, metric: degrees, at_most: 0, measured_by: owner}}
"""
START = ("rollout", "start", "social-media-introduction", "--requester", REQUESTER)


def test_a_rollout_is_started_listed_and_shown(company: Terminal) -> None:
    said = company(*START, "--budget", "Video = new=1'200.50", "--title", "Go public", "--language", "de", "--json")
    facts = said.facts()
    assert (facts["state"], facts["title"], facts["requester"]) == ("open", "Go public", REQUESTER)
    assert [one["id"] for one in company("rollout", "list", "--json").facts()] == [facts["id"]]
    shown = company("rollout", "show", facts["id"])
    assert "● Bekenntnis der Geschäftsleitung  open" in shown.out
    assert "waits for anna.keller@example.com, carla.rossi@example.com, david.meier@example.com" in shown.out
    assert "Go public" in company("rollout", "list").out


def test_the_json_has_the_agreed_shape(company: Terminal, rollout_id: str) -> None:
    facts = company("rollout", "show", rollout_id, "--json").facts()
    head = {"id", "plan", "version", "title", "state", "requester", "owner", "stages", "flow_run_id"}
    gate = {"id", "kind", "state", "outcome", "round", "due_at", "waiting_for", "decisions"}
    assert head <= facts.keys()
    assert {"id", "state", "gates"} <= facts["stages"][0].keys()
    assert gate <= facts["stages"][0]["gates"][0].keys()
    assert facts["stages"][0]["gates"][0]["due_at"].endswith("+00:00")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("rollout", "start", "social-medai-introduction", "--requester", REQUESTER), "no plan called"),
        ((*START[:4], "stranger@example.com", "--budget", "a=1"), "“stranger@example.com” is not in the directory"),
        ((*START, "--budget", "a=1", "--owner", "stranger@example.com"), "“stranger@example.com”"),
        (START, "needs a budget"),
        ((*START, "--budget", "a=many"), "cannot be used"),
        ((*START, "--budget", "a=1", "--people", "bord=a@example.com"), "“bord” is not a role"),
        ((*START, "--budget", "a=1", "--set", "concpt=x"), "“concpt” is not an input"),
        ((*START, "--budget", "a=1", "--set", "budget=x"), "give its lines with --budget"),
    ],
)
def test_a_start_that_cannot_work_begins_nothing(company: Terminal, arguments: tuple[str, ...], sentence: str) -> None:
    said = company(*arguments)
    assert said.code == 1
    assert said.err.count("\n") == 1
    assert sentence in said.err
    assert company("rollout", "list", "--json").facts() == []


def test_a_role_that_nobody_holds_begins_nothing(company: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "people.yaml"
    file.write_text(f"people:\n  - {{email: {REQUESTER}, name: Lea}}\n")
    company("people", "import", str(file))
    said = company(*START, "--budget", "a=1")
    assert (said.code, said.err.count("\n")) == (1, 1)
    assert "executive-board" in said.err
    assert company("rollout", "list", "--json").facts() == []


def test_a_role_can_be_given_for_one_rollout(company: Terminal) -> None:
    said = company(
        *START, "--budget", "a=1", "--people", "executive-board=nina.graf@example.com,priya.nair@example.com", "--json"
    )
    gate = said.facts()["stages"][0]["gates"][0]
    assert gate["waiting_for"] == ["nina.graf@example.com", "priya.nair@example.com"]


def test_a_rollout_is_called_off_once(company: Terminal, rollout_id: str) -> None:
    said = company("rollout", "cancel", rollout_id, "--reason", "no longer wanted", "--by", REQUESTER)
    assert said.code == 0
    facts = company("rollout", "show", rollout_id, "--json").facts()
    assert (facts["state"], facts["ended_because"]) == ("cancelled", "no longer wanted")
    again = company("rollout", "cancel", rollout_id, "--reason", "again")
    assert (again.code, again.err.count("\n")) == (1, 1)
    assert "because: no longer wanted" in company("rollout", "show", rollout_id).out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("show", "zzzzzzzz"), "no rollout “zzzzzzzz”"),
        (("cancel", "zzzzzzzz", "--reason", "x"), "no rollout “zzzzzzzz”"),
        (("resume", "zzzzzzzz", "--reason", "x"), "no rollout “zzzzzzzz”"),
    ],
)
def test_an_unknown_rollout_is_one_sentence(company: Terminal, arguments: tuple[str, ...], sentence: str) -> None:
    said = company("rollout", *arguments)
    assert (said.code, said.err.count("\n")) == (1, 1)
    assert sentence in said.err


def test_what_is_not_on_hold_cannot_be_resumed(company: Terminal, rollout_id: str) -> None:
    said = company("rollout", "resume", rollout_id, "--reason", "go on")
    assert (said.code, said.err) == (1, "The rollout is open, not on hold; there is nothing to resume.\n")


def test_a_command_is_given_by_somebody_who_is_there(company: Terminal, rollout_id: str) -> None:
    said = company("rollout", "cancel", rollout_id, "--reason", "x", "--by", "stranger@example.com")
    assert said.code == 1
    assert "“stranger@example.com” is not in the directory" in said.err
    assert company("rollout", "show", rollout_id, "--json").facts()["state"] == "open"


@pytest.fixture
def measured(company: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    folder = tmp_path / "plans"
    folder.mkdir()
    (folder / "measured.yaml").write_text(MEASURED)
    monkeypatch.setenv("ETAPPE_PLANS", str(folder))
    return str(company("rollout", "start", "measured", "--requester", REQUESTER, "--json").facts()["id"])


def test_a_value_below_nought_settles_the_gate_that_waits_for_it(company: Terminal, measured: str) -> None:
    said = company(
        "measure", measured, "degrees", "-3.5", "--sample", "4", "--at", "2026-01-05T10:00", "--by", REQUESTER
    )
    assert said.code == 0, said.err
    assert company("rollout", "show", measured, "--json").facts()["state"] == "completed"


@pytest.mark.parametrize(
    ("value", "sentence"),
    [(("degrees", "warm"), "is not a number"), (("degres", "1"), "does not measure “degres”")],
)
def test_a_value_that_cannot_be_used_is_one_sentence(
    company: Terminal, measured: str, value: tuple[str, str], sentence: str
) -> None:
    said = company("measure", measured, *value)
    assert (said.code, said.err.count("\n")) == (1, 1)
    assert sentence in said.err
    assert company("rollout", "show", measured, "--json").facts()["state"] == "open"


ALONE = """
plan: alone
title: Alone
stages:
  - id: shift
    title: Shift traffic
    exclusive: production
    gates:
      - {id: go, title: Go, kind: sign-off, question: "Shall we?", approvers: [anna.keller@example.com]}
"""


def test_who_waits_for_whom_is_shown_on_both_sides(
    company: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "alone.yaml").write_text(ALONE, encoding="utf-8")
    monkeypatch.setenv("ETAPPE_PLANS", str(tmp_path))
    start = ("rollout", "start", "alone", "--requester", REQUESTER, "--json", "--title")
    first, second = (company(*start, title).facts()["id"] for title in ("North", "South"))
    assert f"uses production; waiting for it: South ({second})" in company("rollout", "show", first).out
    shown = company("rollout", "show", second).out
    assert f"waits for production, used by North ({first}) since 20" in shown
    assert ", place 1\n" in shown
    assert company("rollout", "show", second, "--json").facts()["stages"][0]["waits_for"]["used_by"]["id"] == first
    assert "Shift traffic  (shift, uses production alone)" in company("plan", "show", "alone").out


def test_the_address_of_the_board_is_printed(company: Terminal) -> None:
    said = company("board")
    assert said.out.startswith("http://127.0.0.1:9/board/")
    assert company("board", "--json").facts() == {"page": said.out.strip()}
