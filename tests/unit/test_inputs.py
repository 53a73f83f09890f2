"""What a rollout is started with is of the kind the plan asks for, and can be kept as JSON without a float."""

from __future__ import annotations

from typing import Any

import pytest

from domain.errors import InvalidInput
from domain.evidence import digest
from domain.inputs import read
from domain.plan import Input, InputKind

ASKED = {kind.value: Input(kind=kind) for kind in InputKind}


@pytest.mark.parametrize(
    ("name", "given", "kept"),
    [
        ("text", "  Dogs may come along.\r\n", "Dogs may come along."),
        ("number", 3.5, "3.5"),
        ("number", 12, "12"),
        ("number", "12,5", "12.5"),
        ("date", "2026-03-02", "2026-03-02"),
        ("yes-no", True, True),
        ("yes-no", "Nein", False),
    ],
)
def test_a_value_is_kept_as_its_kind(name: str, given: Any, kept: Any) -> None:
    assert read(ASKED, {name: given}) == {name: kept}
    digest(read(ASKED, {name: given}))  # what is shown to approvers must have one


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("text", 3),
        ("text", ["a"]),
        ("text", "\x00"),
        ("number", "many"),
        ("number", True),
        ("number", float("nan")),
        ("number", []),
        ("date", "2026-13-99"),
        ("date", 20260302.5),
        ("yes-no", "perhaps"),
        ("budget", []),
        ("colour", "red"),
    ],
)
def test_a_value_of_another_kind_is_refused_by_name(name: str, given: Any) -> None:
    with pytest.raises(InvalidInput, match=name):
        read(ASKED, {name: given})


def test_what_is_required_must_be_given_and_blanks_are_nothing() -> None:
    asked = {"policy": Input(kind=InputKind.TEXT, required=True)}
    with pytest.raises(InvalidInput, match="policy"):
        read(asked, {"policy": "  "})


def test_a_required_budget_is_not_an_input_of_these() -> None:
    assert read({"budget": Input(kind=InputKind.BUDGET, required=True)}, {}) == {}


def test_what_is_not_given_is_what_the_plan_says() -> None:
    asked = {
        "goal": Input(kind=InputKind.NUMBER, default="70"),
        "public": Input(kind=InputKind.YES_NO, default="no"),
        "note": Input(kind=InputKind.TEXT),
    }
    assert read(asked, {}) == {"goal": "70", "public": False}
    assert read(asked, {"goal": " ", "public": "yes"}) == {"goal": "70", "public": True}
    assert read(asked, {"goal": 80}) == {"goal": "80", "public": False}
