"""A renewal that is answered with a no: what has passed no longer holds, and what the plan says follows."""

from __future__ import annotations

from datetime import timedelta

import pytest

from models.database import Database
from models.requests import RequestState, VoidReason
from tests.company import ANNA, BEN, CARLA, DORA, EMIL, REQUESTER, Company
from tests.renewing import BOARD, FINANCE, IN_90_DAYS, RENEWED, asked_again, begun, plan, settle, stage
from tests.sample_plans import SIGN_OFF


class TestAnsweredNo:
    def test_the_stage_is_opened_once_more_and_held_and_later_ones_go_on(self, db: Database) -> None:
        company = asked_again(db, stage("a", RENEWED), stage("b", FINANCE), stage("c", FINANCE))
        for person in (ANNA, BEN, CARLA):
            settle(company, "a", person, "reject")
        assert company.state == "held"
        assert company.stage_states() == {"ax": "held", "bx": "open", "cx": "waiting"}
        assert [one["round"] for one in company.rollout()["stages"]] == [2, 1, 1]
        held = company.messages("information", REQUESTER)[-1]
        assert "was not renewed" in held.facts["sentences"][0]["text"]
        company.decides(DORA)
        assert company.stage_states() == {"ax": "held", "bx": "passed", "cx": "waiting"}

    def test_resumed_it_is_asked_as_if_for_the_first_time_and_then_the_rest_follows(self, db: Database) -> None:
        company = asked_again(db, stage("a", RENEWED), stage("b", FINANCE), stage("c", FINANCE))
        for person in (ANNA, BEN, CARLA):
            settle(company, "a", person, "reject")
        company.decides(DORA)
        company.resumes()
        gate = company.gate("a")
        assert (gate["state"], gate["renewal"], gate["round"]) == ("open", False, 3)
        assert company.page(company.asked(ANNA)).question.renewal is None
        company.decides(ANNA)
        assert company.stage_states() == {"ax": "passed", "bx": "passed", "cx": "open"}
        assert company.gate("a")["renew_at"] == (company.now + timedelta(days=90)).isoformat()

    def test_or_it_is_waived_where_the_plan_says_by_whom(self, db: Database) -> None:
        company = asked_again(db, stage("a", f"{RENEWED}, waiver: [chair]"), stage("b", FINANCE), stage("c", FINANCE))
        for person in (ANNA, BEN, CARLA):
            settle(company, "a", person, "reject")
        company.waives(EMIL, "a")
        assert (company.state, company.stage_states()["ax"]) == ("open", "passed")
        company.decides(DORA)
        assert company.stage_states()["cx"] == "open"

    def test_kill_ends_the_rollout(self, db: Database) -> None:
        company = asked_again(db, stage("a", f"{RENEWED}, on_reject: kill"), stage("b", FINANCE))
        request = company.asked(DORA)
        for person in (ANNA, BEN, CARLA):
            settle(company, "a", person, "reject")
        assert (company.state, company.stage_states()) == ("killed", {"ax": "failed", "bx": "skipped"})
        assert company.page(request).void_reason is VoidReason.WITHDRAWN

    def test_recycle_asks_the_named_stage_and_everything_after_it_again_as_usual(self, db: Database) -> None:
        company = begun(db, stage("a", BOARD), stage("b", f"{BOARD}, renew: every 90 days, on_reject: {{recycle: ax}}"),
                        stage("c", FINANCE))  # fmt: skip
        company.decides(ANNA)
        company.now = IN_90_DAYS
        company.checks()
        for person in (ANNA, BEN, CARLA):
            settle(company, "b", person, "reject")
        assert company.state == "open"
        assert company.stage_states() == {"ax": "open", "bx": "waiting", "cx": "waiting"}
        assert (company.gate("b")["renewal"], company.gate("c")["round"]) == (False, 2)
        company.decides(ANNA)
        company.decides(ANNA)
        assert company.stage_states() == {"ax": "passed", "bx": "passed", "cx": "open"}

    def test_out_of_reach_is_a_no_as_well(self, db: Database) -> None:
        company = Company(db)
        company.start(plan(stage("a", f"{SIGN_OFF}, quorum: all, renew: every 90 days"), stage("b", FINANCE)))
        for person in (ANNA, BEN, CARLA):
            company.decides(person)
        company.now = IN_90_DAYS
        company.checks()
        settle(company, "a", CARLA, "abstain")
        assert (company.state, company.stage_states()["ax"]) == ("held", "held")

    def test_an_advisers_no_undoes_nothing(self, db: Database) -> None:
        company = asked_again(db, stage("a", f"{RENEWED}, binding: false"), stage("b", FINANCE))
        for person in (ANNA, BEN, CARLA):
            if company.requests(person, RequestState.OPEN):
                settle(company, "a", person, "reject")
        assert (company.gate("a")["state"], company.stage_states()) == ("passed", {"ax": "passed", "bx": "open"})

    @pytest.mark.parametrize(("on_reject", "state"), [("hold", "open"), ("kill", "killed")])
    def test_of_an_exclusive_stage_that_others_use_by_now(self, db: Database, on_reject: str, state: str) -> None:
        source = plan(
            stage("a", f"{RENEWED}, on_reject: {on_reject}", more="    exclusive: channel\n"), stage("b", FINANCE)
        )
        other = Company(db)
        company = Company(db)
        company.start(source)
        company.decides(ANNA)
        other.start(source)
        company.now = IN_90_DAYS
        company.checks()
        for person in (ANNA, BEN, CARLA):
            settle(company, "a", person, "reject")
        assert company.state == state
        if state == "open":  # it takes its turn, and is then on hold
            other.cancels()
            company.advance()
            assert (company.state, company.stage_states()["ax"]) == ("held", "held")
