"""Gates on the command line: what somebody is asked is shown, and decided for them by whoever has the machine."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.cli.conftest import REQUESTER, Terminal

ANNA = "anna.keller@example.com"
GATE = "executive-sign-off"
SOON = (datetime.now(UTC) + timedelta(days=30)).date().isoformat()


@pytest.fixture
def rollout(company: Terminal) -> str:
    """A rollout at its first gate."""
    said = company(
        "rollout", "start", "social-media-introduction", "--requester", REQUESTER, "--budget", "Video=1200", "--json"
    )
    return str(said.facts()["id"])


def test_what_somebody_is_asked_is_shown_and_changes_nothing(company: Terminal, rollout: str) -> None:
    before = company("rollout", "show", rollout, "--json").facts()
    said = company("gate", "show", rollout, GATE, "--by", ANNA)
    assert said.code == 0, said.err
    assert f"({rollout}/{GATE}, round 1)" in said.out
    assert "To choose from: approve, approve-with-conditions, reject, request-changes, abstain" in said.out
    facts = company("gate", "show", rollout, GATE, "--by", ANNA.upper(), "--json").facts()
    assert (facts["purpose"], facts["state"], facts["mine"], facts["on_behalf_of"]) == ("decide", "open", None, None)
    assert len(facts["digest"]) == 64
    assert company("rollout", "show", rollout, "--json").facts() == before


def test_a_decision_is_shown_the_question_and_recorded_as_the_operators(company: Terminal, rollout: str) -> None:
    said = company("gate", "decide", rollout, GATE, "--by", ANNA, "--decision", "reject", "--comment", "too early")
    assert said.code == 0, said.err
    assert said.out.index("To choose from") < said.out.index("Recorded.")
    [gate] = [
        gate
        for stage in company("rollout", "show", rollout, "--json").facts()["stages"]
        for gate in stage["gates"]
        if gate["id"] == GATE
    ]
    [word] = gate["decisions"]
    assert (word["by"], word["decision"], word["comment"]) == (ANNA, "reject", "too early")
    assert (word["channel"], word["assurance"]) == ("command", "operator")


def test_the_same_decision_again_prints_what_was_recorded(company: Terminal, rollout: str) -> None:
    again = ("gate", "decide", rollout, GATE, "--by", ANNA, "--decision", "approve", "--json")
    first, second = company(*again).facts(), company(*again).facts()
    assert first["mine"] == second["mine"]
    assert first["mine"]["decision"] == "approve"
    late = company(*again[:-2], "reject", "--comment", "no")
    assert (late.code, late.err) == (
        1,
        "The gate is already settled; this decision came too late and was not recorded.\n",
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--by", REQUESTER, "--decision", "approve"), f"{REQUESTER} is not asked at the gate “{GATE}”."),
        (("--by", "stranger@example.com", "--decision", "approve"), "“stranger@example.com” is not in the directory"),
        (("--by", ANNA, "--decision", "perhaps"), "Choose one of the answers."),
        (("--by", ANNA, "--decision", "reject"), "--comment: A reason is needed for this answer."),
        (("--by", ANNA, "--decision", "approve", "--on-behalf-of", REQUESTER), f"{ANNA} is not asked"),
        (("--by", ANNA, "--decision", "approve", "--on-behalf-of", "x"), "is not an e-mail address"),
        (
            ("--by", ANNA, "--decision", "approve-with-conditions", "--condition", "check it", "x", SOON),
            "--condition (number 1, who): “x” is not an e-mail address",
        ),
    ],
)
def test_what_cannot_be_recorded_is_one_sentence(
    company: Terminal, rollout: str, arguments: tuple[str, ...], sentence: str
) -> None:
    said = company("gate", "decide", rollout, GATE, *arguments, "--json")
    assert (said.code, said.err.count("\n")) == (1, 1)
    assert sentence in said.err


def test_conditions_are_given_one_by_one(company: Terminal, rollout: str) -> None:
    says = ("gate", "decide", rollout, GATE, "--by", ANNA, "--decision", "approve-with-conditions", "--json")
    said = company(*says, "--condition", "check it", REQUESTER, SOON, "--condition", "tell staff", ANNA, SOON)
    assert said.facts()["mine"]["conditions"] == f"check it ({REQUESTER}, {SOON})\ntell staff ({ANNA}, {SOON})"


def test_a_condition_stands_in_the_stage_that_holds_to_it(company: Terminal, rollout: str) -> None:
    says = ("gate", "decide", rollout, GATE, "--by")
    condition = ("--condition", "check it", REQUESTER, SOON, "--condition-stage", "staffing")
    company(*says, ANNA, "--decision", "approve-with-conditions", *condition)
    for person in ("carla.rossi@example.com", "david.meier@example.com"):
        company(*says, person, "--decision", "approve")
    shown = company("rollout", "show", rollout).out
    assert "· Enough people, and the right ones  waiting" in shown
    assert "  ● Condition: check it (checklist)  open, due" in shown
    [stage] = [
        one for one in company("rollout", "show", rollout, "--json").facts()["stages"] if one["id"] == "staffing"
    ]
    assert stage["gates"][-1]["condition"] == {
        "what": "check it", "who": REQUESTER, "due_on": SOON, "made_by": ANNA, "made_at": GATE,
    }  # fmt: skip
    asked = company("gate", "show", rollout, "condition-1", "--by", REQUESTER)
    assert "Anna Keller" in asked.out


def test_who_decides_must_be_said(company: Terminal, rollout: str) -> None:
    assert company("gate", "decide", rollout, GATE, "--decision", "approve").code == 2
