"""While changes are asked for, the clock of a gate stands still, and decisions count all the same."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from domain.errors import GateSettled
from models.database import Database
from models.requests import RequestState, VoidReason
from operations.cancel_rollout import cancel_rollout
from operations.workspace import Actor
from tests.changing import asked, started
from tests.company import ANNA, BEN, CARLA, DORA, EMIL, KEYS, Company
from tests.integration.test_lapse import gate, plan, stage
from tests.sample_plans import SIGN_OFF, one_gate

CLOCK = (
    f"{SIGN_OFF}, quorum: all, remind: every 2 days, "
    "escalate: [{after: 4 days, to: chair}], expires: {after: 6 days}"
)


def test_a_quorum_that_is_met_meanwhile_settles_the_gate_and_nobody_needs_to_answer(db: Database) -> None:
    company = started(db, one_gate(f"{SIGN_OFF}, quorum: 2"))
    company.decides(ANNA, "request-changes")
    request = asked(company, DORA)
    company.decides(BEN)
    company.decides(CARLA)
    assert company.state == "completed"
    page = company.page(request)
    assert (page.state, page.void_reason) == (RequestState.VOID, VoidReason.SETTLED)
    with pytest.raises(GateSettled):
        company.answers_changes(DORA, request=request)


def test_a_quorum_out_of_reach_settles_the_gate_as_well(db: Database) -> None:
    company = started(db)
    company.decides(ANNA, "request-changes")
    company.decides(BEN, "reject")
    assert company.gate()["state"] == "rejected"
    assert company.requests(DORA)[-1].void_reason is VoidReason.SETTLED


def test_the_clock_goes_on_when_everybody_who_asked_for_changes_has_decided(db: Database) -> None:
    company = started(db, one_gate(CLOCK))
    due = company.gate()["due_at"]
    company.decides(ANNA, "request-changes")
    company.decides(BEN, "request-changes")
    company.later(days=1)
    company.decides(ANNA)
    assert company.gate()["due_at"] is None
    company.decides(BEN)
    assert company.gate()["due_at"] == _later(due, days=1)
    request = company.requests(DORA)[-1]
    assert (request.state, request.void_reason) == (RequestState.VOID, VoidReason.NOT_NEEDED)
    assert company.actions().count("gate.resumed") == 1


@pytest.mark.parametrize("end", ["cancelled", "killed", "recycled", "waived"])
def test_when_the_question_goes_away_the_owner_is_no_longer_asked(db: Database, end: str) -> None:
    consequence = "kill" if end == "killed" else "{recycle: one}"
    company = Company(db)
    other = gate("other", "[finance]", more=f"on_reject: {consequence}")
    source = plan(stage("one", gate("sign", more="waiver: [chair]"), other))
    company.start(source, owner=EMIL)
    company.decides(ANNA, "request-changes")
    request = asked(company, EMIL)
    if end == "cancelled":
        cancel_rollout(db, KEYS, company.rollout_id, "no", Actor(EMIL, "command"), company.now)
    elif end == "waived":
        company.waives(EMIL, "sign")
    else:
        company.decides(DORA, "reject")
    assert company.page(request).state is RequestState.VOID
    with pytest.raises(GateSettled):
        company.answers_changes(EMIL, request=request)


def _later(moment: str | None, **span: float) -> str:
    assert moment is not None
    return (datetime.fromisoformat(moment) + timedelta(**span)).isoformat()


def test_nothing_is_due_while_the_clock_stands_still_and_the_expiry_moves_by_exactly_the_pause(db: Database) -> None:
    company = started(db, one_gate(CLOCK))
    due = company.gate()["due_at"]
    company.later(days=3, hours=5)
    company.decides(ANNA, "request-changes")
    assert company.gate()["due_at"] is None
    company.later(days=30, minutes=7)
    report = company.checks_on_schedule()
    assert (report.escalated, report.expired) == (0, 0)
    company.answers_changes(DORA)
    assert company.gate()["due_at"] == _later(due, days=30, minutes=7)
    company.later(hours=18, minutes=59)
    assert company.checks_on_schedule().escalated == 0
    company.later(minutes=1)
    assert company.checks_on_schedule().escalated == 1
    company.later(days=2, seconds=-1)
    assert company.checks_on_schedule().expired == 0
    company.later(seconds=1)
    assert company.checks_on_schedule().expired == 1


def test_two_pauses_move_the_expiry_by_both(db: Database) -> None:
    company = started(db, one_gate(CLOCK))
    due = company.gate()["due_at"]
    for _ in range(2):
        company.later(days=1)
        company.decides(ANNA, "request-changes")
        company.later(days=5)
        company.answers_changes(DORA)
    assert company.gate()["due_at"] == _later(due, days=10)


@pytest.mark.parametrize(
    ("began", "ended", "due"),
    [
        ({"days": 4}, {"days": 3}, {"days": 8}),  # Friday to Monday: one business day was left, until Tuesday
        ({"days": 5}, {"days": 1}, {"days": 7}),  # within the weekend: still Monday
        ({"days": 1}, {"days": 3}, {"days": 10}),  # Tuesday to Friday: four business days are left, until Thursday
    ],
)
def test_over_a_weekend_the_business_days_that_were_left_are_left(
    db: Database, began: dict[str, float], ended: dict[str, float], due: dict[str, float]
) -> None:
    """Opened on Monday at nine UTC for five business days: due on the Monday after."""
    company = started(db, one_gate(f"{SIGN_OFF}, expires: {{after: 5 business days}}"))
    opened = company.now
    company.later(**began)
    company.decides(ANNA, "request-changes")
    company.later(**ended)
    company.answers_changes(DORA)
    assert company.gate()["due_at"] == (opened + timedelta(**due)).isoformat()


def test_the_owner_is_reminded_in_the_gates_rhythm_and_the_approvers_are_not(db: Database) -> None:
    company = started(db, one_gate(CLOCK))
    company.later(days=1)
    company.decides(ANNA, "request-changes")
    for _ in range(4):
        company.later(days=1)
        company.checks()
    assert [message.recipient for message in company.messages("reminder")] == [DORA, DORA]
    company.answers_changes(DORA)
    company.later(days=2)
    company.checks()
    assert sorted(message.recipient for message in company.messages("reminder")[2:]) == [ANNA, BEN, CARLA]


def test_a_stage_that_takes_too_long_has_stalled_also_while_the_clock_of_its_gate_stands_still(db: Database) -> None:
    company = started(db, one_gate(SIGN_OFF).replace("    gates:", "    stalled_after: 3 days\n    gates:"))
    company.decides(ANNA, "request-changes")
    company.later(days=3)
    assert company.checks().stalled == 1
    assert "“Only stage” has stalled" in company.headlines(DORA)
