"""When what has passed is asked again, what holds on meanwhile, and what its silence keeps closed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.consequences import on_renewal_silence
from domain.durations import Duration, Every
from domain.plan import Calendar, Gate, MeasurementGate, Renewal, SignOffGate, Text
from domain.renewal import (
    is_due,
    is_overdue,
    keeps_stages_closed,
    lets_pass,
    may_be_asked,
    renew_at,
    rule_of,
)
from domain.states import LETS_PASS, GateState, StageState

ZURICH = Calendar(holidays="CH-ZH", time_zone="Europe/Zurich")
MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
BEING_ASKED = {GateState.WAITING, GateState.OPEN}
TITLE = Text(en="A gate")


def gate(every: str = "every 90 days", within: str = "10 business days", blocks: bool = False) -> Gate:
    rule = Renewal(every=Every.parse(every), within=Duration.parse(within), blocks_new_stages=blocks)
    return SignOffGate(id="gate", title=TITLE, kind="sign-off", question=TITLE, approvers=["board"], renew=rule)


NEVER = SignOffGate(id="gate", title=TITLE, kind="sign-off", question=TITLE, approvers=["board"])
MEASURED = MeasurementGate(id="gate", title=TITLE, kind="measurement", metric="visits", at_least=1)


@pytest.mark.parametrize(
    ("every", "expected"),
    [
        ("every 36 hours", MONDAY + timedelta(hours=36)),
        ("every 90 days", datetime(2026, 5, 31, 8, 0, tzinfo=UTC)),  # 10:00 in Zurich, in summer time by then
        ("every 2 weeks", MONDAY + timedelta(weeks=2)),
        ("every 5 business days", MONDAY + timedelta(days=7)),
        ("every 25 business days", datetime(2026, 4, 8, 8, 0, tzinfo=UTC)),  # with the two days off at Easter
    ],
)
def test_the_next_renewal_is_counted_from_the_approval_in_the_plans_calendar(every: str, expected: datetime) -> None:
    assert renew_at(gate(every), MONDAY, ZURICH) == expected


@pytest.mark.parametrize("never", [NEVER, MEASURED])
def test_without_the_key_nothing_is_ever_renewed(never: Gate) -> None:
    assert renew_at(never, MONDAY, ZURICH) is None
    assert rule_of(never) is None
    assert not keeps_stages_closed(never, GateState.OPEN, MONDAY)


@pytest.mark.parametrize("state", GateState)
def test_only_what_has_passed_or_was_waived_is_asked_again_and_not_a_moment_too_early(state: GateState) -> None:
    passed = state in (GateState.PASSED, GateState.WAIVED)
    assert is_due(state, MONDAY, MONDAY) is passed
    assert is_due(state, MONDAY, MONDAY + timedelta(days=400)) is passed
    assert not is_due(state, MONDAY, MONDAY - timedelta(microseconds=1))
    assert not is_due(state, None, MONDAY)


@pytest.mark.parametrize("state", GateState)
def test_a_renewal_is_overdue_from_the_deadline_on_as_long_as_it_is_asked(state: GateState) -> None:
    assert is_overdue(state, MONDAY, MONDAY) is (state in BEING_ASKED)
    assert not is_overdue(state, MONDAY, MONDAY - timedelta(microseconds=1))
    assert not is_overdue(state, None, MONDAY)


@pytest.mark.parametrize("state", GateState)
def test_a_renewal_does_not_undo_what_has_passed_while_it_is_asked(state: GateState) -> None:
    assert lets_pass(state, renewal=False) is (state in LETS_PASS)
    assert lets_pass(state, renewal=True) is (state in LETS_PASS | BEING_ASKED)


@pytest.mark.parametrize("stage", StageState)
def test_a_renewal_is_asked_also_when_its_stage_is_through_or_on_hold(stage: StageState) -> None:
    assert may_be_asked(stage, renewal=False) is (stage is StageState.OPEN)
    assert may_be_asked(stage, renewal=True) is (stage in (StageState.OPEN, StageState.HELD, StageState.PASSED))


@pytest.mark.parametrize(("state", "blocks", "overdue"), list(product(GateState, (False, True), (False, True))))
def test_further_stages_stay_closed_only_where_the_plan_says_so_and_only_until_it_is_answered(
    state: GateState, blocks: bool, overdue: bool
) -> None:
    closed = keeps_stages_closed(gate(blocks=blocks), state, MONDAY if overdue else None)
    assert closed is (blocks and overdue and state in BEING_ASKED)


def test_those_asked_read_what_their_silence_leads_to() -> None:
    assert "no further stage opens" in str(on_renewal_silence(gate(blocks=True), MONDAY))
    assert "holds on until it is answered" in str(on_renewal_silence(gate(), MONDAY))
    assert str(on_renewal_silence(gate(), None)) == "What has passed holds on until it is answered."


MOMENTS = st.datetimes(datetime(2025, 1, 1), datetime(2030, 1, 1)).map(lambda at: at.replace(tzinfo=UTC))
SPANS = st.builds(
    lambda amount, unit: f"every {amount} {unit}s",
    st.integers(1, 200),
    st.sampled_from(["minute", "hour", "day", "week", "business day"]),
)


@given(MOMENTS, SPANS, st.timedeltas(timedelta(), timedelta(days=2000)))
def test_a_renewal_always_lies_ahead_and_is_due_exactly_from_then_on(
    passed_at: datetime, every: str, later: timedelta
) -> None:
    due = renew_at(gate(every), passed_at, ZURICH)
    assert due is not None
    assert due > passed_at
    assert is_due(GateState.PASSED, due, passed_at + later) is (passed_at + later >= due)
