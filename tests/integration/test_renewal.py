"""Renewal: what has passed is asked again while the rollout runs; it holds on until somebody says no."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.errors import GateSettled
from models.database import Database
from models.requests import RequestState, VoidReason
from operations.check_stalled import check_stalled
from tests.company import ANNA, BEN, CARLA, DORA, EMIL, KEYS, MONDAY, Company
from tests.integration.test_two_at_once import race
from tests.renewing import (
    BLOCKING,
    BOARD,
    DEADLINE,
    FINANCE,
    IN_90_DAYS,
    RENEWED,
    asked_again,
    begun,
    plan,
    settle,
    stage,
)


class TestAskingAgain:
    def test_when_the_time_has_come_and_not_a_moment_before(self, db: Database) -> None:
        company = begun(db, stage("a", RENEWED), stage("b", FINANCE))
        assert company.gate("a")["renew_at"] == IN_90_DAYS.isoformat()
        company.now = IN_90_DAYS - timedelta(microseconds=1)
        assert company.checks().renewed == 0
        company.now = IN_90_DAYS
        assert company.checks().renewed == 1
        gate = company.gate("a")
        assert (gate["state"], gate["round"], gate["renewal"]) == ("open", 2, True)
        assert gate["waiting_for"] == [ANNA, BEN, CARLA]
        assert gate["due_at"] == DEADLINE.isoformat()

    def test_it_holds_on_meanwhile(self, db: Database) -> None:
        company = asked_again(db, stage("a", RENEWED), stage("b", FINANCE), stage("c", FINANCE))
        assert company.stage_states() == {"ax": "passed", "bx": "open", "cx": "waiting"}
        company.decides(DORA)
        assert company.stage_states() == {"ax": "passed", "bx": "passed", "cx": "open"}

    @pytest.mark.parametrize(
        ("every", "days"),
        [("every 36 hours", 1.5), ("every 3 days", 3), ("every 2 weeks", 14), ("every 4 business days", 4)],
    )
    def test_in_every_unit_of_time(self, db: Database, every: str, days: float) -> None:
        company = begun(db, stage("a", f"{BOARD}, renew: {{every: {every}, within: 2 hours}}"), stage("b", FINANCE))
        company.now = MONDAY + timedelta(days=days)
        assert company.checks().renewed == 1

    def test_the_mail_says_that_it_is_a_renewal_of_what_and_since_when_it_holds(self, db: Database) -> None:
        company = asked_again(db, stage("a", RENEWED), stage("b", FINANCE))
        page = company.page(company.asked(ANNA))
        assert page.question.renewal is not None
        assert page.question.renewal.text.startswith("This is a renewal: the gate passed on {moment}")
        assert page.question.renewal.facts["moment"] == MONDAY
        assert page.question.due_at == DEADLINE
        assert "holds on until it is answered" in page.question.on_silence.text
        assert len(company.messages("request", ANNA)) == 2

    def test_the_first_round_is_no_renewal(self, db: Database) -> None:
        company = Company(db)
        company.start(plan(stage("a", RENEWED), stage("b", FINANCE)))
        assert company.page(company.asked(ANNA)).question.renewal is None

    def test_by_two_checks_at_once_once(self, db: Database) -> None:
        company = begun(db, stage("a", RENEWED), stage("b", FINANCE))
        company.now = IN_90_DAYS
        race([lambda: check_stalled(db, KEYS, company.now)] * 4)
        assert company.actions().count("gate.renewal-due") == 1
        assert len(company.messages("request", ANNA)) == 2

    def test_after_a_year_without_a_check_once_with_the_whole_time_to_answer(self, db: Database) -> None:
        company = begun(db, stage("a", BLOCKING), stage("b", FINANCE))
        company.later(days=400)
        report = company.checks()
        assert (report.renewed, report.overdue) == (1, 0)
        assert company.gate("a")["round"] == 2
        company.later(minutes=15)
        assert (company.checks().renewed, company.checks().overdue) == (0, 0)
        company.decides(ANNA)
        company.later(days=89)
        assert company.checks().renewed == 0
        company.later(days=2)
        assert company.checks().renewed == 1

    def test_whoever_holds_the_role_by_then(self, db: Database) -> None:
        company = begun(db, stage("a", RENEWED), stage("b", FINANCE))
        board = "board: [anna@example.com, ben@example.com, carla@example.com]"
        company.import_people(company.directory.replace(board, "board: [carla@example.com]"))
        company.now = IN_90_DAYS
        company.checks()
        assert company.gate("a")["waiting_for"] == [CARLA]

    def test_before_the_stage_is_through_it_does_not_keep_the_stage_from_passing(self, db: Database) -> None:
        company = asked_again(db, stage("a", RENEWED, FINANCE), stage("b", FINANCE))
        assert company.stage_states() == {"ax": "open", "bx": "waiting"}
        company.decides(DORA)
        assert company.stage_states() == {"ax": "passed", "bx": "open"}
        assert company.gate("a")["state"] == "open"
        company.decides(BEN)
        assert company.gate("a")["state"] == "passed"

    def test_a_gate_that_comes_after_it_in_its_stage_is_asked_meanwhile(self, db: Database) -> None:
        company = Company(db)
        company.start(plan(stage("a", RENEWED, FINANCE, f"{FINANCE}, ask_after: [a, a2]"), stage("b", FINANCE)))
        company.decides(ANNA)
        company.now = IN_90_DAYS
        company.checks()
        settle(company, "a2", DORA)
        assert (company.gate("a")["state"], company.gate("a3")["state"]) == ("open", "open")

    def test_while_another_gate_holds_its_stage(self, db: Database) -> None:
        company = begun(db, stage("a", RENEWED, FINANCE), stage("b", FINANCE))
        company.decides(DORA, "reject")
        company.now = IN_90_DAYS
        company.checks()
        assert (company.state, company.gate("a")["state"]) == ("held", "open")
        company.decides(BEN, "reject")
        assert company.state == "held"
        company.resumes()
        settle(company, "a", ANNA)
        settle(company, "a2", DORA)
        assert company.stage_states() == {"ax": "passed", "bx": "open"}

    def test_what_was_waived_is_asked_when_its_renewal_comes(self, db: Database) -> None:
        company = Company(db)
        company.start(plan(stage("a", f"{RENEWED}, waiver: [chair]"), stage("b", FINANCE)))
        company.waives(EMIL, "a")
        company.now = IN_90_DAYS
        company.checks()
        page = company.page(company.asked(ANNA))
        assert page.question.renewal is not None
        assert "the gate was waived on" in page.question.renewal.text


class TestAnsweredYes:
    def test_it_passes_and_the_next_renewal_is_counted_from_then(self, db: Database) -> None:
        company = asked_again(db, stage("a", RENEWED), stage("b", FINANCE))
        company.later(days=3)
        company.decides(BEN)
        gate = company.gate("a")
        assert (gate["state"], gate["round"]) == ("passed", 2)
        assert gate["renew_at"] == (company.now + timedelta(days=90)).isoformat()
        assert [stage["round"] for stage in company.rollout()["stages"]] == [1, 1]

    def test_a_renewal_is_itself_renewed_and_says_since_when_the_last_one_holds(self, db: Database) -> None:
        company = asked_again(db, stage("a", RENEWED), stage("b", FINANCE))
        company.later(days=3)
        renewed = company.now
        company.decides(BEN)
        company.later(days=90)
        company.checks()
        page = company.page(company.asked(ANNA))
        assert page.question.round == 3
        assert page.question.renewal is not None
        assert page.question.renewal.facts["moment"] == renewed
        company.decides(CARLA)
        assert (company.gate("a")["state"], company.stage_states()["bx"]) == ("passed", "open")

    def test_the_record_has_one_entry_for_each_change(self, db: Database) -> None:
        company = asked_again(db, stage("a", RENEWED), stage("b", FINANCE))
        company.decides(BEN)
        told = [(entry.action, entry.round) for entry in company.entries() if entry.gate == "a"]
        assert told == [
            ("gate.opened", 1), ("decision.recorded", 1), ("gate.passed", 1),
            ("gate.renewal-due", 2), ("gate.opened", 2), ("decision.recorded", 2), ("gate.passed", 2),
        ]  # fmt: skip


class TestTheEndOfTheRollout:
    def test_completed_withdraws_what_is_asked_and_those_asked_are_told(self, db: Database) -> None:
        company = asked_again(db, stage("a", RENEWED), stage("b", FINANCE))
        request = company.asked(ANNA)
        company.decides(DORA)
        assert (company.state, company.gate("a")["state"]) == ("completed", "withdrawn")
        page = company.page(request)
        assert (page.state, page.void_reason) == (RequestState.VOID, VoidReason.WITHDRAWN)
        assert company.headlines(ANNA) == ["Completed: every stage has passed"]
        assert company.stage_states() == {"ax": "passed", "bx": "passed"}
        with pytest.raises(GateSettled):
            company.decides(ANNA, request=request)

    def test_called_off_too(self, db: Database) -> None:
        company = asked_again(db, stage("a", RENEWED), stage("b", FINANCE))
        request = company.asked(ANNA)
        company.cancels()
        assert company.gate("a")["state"] == "withdrawn"
        assert company.page(request).void_reason is VoidReason.CANCELLED
        assert company.stage_states()["ax"] == "passed"

    @pytest.mark.parametrize("end", ["completed", "cancelled"])
    def test_after_it_nobody_is_asked(self, db: Database, end: str) -> None:
        company = begun(db, stage("a", RENEWED), stage("b", FINANCE))
        if end == "completed":
            company.decides(DORA)
        else:
            company.cancels()
        assert company.state == end
        company.later(days=400)
        report = company.checks()
        assert (report.renewed, report.overdue) == (0, 0)
        assert company.requests(ANNA, RequestState.OPEN) == []

    def test_one_that_is_not_answered_is_not_overdue_after_the_end(self, db: Database) -> None:
        company = asked_again(db, stage("a", BLOCKING), stage("b", FINANCE))
        company.cancels()
        company.now = DEADLINE
        assert company.checks_on_schedule().overdue == 0

    def test_going_back_past_it_makes_an_ordinary_round(self, db: Database) -> None:
        company = asked_again(db, stage("a", RENEWED), stage("b", f"{FINANCE}, on_reject: {{recycle: ax}}"))
        request = company.asked(ANNA)
        company.decides(DORA, "reject")
        assert company.page(request).void_reason is VoidReason.WITHDRAWN
        gate = company.gate("a")
        assert (gate["state"], gate["round"], gate["renewal"]) == ("open", 3, False)
        assert company.stage_states() == {"ax": "open", "bx": "waiting"}


class TestSeparationOfDuties:
    def test_whoever_renewed_counts_as_having_decided_and_so_does_whoever_did_before(self, db: Database) -> None:
        apart = f"{BOARD}, different_people_than: [a]"
        company = asked_again(db, stage("a", RENEWED), stage("b", FINANCE), stage("c", apart))
        settle(company, "a", BEN)
        company.decides(DORA)
        assert company.gate("c")["waiting_for"] == [CARLA]
