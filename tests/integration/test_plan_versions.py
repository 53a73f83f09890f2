"""A plan gets a newer version while rollouts run: they keep theirs, until somebody lets one go over.

Looking at what would change changes nothing, and what cannot be is refused in one sentence.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import select

from domain.errors import InvalidInput, NotAllowed, RoleNotHeld, RolloutEnded
from domain.migration import Fate
from models.database import Database
from models.rollouts import PlanVersion, Rollout
from tests.company import ANNA, DORA, EMIL, REQUESTER, Company
from tests.migrating import ALL, everything, gate, plan, rows_of, stage


class TestVersions:
    def test_a_rollout_keeps_the_version_it_was_started_with(self, db: Database) -> None:
        company = Company(db)
        first = company.start(ALL)
        company.start(ALL.replace("Shall we?", "Shall we really?"))
        assert company.rollout()["version"] == 2
        company.rollout_id = first
        assert company.rollout()["version"] == 1
        assert company.page(company.asked(ANNA)).question.question == "Shall we?"

    def test_a_version_is_stored_once(self, db: Database) -> None:
        company = Company(db)
        newer = ALL.replace("Shall we?", "Really?")
        for _ in range(2):
            company.start(ALL)
            company.migrates(newer)
        with db.read() as session:
            versions = session.scalars(select(PlanVersion).order_by(PlanVersion.version)).all()
        assert [version.version for version in versions] == [1, 2]

    def test_and_going_back_is_going_over_to_the_earlier_one(self, db: Database) -> None:
        company = Company(db)
        company.start(ALL)
        company.migrates(ALL.replace("Shall we?", "Really?"))
        company.migrates(ALL)
        assert company.rollout()["version"] == 1
        assert [entry.facts["to"] for entry in company.entries("rollout.migrated")] == [2, 1]
        assert rows_of(company, "gate") == [(1, "withdrawn", False), (2, "withdrawn", False), (3, "open", True)]


class TestLooking:
    def test_it_changes_nothing(self, db: Database) -> None:
        company = Company(db)
        company.start(ALL)
        company.decides(ANNA)
        before = everything(db)
        move = company.would_migrate(ALL.replace("Shall we?", "Really?"))
        assert [(one.id, one.fate, list(map(str, one.because))) for one in move.migration.gates()] == [
            ("gate", Fate.AGAIN, ["the question was reworded"])
        ]
        assert move.lapsing == {"gate": [ANNA]}
        assert everything(db) == before

    def test_the_same_version_changes_nothing_when_it_is_done_either(self, db: Database) -> None:
        company = Company(db)
        company.start(ALL)
        company.decides(ANNA)
        before = everything(db)
        assert company.migrates(ALL).stays_put
        assert everything(db) == before

    def test_a_rollout_that_has_not_begun_waits_for_its_day_and_follows_the_newer_version_then(
        self, db: Database
    ) -> None:
        company = Company(db)
        company.start(ALL, start_on=(company.now + timedelta(days=7)).date())
        company.migrates(ALL.replace("Shall we?", "Really?"))
        assert (company.state, rows_of(company, "gate")) == ("waiting", [(1, "waiting", True)])
        company.later(days=7)
        company.checks()
        assert company.page(company.asked(ANNA)).question.question == "Really?"


class TestInputs:
    def test_what_the_newer_version_needs_and_has_no_default_for_is_refused(self, db: Database) -> None:
        company = Company(db)
        company.start(plan(stage("one", gate("a"))))
        before = everything(db)
        with pytest.raises(InvalidInput, match="needs “scope”, which this rollout was started without"):
            company.migrates(plan(stage("one", gate("a")), inputs=", scope: {kind: text, required: true}"))
        assert everything(db) == before

    def test_a_default_is_taken(self, db: Database) -> None:
        company = Company(db)
        company.start(plan(stage("one", gate("a"))), budget={"a": "1"})
        company.migrates(plan(stage("one", gate("a")), inputs=', limit: {kind: number, default: "70"}'))
        with db.read() as session:
            inputs = session.get_one(Rollout, company.rollout_id).inputs
        assert (inputs["limit"], inputs["budget"][0]["amount"]) == ("70", "1.00")

    def test_one_of_another_kind_is_refused(self, db: Database) -> None:
        company = Company(db)
        company.start(plan(stage("one", gate("a")), inputs=", scope: {kind: text}"), inputs={"scope": "wide"})
        with pytest.raises(InvalidInput, match="“scope” is not a number"):
            company.would_migrate(plan(stage("one", gate("a")), inputs=", scope: {kind: number}"))
        with pytest.raises(InvalidInput, match="“scope” is of another kind"):
            company.would_migrate(plan(stage("one", gate("a")), inputs=", scope: {kind: budget}"))

    def test_one_that_is_no_longer_asked_for_can_be_there_and_others_can_be_changed(self, db: Database) -> None:
        company = Company(db)
        company.start(plan(stage("one", gate("a")), inputs=", scope: {kind: text}"), inputs={"scope": "wide"})
        company.migrates(plan(stage("one", gate("a"))))
        company.changes(budget={"a": "5"})
        assert company.state == "open"

    def test_a_budget_gate_without_a_budget_is_refused(self, db: Database) -> None:
        company = Company(db)
        company.start(plan(stage("one", gate("a"))))
        with pytest.raises(InvalidInput, match="The plan asks for a budget"):
            company.would_migrate(plan(stage("one", gate("a").replace("sign-off", "budget"))))


class TestRefused:
    @pytest.fixture
    def company(self, db: Database) -> Iterator[Company]:
        """A company whose rollout is as it was afterwards."""
        company = Company(db)
        company.start(ALL)
        before = everything(db)
        yield company
        assert everything(db) == before

    def test_a_role_that_nobody_holds(self, company: Company) -> None:
        newer = ALL.replace("staff: {title: Staff}", "staff: {title: Staff}\n  nobody: {title: Nobody}")
        for refused in (company.would_migrate, company.migrates):
            with pytest.raises(RoleNotHeld, match="“nobody”"):
                refused(newer.replace("approvers: [board]", "approvers: [nobody]"))

    def test_another_plan(self, company: Company) -> None:
        with pytest.raises(InvalidInput, match="follows the plan “one-gate”; this file holds “other”"):
            company.migrates(ALL.replace("plan: one-gate", "plan: other"))

    @pytest.mark.parametrize("reason", ["", "  "])
    def test_no_reason(self, company: Company, reason: str) -> None:
        with pytest.raises(InvalidInput, match="needs a reason"):
            company.migrates(ALL.replace("Shall we?", "Really?"), reason=reason)

    @pytest.mark.parametrize("by", [ANNA, "stranger@example.com"])
    def test_somebody_who_does_not_look_after_it(self, company: Company, by: str) -> None:
        with pytest.raises(NotAllowed):
            company.migrates(ALL.replace("Shall we?", "Really?"), by=by)

    def test_the_requester_who_does_not_own_it(self, db: Database) -> None:
        company = Company(db)
        company.start(ALL, owner=EMIL)
        with pytest.raises(NotAllowed):
            company.migrates(ALL.replace("Shall we?", "Really?"), by=REQUESTER)
        company.migrates(ALL.replace("Shall we?", "Really?"), by=EMIL)

    def test_a_rollout_that_has_ended(self, db: Database) -> None:
        company = Company(db)
        company.start(ALL)
        company.cancels()
        with pytest.raises(RolloutEnded, match="keeps the version"):
            company.would_migrate(ALL.replace("Shall we?", "Really?"))

    def test_a_role_vacant_at_a_gate_that_has_passed_is_of_no_matter(self, db: Database) -> None:
        company = Company(db)
        company.start(plan(stage("one", gate("a", approvers="finance")), stage("two", gate("b"))))
        company.decides(DORA)
        company.import_people(company.directory.replace("finance: [dora@example.com]", "finance: []"))
        company.migrates(plan(stage("one", gate("a", approvers="finance")), stage("two", gate("b", question="Other?"))))
        assert company.stage_states() == {"one": "passed", "two": "open"}
