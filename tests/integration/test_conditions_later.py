"""What becomes of conditions later: the rollout goes back, the approval lapses, it is waived, or the rollout ends."""

from __future__ import annotations

import pytest

from domain.errors import InvalidInput
from models.database import Database
from models.requests import Purpose, RequestState, VoidReason
from operations.progress import progress
from operations.withdraw_conditions import withdraw_conditions_of
from operations.workspace import locked
from tests.company import ANNA, BEN, CARLA, DORA, EMIL, KEYS, Company
from tests.with_conditions import WITH_CONDITIONS, agreed, kept, keys, plan

RECYCLING = plan(b=", on_reject: {recycle: b}", c=", on_reject: {recycle: a}")


class TestRecycled:
    def test_while_its_approval_still_counts_it_goes_along(self, db: Database) -> None:
        company = agreed(db, source=RECYCLING)
        company.decides(DORA, "reject")
        assert company.rollout()["stages"][1]["round"] == 2
        gate = company.gate("condition-1")
        assert (gate["round"], gate["state"], gate["waiting_for"]) == (2, "open", [BEN])
        company.sees_to(BEN)
        company.decides(ANNA)
        company.decides(DORA)
        assert company.stage_states()["b"] == "passed"

    def test_one_that_was_fulfilled_is_asked_again_with_what_was_done(self, db: Database) -> None:
        company = agreed(db, source=RECYCLING)
        company.sees_to(BEN, "done")
        company.decides(ANNA)
        company.decides(DORA, "reject")
        [line] = company.page(company.asked(BEN)).question.to_fill
        assert line.value == "done"

    def test_one_whose_day_has_passed_has_its_days_from_then(self, db: Database) -> None:
        company = agreed(db, source=RECYCLING)
        company.sees_to(BEN)
        company.decides(ANNA)
        company.later(days=30)
        company.decides(DORA, "reject")
        assert company.gate("condition-1")["due_at"] == "2026-04-08T21:59:59+00:00"

    @pytest.mark.parametrize("stage", ["b", "c"])
    def test_when_its_approval_no_longer_counts_it_is_withdrawn(self, db: Database, stage: str) -> None:
        company = agreed(db, Company(db).condition(stage=stage), source=RECYCLING)
        if stage == "b":
            company.sees_to(BEN)
            company.decides(ANNA)
        company.decides(DORA)
        company.decides(EMIL, "reject")
        assert company.stage_states() == {"a": "open", "b": "waiting", "c": "waiting"}
        assert keys(company, stage) == [{"b": "y", "c": "z"}[stage]]
        assert len(company.entries("condition.withdrawn")) == 1
        if stage == "c":
            [void] = [row for row in company.requests(BEN) if row.purpose is Purpose.ANSWER]
            assert (void.state, void.void_reason) == (RequestState.VOID, VoidReason.WITHDRAWN)
        company.decides(ANNA)
        company.decides(DORA)
        company.decides(EMIL)
        assert company.state == "completed"


class TestLapsed:
    def test_it_is_withdrawn_with_the_approval_it_hangs_on_and_only_then(self, db: Database) -> None:
        company = Company(db)
        company.start(plan("2", ", pinned_to: [money]"), inputs={"money": "5"})
        company.decides(ANNA, WITH_CONDITIONS)
        company.decides(CARLA)
        assert company.gate("condition-1")["state"] == "open"
        company.changes(money="6")
        assert keys(company, "b") == ["y"]
        assert company.headlines(BEN)[-1] == "A condition was withdrawn"
        assert company.stage_states()["a"] == "open"
        company.decides(ANNA)
        company.decides(CARLA)
        assert company.stage_states() == {"a": "passed", "b": "open", "c": "waiting"}
        assert keys(company, "b") == ["y"]

    def test_what_hangs_on_other_approvals_stays(self, db: Database) -> None:
        company = agreed(db, Company(db).condition("first"), Company(db).condition("second", stage="c"))
        with locked(company.db, KEYS, company.rollout_id, company.now) as ws:
            withdraw_conditions_of(ws, [kept(company)[0].decision_id + 1])
        assert [company.gate(f"condition-{n}")["state"] for n in (1, 2)] == ["open", "open"]

    def test_a_stage_that_only_it_held_opens_again(self, db: Database) -> None:
        company = agreed(db)
        company.later(days=8)
        company.checks_on_schedule()
        assert company.state == "held"
        with locked(company.db, KEYS, company.rollout_id, company.now) as ws:
            withdraw_conditions_of(ws, [kept(company)[0].decision_id])
            progress(ws)
        assert (company.state, company.stage_states()["b"]) == ("open", "open")
        company.decides(DORA)
        assert company.stage_states()["c"] == "open"


def test_whoever_may_waive_the_gate_it_was_made_at_may_waive_it(db: Database) -> None:
    company = agreed(db, source=plan(more=", waiver: [chair]"))
    company.later(days=8)
    company.checks_on_schedule()
    assert company.stage_states()["b"] == "held"
    company.waives(EMIL, "condition-1")
    assert (company.gate("condition-1")["state"], company.stage_states()["b"]) == ("waived", "open")


def test_calling_the_rollout_off_ends_conditions_too(db: Database) -> None:
    company = agreed(db, Company(db).condition(stage="c"))
    company.cancels()
    assert company.gate("condition-1")["state"] == "withdrawn"
    [void] = [row for row in company.requests(BEN) if row.purpose is Purpose.ANSWER]
    assert void.void_reason is VoidReason.CANCELLED
    assert company.headlines(BEN)[-1] == "The rollout was called off"


def test_an_ended_rollout_cannot_be_resumed_because_of_a_condition(db: Database) -> None:
    company = agreed(db, Company(db).condition(stage="c"))
    company.later(days=8)
    company.checks_on_schedule()
    company.cancels()
    with pytest.raises(InvalidInput, match="not on hold"):
        company.resumes()
