"""A renewal of what is not what it was: a list, what was changed meanwhile, a newer plan."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from models.database import Database
from tests.company import ANNA, BEN, CARLA, DORA, EMIL, MONDAY, Company
from tests.renewing import (
    BLOCKING,
    BOARD,
    DEADLINE,
    FINANCE,
    IN_90_DAYS,
    RENEWED,
    asked_again,
    begun,
    overdue,
    plan,
    settle,
    stage,
)
from tests.sample_plans import SIGN_OFF

LIST = 'kind: checklist, question: "Who?", filled_by: finance, items: [{id: who, title: Who, kind: text}]'


class TestAList:
    def test_is_shown_as_it_was_filled_in_and_asked_again_first_of_whoever_fills_it_in(self, db: Database) -> None:
        company = Company(db)
        company.start(plan(stage("a", f"{LIST}, approvers: [board], quorum: any, renew: every 90 days"),
                           stage("b", BOARD)))  # fmt: skip
        company.fills_in(DORA, {"who": "Lea"})
        company.decides(ANNA)
        company.now = IN_90_DAYS
        company.checks()
        assert company.gate("a")["waiting_for"] == [DORA]
        page = company.page(company.asked(DORA))
        assert [entry.value for entry in page.question.to_fill] == ["Lea"]
        assert page.question.renewal is not None
        company.fills_in(DORA, {"who": "Lea and Max"})
        assert company.gate("a")["waiting_for"] == [ANNA, BEN, CARLA]
        settle(company, "a", BEN)
        assert (company.gate("a")["state"], company.stage_states()["bx"]) == ("passed", "open")

    def test_goes_back_to_whoever_fills_it_in_and_is_still_a_renewal_and_as_overdue_as_before(
        self, db: Database
    ) -> None:
        company = Company(db)
        blocking = "renew: {every: every 90 days, blocks_new_stages: true}"
        company.start(plan(stage("a", f"{LIST}, approvers: [chair], {blocking}"), stage("b", BOARD), stage("c", BOARD)))
        company.fills_in(DORA, {"who": "Lea"})
        company.decides(EMIL)
        company.now = IN_90_DAYS
        company.checks()
        company.fills_in(DORA, {"who": "Max"})
        company.now = DEADLINE
        company.checks_on_schedule()
        company.decides(EMIL, "request-changes")
        gate = company.gate("a")
        assert (gate["state"], gate["renewal"], gate["waiting_for"]) == ("open", True, [DORA])
        page = company.page(company.asked(DORA))
        assert page.question.renewal is not None
        assert page.question.renewal.facts["moment"] == MONDAY
        company.decides(ANNA)
        assert company.stage_states() == {"ax": "passed", "bx": "passed", "cx": "waiting"}
        company.fills_in(DORA, {"who": "Max and Lea"})
        company.decides(EMIL)
        assert company.stage_states()["cx"] == "open"

    def test_nobody_approves_passes_when_it_is_filled_in_again(self, db: Database) -> None:
        company = Company(db)
        company.start(plan(stage("a", f"{LIST}, renew: every 90 days"), stage("b", BOARD)))
        company.fills_in(DORA, {"who": "Lea"})
        company.now = IN_90_DAYS
        company.checks()
        company.fills_in(DORA, {"who": "Lea"})
        assert (company.gate("a")["state"], company.gate("a")["round"]) == ("passed", 2)


class TestChanges:
    def test_asked_for_at_a_renewal_stop_its_time_as_well(self, db: Database) -> None:
        company = asked_again(db, stage("a", RENEWED), stage("b", FINANCE))
        company.later(days=1)
        company.decides(ANNA, "request-changes")
        company.now = DEADLINE + timedelta(days=10)
        assert company.checks().overdue == 0
        assert company.stage_states() == {"ax": "passed", "bx": "open"}

    def test_of_what_was_approved_end_the_renewal_and_ask_as_if_for_the_first_time(self, db: Database) -> None:
        company = Company(db)
        pinned = f"{RENEWED}, pinned_to: [concept], expires: {{after: 30 days}}"
        source = plan(stage("a", pinned), stage("b", FINANCE), stage("c", FINANCE))
        company.start(f"{source}inputs: {{concept: {{kind: text}}}}\n", inputs={"concept": "first"})
        company.decides(ANNA)
        company.now = IN_90_DAYS
        company.checks()
        company.changes(concept="second")
        gate = company.gate("a")
        assert (gate["state"], gate["renewal"], company.stage_states()["ax"]) == ("open", False, "open")
        assert gate["due_at"] == (IN_90_DAYS + timedelta(days=30)).isoformat()
        company.decides(DORA)
        assert company.stage_states()["cx"] == "waiting"
        company.decides(ANNA)
        assert company.stage_states() == {"ax": "passed", "bx": "passed", "cx": "open"}

    def test_and_whoever_had_renewed_already_is_asked_again_too(self, db: Database) -> None:
        company = Company(db)
        pinned = f"{SIGN_OFF}, quorum: 2, renew: every 90 days, pinned_to: [concept]"
        source = plan(stage("a", pinned), stage("b", FINANCE))
        company.start(f"{source}inputs: {{concept: {{kind: text}}}}\n", inputs={"concept": "first"})
        company.decides(ANNA)
        company.decides(BEN)
        company.now = IN_90_DAYS
        company.checks()
        company.decides(CARLA)
        company.changes(concept="second")
        assert sorted(voice for voice, _ in company.lapsed()) == [ANNA, BEN, CARLA]
        assert company.gate("a")["waiting_for"] == [ANNA, BEN, CARLA]
        company.decides(CARLA)
        company.decides(ANNA)
        assert (company.gate("a")["state"], company.stage_states()["ax"]) == ("passed", "passed")

    def test_of_something_else_leave_a_renewed_list_alone_that_was_filled_in_differently(self, db: Database) -> None:
        company = Company(db)
        source = plan(stage("a", f"{LIST}, approvers: [chair], renew: every 90 days"), stage("b", BOARD))
        company.start(f"{source}inputs: {{concept: {{kind: text}}}}\n", inputs={"concept": "first"})
        company.fills_in(DORA, {"who": "Lea"})
        company.decides(EMIL)
        company.now = IN_90_DAYS
        company.checks()
        company.fills_in(DORA, {"who": "Max"})
        assert (company.lapsed(), company.stage_states()["ax"]) == ([], "passed")
        company.decides(EMIL)
        company.changes(concept="second")
        assert (company.lapsed(), company.gate("a")["state"], company.gate("a")["round"]) == ([], "passed", 2)


class TestANewerPlan:
    @pytest.mark.parametrize(("before", "after", "days"), [("90", "30", 30), ("30", "90", 90), ("30", "", None)])
    def test_says_when_what_has_passed_is_asked_again(
        self, db: Database, before: str, after: str, days: int | None
    ) -> None:
        company = begun(db, stage("a", f"{BOARD}, renew: every {before} days"), stage("b", FINANCE))
        company.later(days=1)
        renew = f", renew: every {after} days" if after else ""
        company.migrates(plan(stage("a", f"{BOARD}{renew}"), stage("b", FINANCE)))
        again = company.gate("a")["renew_at"]
        assert (datetime.fromisoformat(again) - MONDAY if again else None) in (
            None if days is None else timedelta(days=days),
            None if days is None else timedelta(days=days, hours=-1),  # 10:00 in Zurich, in summer time by then
        )
        company.later(days=200)
        assert company.checks().renewed == (0 if days is None else 1)

    def test_that_no_longer_keeps_stages_closed_lets_them_open(self, db: Database) -> None:
        company = overdue(db, stage("a", BLOCKING), stage("b", FINANCE), stage("c", FINANCE))
        company.decides(DORA)
        assert company.stage_states()["cx"] == "waiting"
        company.migrates(plan(stage("a", RENEWED), stage("b", FINANCE), stage("c", FINANCE)))
        assert company.stage_states()["cx"] == "open"
