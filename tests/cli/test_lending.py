"""`etappe people delegate` and what belongs to it; `etappe gate reassign` and `add-approver`: done, or one sentence."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.cli.conftest import REQUESTER, Terminal

ANNA, BEN, RUTH = "anna.keller@example.com", "ben.frei@example.com", "ruth.ammann@example.com"
TODAY = datetime.now(ZoneInfo("Europe/Zurich")).date()  # where Anna lives
LATER = TODAY + timedelta(days=9)
DAYS = ("--from", TODAY.isoformat(), "--until", LATER.isoformat())


@pytest.fixture
def rollout_id(company: Terminal) -> str:
    """A rollout of a plan in which voices may be lent."""
    said = company("rollout", "start", "office-policy", "--requester", REQUESTER, "--set", "policy=Dogs welcome",
                   "--json")  # fmt: skip
    return str(said.facts()["id"])


def test_a_voice_is_lent_listed_and_ended(company: Terminal, rollout_id: str) -> None:
    said = company("people", "delegate", ANNA, "--to", RUTH, *DAYS, "--by", BEN)
    assert (said.code, said.err) == (0, "")
    assert "To end it early: etappe people end-delegation 1" in said.out
    [facts] = company("people", "delegations", "--json").facts()
    assert facts.items() >= {
        "id": 1, "state": "holds", "delegator": ANNA, "delegate": RUTH, "first_day": TODAY.isoformat(),
        "last_day": LATER.isoformat(), "given_by": BEN}.items()  # fmt: skip
    assert f"1   holds  {ANNA}" in company("people", "delegations").out
    assert f"{RUTH} for {ANNA}" in company("rollout", "show", rollout_id).out
    [gate, *_] = company("rollout", "show", rollout_id, "--json").facts()["stages"][0]["gates"]
    assert gate["delegates"] == [{"by": RUTH, "on_behalf_of": ANNA}]

    assert company("people", "end-delegation", "1").out == "The delegation 1 is over; both are told.\n"
    assert company("people", "delegations", "--json").facts()[0]["state"] == "ended"
    assert RUTH not in company("rollout", "show", rollout_id).out


def test_a_delegate_decides_and_both_names_are_shown(company: Terminal, rollout_id: str) -> None:
    company("people", "delegate", ANNA, "--to", RUTH, *DAYS)
    said = company("gate", "decide", rollout_id, "policy-sign-off", "--by", RUTH, "--on-behalf-of", ANNA,
                   "--decision", "approve")  # fmt: skip
    assert (said.code, said.err) == (0, "")
    assert f"{RUTH} for {ANNA} approve" in company("rollout", "show", rollout_id).out


def test_nobody_has_lent_anything_at_first(company: Terminal) -> None:
    assert company("people", "delegations").out == "Nobody has lent their voice yet.\n"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((ANNA, "--to", ANNA, *DAYS), "Nobody can lend their voice to themself."),
        ((ANNA, "--to", RUTH, *DAYS, "--by", REQUESTER), "may not lend the voice of anna.keller@example.com"),
        ((ANNA, "--to", "x@example.com", *DAYS), "x@example.com is not in the directory."),
        (("x@example.com", "--to", RUTH, *DAYS), "x@example.com is not in the directory."),
        ((ANNA, "--to", RUTH, "--from", "2026-01-05", "--until", "2026-01-09"), "These days are over already."),
    ],
)
def test_what_cannot_be_lent_is_refused_in_one_sentence(
    company: Terminal, arguments: tuple[str, ...], sentence: str
) -> None:
    said = company("people", "delegate", *arguments)
    assert (said.code, said.out) == (1, "")
    assert sentence in said.err
    assert said.err.count("\n") == 1
    assert company("people", "delegations", "--json").facts() == []


def test_what_is_no_date_and_no_number_is_wrong_usage(company: Terminal) -> None:
    said = company("people", "delegate", ANNA, "--to", RUTH, "--from", "9999-12-31", "--until", "soon")
    assert said.code == 2
    assert "write it like 2026-03-31" in said.err
    assert company("people", "end-delegation", "0").code == 2
    assert company("people", "end-delegation", "77").err == (
        "There is no delegation with this number; `etappe people delegations` lists them all.\n"
    )


def test_a_question_is_passed_on_and_one_more_approval_asked_for(company: Terminal, rollout_id: str) -> None:
    passed = company("gate", "reassign", rollout_id, "policy-sign-off", "--from", ANNA, "--to", RUTH,
                     "--reason", "Anna is on leave", "--by", REQUESTER)  # fmt: skip
    assert passed.out == f"At the gate policy-sign-off, {RUTH} is asked instead of {ANNA}; both are told.\n"
    added = company("gate", "add-approver", rollout_id, "policy-sign-off", "--person", BEN, "--reason", "the law")
    assert added.out == f"The gate policy-sign-off needs the approval of {BEN} as well; they are asked.\n"
    [gate, *_] = company("rollout", "show", rollout_id, "--json").facts()["stages"][0]["gates"]
    assert {RUTH, BEN} <= set(gate["waiting_for"])
    assert ANNA not in gate["waiting_for"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("reassign", "policy-sign-off", "--from", ANNA, "--to", RUTH, "--reason", " "), "needs a reason"),
        (("reassign", "policy-sign-off", "--from", BEN, "--to", RUTH, "--reason", "r"), "is not asked here"),
        (("reassign", "executive-sign-of", "--from", ANNA, "--to", RUTH, "--reason", "r"), "no gate “executive"),
        (("add-approver", "policy-sign-off", "--person", ANNA, "--reason", "r"), "decides here already"),
        (("add-approver", "policy-sign-off", "--person", BEN, "--reason", "r", "--by", BEN), "does not look after"),
    ],
)  # fmt: skip
def test_who_cannot_be_asked_is_refused_in_one_sentence(
    company: Terminal, rollout_id: str, arguments: tuple[str, ...], sentence: str
) -> None:
    command, gate, *more = arguments
    said = company("gate", command, rollout_id, gate, *more)
    assert (said.code, said.out) == (1, "")
    assert sentence in said.err
    assert said.err.count("\n") == 1
