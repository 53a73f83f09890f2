"""What is said to follow, at gates that settle themselves."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter

from domain.consequences import on_filled, on_no
from domain.plan import Gate

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
