"""`etappe rollout change`: what a rollout is about, changed from a shell."""

from __future__ import annotations

from tests.cli.conftest import REQUESTER, Terminal


def started(company: Terminal) -> str:
    said = company("rollout", "start", "social-media-introduction", "--requester", REQUESTER, "--budget", "tools=20000",
                   "--json")  # fmt: skip
    assert said.code == 0, said.err
    return str(said.facts()["id"])


def test_a_change_is_said_in_words(company: Terminal) -> None:
    rollout = started(company)
    said = company("rollout", "change", rollout, "--budget", "tools=26000", "--reason", "prices went up")
    assert (said.code, said.out) == (0, "Changed: “Budget” went from 20 000 CHF to 26 000 CHF.\n")


def test_the_same_again_is_refused(company: Terminal) -> None:
    rollout = started(company)
    said = company("rollout", "change", rollout, "--budget", "tools=20000", "--reason", "just so")
    assert (said.code, said.out) == (1, "")
    assert "Nothing would change" in said.err


def test_what_the_plan_does_not_ask_for_is_refused_with_what_was_meant(company: Terminal) -> None:
    rollout = started(company)
    said = company("rollout", "change", rollout, "--set", "concpt=x", "--reason", "just so")
    assert said.code == 1
    assert "did you mean “concept”" in said.err


def test_a_stranger_is_refused(company: Terminal) -> None:
    rollout = started(company)
    said = company("rollout", "change", rollout, "--set", "concept=x", "--reason", "x", "--by", "nina.graf@example.com")
    assert said.code == 1
    assert "does not look after this rollout" in said.err


def test_an_unknown_rollout_is_refused(company: Terminal) -> None:
    said = company("rollout", "change", "nowhere", "--set", "concept=x", "--reason", "x")
    assert (said.code, said.out) == (1, "")
    assert "There is no rollout “nowhere”" in said.err
