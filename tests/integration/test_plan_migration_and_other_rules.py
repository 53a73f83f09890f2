"""A rollout goes over to a newer version of its plan: with a resource, a condition, changes, or a renewal."""

from __future__ import annotations

import pytest

from domain.errors import InvalidInput
from models.database import Database
from models.requests import RequestState
from tests.company import ANNA, BEN, CARLA, REQUESTER, Company
from tests.migrating import ALL, everything, gate, plan, rows_of, stage
from tests.sample_plans import SIGN_OFF, one_gate


def asked_again_after_ten_days(db: Database) -> tuple[Company, str, str]:
    """A rollout whose first gate has passed and is asked again; with that gate and the stage after it, as written."""
    company = Company(db)
    renewed = gate("a", "renew: {every: every 10 days, within: 2 days}", quorum="any")
    two = stage("two", gate("b", approvers="finance"))
    company.start(plan(stage("one", renewed), two))
    company.decides(ANNA)
    company.later(days=10)
    company.checks()
    return company, renewed, two


class TestResources:
    def shared(self, resource: str, question: str = "Yes?") -> str:
        alone = f"exclusive: {resource}, " if resource else ""
        return plan(stage("one", gate("a", question=question, quorum="any"), more=alone))

    def test_who_waits_takes_a_place_where_the_newer_version_says(self, db: Database) -> None:
        company = Company(db)
        company.start(self.shared("production"))
        company.start(self.shared("production"))
        company.migrates(self.shared("staging"))
        assert company.stage_states() == {"one": "open"}
        assert company.entries("stage.left-queue")[0].facts == {"resource": "production"}

    def test_who_waits_opens_when_it_needs_nothing_for_itself_any_more(self, db: Database) -> None:
        company = Company(db)
        first = company.start(self.shared("production"))
        company.start(self.shared("production"))
        company.migrates(self.shared(""))
        assert company.stage_states() == {"one": "open"}
        company.rollout_id = first
        assert company.rollout()["stages"][0]["uses"]["waiting"] == []

    def test_who_is_open_gives_one_back_and_takes_the_other(self, db: Database) -> None:
        company = Company(db)
        first = company.start(self.shared("production"))
        second = company.start(self.shared("production"))
        company.rollout_id = first
        company.migrates(self.shared("staging"))
        company.takes_turns()
        assert company.rollout()["stages"][0]["uses"]["resource"] == "staging"
        company.rollout_id = second
        assert company.stage_states() == {"one": "open"}

    def test_who_is_open_may_not_use_what_others_use(self, db: Database) -> None:
        company = Company(db)
        other = company.start(self.shared("staging"))
        company.start(self.shared("production"))
        before = everything(db)
        for refused in (company.would_migrate, company.migrates):
            with pytest.raises(InvalidInput, match=f"would use “staging”, which “A rollout” \\({other}\\) uses"):
                refused(self.shared("staging"))
        assert everything(db) == before

    def test_a_stage_opened_once_more_waits_for_its_turn(self, db: Database) -> None:
        company = Company(db)
        two = stage("two", gate("b"))
        first = company.start(self.shared("production") + two)
        company.decides(ANNA)
        company.start(self.shared("production"))
        company.rollout_id = first
        company.migrates(self.shared("production", "Really?") + two)
        assert company.stage_states() == {"one": "waiting", "two": "open"}
        assert company.rollout()["stages"][0]["waits_for"]["place"] == 1


class TestWithTheOtherRules:
    def test_a_condition_goes_with_the_approval_that_it_was_made_for(self, db: Database) -> None:
        company = Company(db)
        source = plan(stage("one", gate("a", quorum="any")), stage("two", gate("b", approvers="finance")))
        company.start(source)
        company.decides(ANNA, "approve-with-conditions")
        assert company.requests(BEN, RequestState.OPEN)
        company.migrates(source.replace("Yes?", "Really?", 1))
        assert [row.action for row in company.entries("condition.withdrawn")] == ["condition.withdrawn"]
        assert [one["id"] for one in company.rollout()["stages"][1]["gates"]] == ["b"]

    def test_a_condition_of_an_approval_that_stays_stays(self, db: Database) -> None:
        company = Company(db)
        source = plan(stage("one", gate("a", quorum="any")), stage("two", gate("b", approvers="finance")))
        company.start(source)
        company.decides(ANNA, "approve-with-conditions")
        company.migrates(source.replace("Gate b", "Another name"))
        [condition] = [one["id"] for one in company.rollout()["stages"][1]["gates"] if one["id"] != "b"]
        company.sees_to(BEN)
        company.decides(ANNA)
        assert company.gate(condition)["state"] == "passed"

    @pytest.mark.parametrize(
        "newer",
        [
            plan(stage("one", gate("a", quorum="any")), stage("three", gate("c"))),
            plan(stage("one", gate("c")), stage("two", gate("b", approvers="finance"))),
        ],
    )
    def test_a_condition_that_is_still_to_be_met_keeps_its_stage_and_its_gate(self, db: Database, newer: str) -> None:
        company = Company(db)
        company.start(plan(stage("one", gate("a", quorum="any")), stage("two", gate("b", approvers="finance"))))
        company.decides(ANNA, "approve-with-conditions")
        before = everything(db)
        with pytest.raises(InvalidInput, match="no place for a condition that is still to be met: check the texts"):
            company.migrates(newer)
        assert everything(db) == before

    def test_a_gate_whose_clock_stands_still_goes_on_standing_still(self, db: Database) -> None:
        company = Company(db)
        company.start(one_gate(f"{SIGN_OFF}, quorum: all, expires: {{after: 10 days}}"))
        company.decides(ANNA, "request-changes")
        company.migrates(one_gate(f"{SIGN_OFF}, quorum: all, expires: {{after: 20 days}}"))
        assert company.gate()["due_at"] is None
        company.later(days=3)
        company.answers_changes(REQUESTER)
        assert company.gate()["due_at"] == "2026-03-25T09:00:00+00:00", "twenty days, and three on which it stood still"

    def test_a_request_for_changes_goes_away_with_the_question(self, db: Database) -> None:
        company = Company(db)
        company.start(ALL)
        company.decides(ANNA, "request-changes")
        company.migrates(ALL.replace("Shall we?", "Really?"))
        assert company.requests(REQUESTER, RequestState.OPEN) == []
        assert company.gate()["waiting_for"] == [ANNA, BEN, CARLA]

    def test_a_gate_that_has_passed_is_renewed_as_the_newer_version_says(self, db: Database) -> None:
        company = Company(db)
        two = stage("two", gate("b", approvers="finance"))
        company.start(plan(stage("one", gate("a", quorum="any")), two))
        company.decides(ANNA)
        company.later(days=5)
        company.migrates(
            plan(stage("one", gate("a", "renew: {every: every 10 days, within: 2 days}", quorum="any")), two)
        )
        company.later(days=5)
        assert company.checks().renewed == 1, "counted from the approval"
        assert company.stage_states() == {"one": "passed", "two": "open"}

    def test_a_renewal_of_what_was_reworded_is_asked_as_if_for_the_first_time(self, db: Database) -> None:
        company, renewed, two = asked_again_after_ten_days(db)
        company.migrates(plan(stage("one", renewed.replace("Yes?", "Really?")), two))
        assert company.lapsed() == [(ANNA, "the question was reworded")]
        assert company.stage_states() == {"one": "open", "two": "open"}
        assert rows_of(company, "a") == [(1, "passed", False), (2, "withdrawn", False), (3, "open", True)]

    def test_a_renewal_goes_on_when_only_what_follows_from_a_no_has_changed(self, db: Database) -> None:
        company, _, two = asked_again_after_ten_days(db)
        company.migrates(
            plan(
                stage("one", gate("a", "renew: {every: every 10 days, within: 2 days}, on_reject: kill", quorum="any")),
                two,
            )
        )
        assert company.stage_states() == {"one": "passed", "two": "open"}
        assert rows_of(company, "a") == [(1, "passed", False), (2, "open", True)]
