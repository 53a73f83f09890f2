"""What a flow run's state means for the gate that waits for it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.run import LONGEST_NAME, RunState, because, readable_name, settles


def test_what_ended_settles_and_what_may_still_come_to_something_does_not() -> None:
    assert {state for state in RunState if settles(state)} == {
        RunState.COMPLETED,
        RunState.FAILED,
        RunState.CRASHED,
        RunState.CANCELLED,
    }
    assert {state for state in RunState if state.is_under_way} == {RunState.WAITING, RunState.RUNNING}


@pytest.mark.parametrize("state", [state for state in RunState if settles(state)])
def test_the_reason_names_the_flow_run_and_how_long_it_took(state: RunState) -> None:
    reason = str(because(state, "shift to 10 %", timedelta(minutes=2, seconds=3.6)))
    assert "“shift to 10 %”" in reason
    assert reason.endswith("after 0:02:04")
    assert state.value in reason


@pytest.mark.parametrize(
    ("name", "readable"),
    [
        ("shift to 10 %", "shift to 10 %"),
        ("one\r\nBcc: eve@example.com", "one  Bcc: eve@example.com"),
        ("=?utf-8?q?a?=", "= ?utf-8?q?a?="),
        ("turn\u202earound", "turn around"),
        ("x" * 500, "x" * LONGEST_NAME),
    ],
)
def test_a_name_fits_into_a_line_of_a_mail(name: str, readable: str) -> None:
    assert readable_name(name) == readable
