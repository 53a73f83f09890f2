"""What is said to follow, at gates that settle themselves."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import TypeAdapter

from domain.consequences import on_escalation, on_expiry, on_filled, on_no
from domain.plan import Escalation, Gate

_GATE: TypeAdapter[Any] = TypeAdapter(Gate)


def gate(**keys: Any) -> Any:
    return _GATE.validate_python({"id": "gate", "title": "Gate", **keys})


@pytest.mark.parametrize(
    "kind",
    [
        {"kind": "window", "hours": "09:00-17:00"},
        {"kind": "check", "signed_with": "ci"},
        {"kind": "run", "deployment": "shift/sample"},
    ],
)
@pytest.mark.parametrize(
    ("on_reject", "sentence"),
    [
        ("hold", "If it fails, the stage is put on hold."),
        ("kill", "If it fails, the rollout ends for good."),
        ({"recycle": "first"}, "If it fails, the rollout goes back to “First”."),
    ],
)
def test_nobody_says_no_there_so_it_is_said_what_failing_leads_to(
    kind: dict[str, Any], on_reject: Any, sentence: str
) -> None:
    reason = on_no(gate(**kind, on_reject=on_reject), "First")
    assert str(reason) == sentence


def test_a_value_lets_the_gate_pass_at_once_or_after_a_time() -> None:
    measured = {"kind": "measurement", "metric": "hits", "at_least": 70}
    assert "passes at once" in str(on_filled(gate(**measured)))
    sentence = str(on_filled(gate(**measured, holds_for="7 days")))
    assert sentence == "The gate passes once every value has met the target for 7 days."


NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
SIGN_OFF = {"kind": "sign-off", "question": "?", "approvers": ["board"]}


@pytest.mark.parametrize(
    ("kind", "replace", "people", "said"),
    [
        (SIGN_OFF, False, "Emil", "asked as well from then on: Emil."),
        (SIGN_OFF, True, "Emil", "asked instead from then on: Emil."),
        ({"kind": "check", "signed_with": "ci"}, False, "Emil", "told that it has not passed: Emil."),
        (SIGN_OFF, False, "", "On 2026-03-02 12:00:00+00:00 it is escalated to “chair”, which nobody holds."),
    ],
)
def test_it_is_said_whom_an_escalation_will_reach_and_how(
    kind: dict[str, Any], replace: bool, people: str, said: str
) -> None:
    level = Escalation.model_validate({"after": "2 days", "to": "chair", "replace": replace})
    assert str(on_escalation(gate(**kind), level, NOON, people)).endswith(said)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"expires": {"after": "2 days"}}, "the stage is then put on hold."),
        ({"expires": {"after": "2 days", "outcome": "reject"}, "on_reject": "kill"}, "the rollout then ends for good."),
        ({"expires": {"after": "2 days", "outcome": {"recycle": "first"}}}, "the rollout then goes back to “First”."),
        (
            {"expires": {"after": "2 days", "outcome": "pass"}, "silence_is_consent": True},
            "if nobody objects by 2026-03-02 12:00:00+00:00, the gate passes.",
        ),
        ({}, "the stage is then put on hold."),  # a condition has its day from whoever made it
    ],
)
def test_it_is_said_what_follows_when_time_is_up(keys: dict[str, Any], said: str) -> None:
    assert str(on_expiry(gate(**SIGN_OFF, **keys), NOON, "First")).endswith(said)
