"""A plan that gets a newer version while rollouts run: they keep theirs, until somebody lets one go over.

What stays valid is worked out in tests/unit/test_migration.py; here it is done, in one transaction, and shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from domain.errors import InvalidInput, NotAllowed, RoleNotHeld, RolloutEnded
from domain.migration import Fate
from domain.reasons import Reason
from models.base import Base
from models.database import Database
from models.evidence import Evidence, standing_decisions_at
from models.gates import GateRow
from models.requests import RequestState, VoidReason
from models.rollouts import PlanVersion, Rollout, StageRow
from notifications.rendering import render
from operations.chart import chart
from operations.compose_message import Composer
from operations.migration import described
from operations.verify_record import verify_record
from operations.workspace import Workspace
from tests.company import KEYS, REQUESTER, ROLES, SIGN_OFF, Company, one_gate

ANNA, BEN, CARLA, DORA, EMIL = (f"{name}@example.com" for name in ("anna", "ben", "carla", "dora", "emil"))
ALL = one_gate(f"{SIGN_OFF}, quorum: all")


def gate(key: str, more: str = "", *, question: str = "Yes?", approvers: str = "board", quorum: str = "all") -> str:
    return (
        f'{{id: {key}, title: Gate {key}, kind: sign-off, question: "{question}", approvers: [{approvers}], '
        f"quorum: {quorum}{more and f', {more}'}}}"
    )


def stage(key: str, *gates: str, more: str = "") -> str:
    return f"  - {{id: {key}, title: Stage {key}, {more}gates: [{', '.join(gates)}]}}\n"


def plan(*stages: str, inputs: str = "") -> str:
    return f"""
plan: several
title: Several
calendar: {{holidays: CH-ZH, time_zone: Europe/Zurich}}
{ROLES}
inputs: {{budget: {{kind: budget, currency: CHF}}{inputs}}}
stages:
{"".join(stages)}"""


def everything(db: Database) -> dict[str, list[Any]]:
    """Every row of every table."""
    with db.read() as session:
        tables = Base.metadata.sorted_tables
        return {table.name: [tuple(row) for row in session.execute(select(table))] for table in tables}


def rows_of(company: Company, key: str) -> list[tuple[int, str, bool]]:
    """A gate's rounds: number, state, and whether it is the newest."""
    with company.db.read() as session:
        rows = session.scalars(
            select(GateRow).where(GateRow.rollout_id == company.rollout_id, GateRow.key == key).order_by(GateRow.round)
        )
        return [(row.round, row.state.value, row.current) for row in rows]


def told(company: Company, person: str) -> list[str]:
    """What a person was told of the newer version, in English."""
    [message] = [
        row for row in company.messages("information", person) if "newer version" in row.facts["headline"]["text"]
    ]
    return [str(Reason.from_json(one)) for one in message.facts["sentences"]]


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


class TestOpenGates:
    def test_a_reworded_question_is_asked_again_and_answers_lapse(self, db: Database) -> None:
        company = Company(db)
        company.start(ALL)
        company.decides(ANNA)
        old = company.asked(BEN)
        company.migrates(ALL.replace("Shall we?", "Shall we really?"))
        assert rows_of(company, "gate") == [(1, "withdrawn", False), (2, "open", True)]
        assert company.lapsed() == [(ANNA, "the question was reworded")]
        assert company.gate()["waiting_for"] == [ANNA, BEN, CARLA]
        [voided] = [row for row in company.requests(BEN) if row.id == old.id]
        assert (voided.state, voided.void_reason) == (RequestState.VOID, VoidReason.WITHDRAWN)
        assert company.page(company.asked(BEN)).question.question == "Shall we really?"

    def test_everybody_concerned_is_told_in_words_and_once(self, db: Database) -> None:
        company = Company(db)
        company.start(ALL)
        company.decides(ANNA)
        company.migrates(ALL.replace("Shall we?", "Really?"), reason="The lawyers asked for it.")
        assert told(company, BEN) == [
            "“The gate” is asked again, because the question was reworded. "
            "Your link no longer counts; if you are asked, a new one comes."
        ]
        assert told(company, ANNA) == [
            "Your answer at “The gate” no longer counts, because die Frage wurde neu gefasst."
        ], "the cause is in Anna's language, as the whole sentence is when it is sent"
        assert told(company, REQUESTER) == ["Asked again: The gate"]
        assert company.messages("information", BEN)[0].facts["quote"] == "The lawyers asked for it."
        assert [row.recipient for row in company.messages("lapsed")] == [ANNA]

    def test_it_reads_well_in_german(self, db: Database) -> None:
        company = Company(db)
        company.start(ALL)
        company.decides(ANNA)
        company.migrates(ALL.replace("Shall we?", "Really?"))
        [message] = company.messages("information", ANNA)
        with db.read() as session:
            ws = Workspace(session, (), session.get_one(Rollout, company.rollout_id), company.now)
            mail = Composer(KEYS, "http://etappe").compose(ws, message)
        assert mail is not None
        assert (
            "Ihre Antwort bei «The gate» zählt nicht mehr. Der Grund: die Frage wurde neu gefasst." in render(mail).text
        )

    def test_an_old_link_shows_what_it_asked(self, db: Database) -> None:
        company = Company(db)
        company.start(ALL)
        old = company.asked(BEN)
        company.migrates(ALL.replace("Shall we?", "Really?"))
        page = company.page(old)
        assert (page.question.question, page.void_reason) == ("Shall we?", VoidReason.WITHDRAWN)

    def test_other_approvers_are_asked_and_the_former_ones_no_longer(self, db: Database) -> None:
        company = Company(db)
        company.start(ALL)
        company.decides(ANNA)
        company.migrates(ALL.replace("approvers: [board]", "approvers: [finance]"))
        assert company.gate()["waiting_for"] == [DORA]
        assert company.requests(ANNA, RequestState.OPEN) == []
        assert told(company, ANNA)[0].startswith("Your answer at “The gate” no longer counts")
        company.decides(DORA)
        assert company.state == "completed"

    def test_a_title_and_a_deadline_keep_requests_links_and_decisions(self, db: Database) -> None:
        company = Company(db)
        company.start(one_gate(f"{SIGN_OFF}, quorum: all, expires: {{after: 10 days}}"))
        company.decides(ANNA)
        old = company.asked(BEN)
        company.later(days=2)
        newer = one_gate(f"{SIGN_OFF}, quorum: all, expires: {{after: 20 days}}").replace("The gate", "Another name")
        company.migrates(newer)
        assert rows_of(company, "gate") == [(1, "open", True)]
        assert company.asked(BEN).id == old.id
        assert company.gate()["due_at"] == "2026-03-22T09:00:00+00:00", "counted from the opening"
        assert "“Another name” is to be decided by another date" in company.headlines(BEN)
        for person in (BEN, CARLA):
            company.decides(person)
        assert company.state == "completed"
        assert company.lapsed() == []

    def test_after_a_title_has_changed_nothing_lapses_later_either(self, db: Database) -> None:
        """What is said to stay must not lapse at the next change of an input, for a digest that has moved."""
        company = Company(db)
        company.start(ALL, budget={"a": "1"})
        company.decides(ANNA)
        company.migrates(ALL.replace("The gate", "Another name"))
        company.changes(budget={"a": "2"})
        assert company.lapsed() == []

    def test_a_gate_on_its_way_to_somebody_else_by_escalation_follows_the_newer_steps(self, db: Database) -> None:
        company = Company(db)
        company.start(one_gate(f"{SIGN_OFF}, quorum: all, escalate: [{{after: 5 days, to: finance}}]"))
        company.migrates(one_gate(f"{SIGN_OFF}, quorum: all, escalate: [{{after: 1 days, to: chair}}]"))
        company.later(days=2)
        assert company.checks().escalated == 1
        assert EMIL in company.gate()["waiting_for"]
        assert DORA not in company.gate()["waiting_for"]

    def test_what_nobody_was_asked_yet_just_follows(self, db: Database) -> None:
        company = Company(db)
        company.start(plan(stage("one", gate("a")), stage("two", gate("b"))))
        company.migrates(plan(stage("one", gate("a")), stage("two", gate("b", question="Other?", approvers="finance"))))
        assert rows_of(company, "b") == [(1, "waiting", True)]
        for person in (ANNA, BEN, CARLA):
            company.decides(person)
        assert company.page(company.asked(DORA)).question.question == "Other?"


class TestPassedGates:
    def test_one_that_asked_something_else_is_asked_again_with_its_stage(self, db: Database) -> None:
        company = Company(db)
        one, two = gate("a", quorum="any"), stage("two", gate("b", approvers="finance"))
        company.start(plan(stage("one", one), two))
        company.decides(ANNA)
        company.migrates(plan(stage("one", gate("a", quorum="any", question="Really?")), two))
        assert company.stage_states() == {"one": "open", "two": "open"}, "what runs goes on"
        assert rows_of(company, "a") == [(1, "passed", False), (2, "open", True)]
        company.decides(DORA)
        assert company.state == "open"
        company.decides(BEN)
        assert company.state == "completed"

    def test_one_that_asked_the_same_keeps_its_approvals(self, db: Database) -> None:
        company = Company(db)
        one = stage("one", gate("a", quorum="any"))
        company.start(plan(one, stage("two", gate("b"))))
        company.decides(ANNA)
        company.migrates(plan(one, stage("two", gate("b", question="Other?"))))
        assert rows_of(company, "a") == [(1, "passed", True)]
        assert company.stage_states()["one"] == "passed"

    def test_a_waiver_of_another_question_does_not_count_either(self, db: Database) -> None:
        company = Company(db)
        source = plan(stage("one", gate("a", "waiver: [chair]")), stage("two", gate("b")))
        company.start(source)
        company.waives(EMIL, "a")
        company.migrates(source.replace("Yes?", "Really?", 1))
        assert rows_of(company, "a") == [(1, "waived", False), (2, "open", True)]

    def test_what_is_pinned_to_a_reworded_gate_is_asked_again_with_it(self, db: Database) -> None:
        company = Company(db)
        other = gate("b", "pinned_to: [a]", approvers="finance")
        company.start(plan(stage("one", gate("a", quorum="any"), other), stage("two", gate("c"))))
        company.decides(ANNA)
        company.decides(DORA)
        company.migrates(
            plan(stage("one", gate("a", quorum="any", question="Really?"), other), stage("two", gate("c")))
        )
        assert company.lapsed() == [(ANNA, "the question was reworded"), (DORA, "what “Gate a” asks was reworded")]
        assert (company.gate("a")["round"], company.gate("b")["round"]) == (2, 2)


class TestStages:
    def test_a_new_gate_in_an_open_stage_is_asked_at_once(self, db: Database) -> None:
        company = Company(db)
        company.start(plan(stage("one", gate("a"))))
        company.migrates(plan(stage("one", gate("a"), gate("b", approvers="finance"))))
        assert company.gate("b")["waiting_for"] == [DORA]
        assert company.gate("a")["round"] == 1

    def test_a_new_gate_in_a_stage_that_has_passed_opens_it_once_more(self, db: Database) -> None:
        company = Company(db)
        one, two = gate("a", quorum="any"), stage("two", gate("c"))
        company.start(plan(stage("one", one), two))
        company.decides(ANNA)
        company.migrates(plan(stage("one", one, gate("b", approvers="finance")), two))
        assert company.stage_states() == {"one": "open", "two": "open"}
        assert company.gate("a")["state"] == "passed"
        company.decides(DORA)
        assert company.stage_states() == {"one": "passed", "two": "open"}

    def test_a_gate_that_is_gone_asks_nobody_and_does_not_stand_in_the_way(self, db: Database) -> None:
        company = Company(db)
        company.start(plan(stage("one", gate("a", quorum="any"), gate("b", approvers="finance"))))
        company.decides(ANNA)
        asked = company.asked(DORA)
        company.migrates(plan(stage("one", gate("a", quorum="any"))))
        assert company.state == "completed"
        assert rows_of(company, "b") == [(1, "withdrawn", False)]
        assert told(company, DORA) == ["“Gate b” is no longer asked; your link for it no longer counts."]
        assert company.page(asked).question.gate_title == "Gate b", "its old link still says what it was for"

    def test_stages_come_go_and_change_places(self, db: Database) -> None:
        company = Company(db)
        company.start(plan(stage("one", gate("a")), stage("two", gate("b")), stage("three", gate("c"))))
        company.migrates(plan(stage("one", gate("a")), stage("three", gate("c")), stage("four", gate("d"))))
        assert company.stage_states() == {"one": "open", "three": "waiting", "four": "waiting"}
        for expected in ("three", "four"):
            for person in (ANNA, BEN, CARLA):
                company.decides(person)
            assert company.stage_states()[expected] == "open"

    def test_an_open_stage_that_is_gone_is_skipped_and_the_next_one_opens(self, db: Database) -> None:
        company = Company(db)
        company.start(plan(stage("one", gate("a")), stage("two", gate("b"))))
        company.migrates(plan(stage("two", gate("b"))))
        assert company.stage_states() == {"two": "open"}
        with db.read() as session:
            [gone] = session.scalars(select(StageRow).where(StageRow.key == "one"))
        assert (gone.state, gone.current) == ("skipped", False)

    def test_one_that_comes_back_is_asked_in_a_new_round(self, db: Database) -> None:
        company = Company(db)
        both = plan(stage("one", gate("a")), stage("two", gate("b")))
        company.start(both)
        company.migrates(plan(stage("two", gate("b"))))
        company.migrates(both)
        assert company.stage_states() == {"one": "open", "two": "open"}, "what runs goes on"
        assert rows_of(company, "a") == [(1, "withdrawn", False), (2, "open", True)]

    def test_a_gate_takes_its_approvals_to_another_stage(self, db: Database) -> None:
        company = Company(db)
        company.start(
            plan(stage("one", gate("a", quorum="any"), gate("b", approvers="finance")), stage("two", gate("c")))
        )
        company.decides(ANNA)
        company.migrates(
            plan(stage("one", gate("b", approvers="finance")), stage("two", gate("c"), gate("a", quorum="any")))
        )
        assert rows_of(company, "a") == [(1, "passed", True)]
        company.decides(DORA)
        for person in (ANNA, BEN, CARLA):
            company.decides(person)
        assert company.state == "completed"

    def test_one_that_moves_while_it_is_asked_is_asked_again_where_it_belongs(self, db: Database) -> None:
        company = Company(db)
        company.start(plan(stage("one", gate("a"), gate("b", approvers="finance")), stage("two", gate("c"))))
        company.decides(ANNA)
        company.migrates(plan(stage("one", gate("b", approvers="finance")), stage("two", gate("c"), gate("a"))))
        assert company.gate("a")["state"] == "waiting"
        assert company.requests(ANNA, RequestState.OPEN) == []
        assert company.lapsed() == [(ANNA, "it belongs to another stage now")]

    def test_a_held_stage_goes_on_when_what_stopped_it_is_asked_again(self, db: Database) -> None:
        company = Company(db)
        company.start(ALL)
        company.decides(ANNA, "reject")
        assert company.state == "held"
        company.migrates(ALL.replace("Shall we?", "Shall we, with a smaller budget?"))
        assert (company.state, company.stage_states()) == ("open", {"only": "open"})
        assert company.gate()["waiting_for"] == [ANNA, BEN, CARLA]

    def test_and_stays_held_when_it_is_still_stopped(self, db: Database) -> None:
        company = Company(db)
        company.start(ALL)
        company.decides(ANNA, "reject")
        company.migrates(ALL.replace("The gate", "Another name"))
        assert (company.state, rows_of(company, "gate")) == ("held", [(1, "rejected", True)])
        company.resumes()
        assert company.gate()["state"] == "open"


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
        company = Company(db)
        renewed, two = (
            gate("a", "renew: {every: every 10 days, within: 2 days}", quorum="any"),
            stage("two", gate("b", approvers="finance")),
        )
        company.start(plan(stage("one", renewed), two))
        company.decides(ANNA)
        company.later(days=10)
        company.checks()
        company.migrates(plan(stage("one", renewed.replace("Yes?", "Really?")), two))
        assert company.lapsed() == [(ANNA, "the question was reworded")]
        assert company.stage_states() == {"one": "open", "two": "open"}
        assert rows_of(company, "a") == [(1, "passed", False), (2, "withdrawn", False), (3, "open", True)]

    def test_a_renewal_goes_on_when_only_what_follows_from_a_no_has_changed(self, db: Database) -> None:
        company = Company(db)
        renewed, two = (
            gate("a", "renew: {every: every 10 days, within: 2 days}", quorum="any"),
            stage("two", gate("b", approvers="finance")),
        )
        company.start(plan(stage("one", renewed), two))
        company.decides(ANNA)
        company.later(days=10)
        company.checks()
        company.migrates(
            plan(
                stage("one", gate("a", "renew: {every: every 10 days, within: 2 days}, on_reject: kill", quorum="any")),
                two,
            )
        )
        assert company.stage_states() == {"one": "passed", "two": "open"}
        assert rows_of(company, "a") == [(1, "passed", False), (2, "open", True)]


class TestRecord:
    def test_it_says_from_where_to_where_and_what_became_of_everything(self, db: Database) -> None:
        company = Company(db)
        company.start(plan(stage("one", gate("a"), gate("b")), stage("two", gate("c"))))
        company.migrates(
            plan(stage("one", gate("a", question="Really?")), stage("new", gate("c"), gate("d"))), by=REQUESTER
        )
        [entry] = company.entries("rollout.migrated")
        assert (entry.actor, entry.comment) == (REQUESTER, "the plan was put right")
        assert entry.facts == {
            "plan": "several",
            "from": 1,
            "to": 2,
            "gates": {"stays": ["c"], "asked-again": ["a"], "new": ["d"], "gone": ["b"]},
            "stages": {"asked-again": [], "new": ["new"], "gone": ["two"]},
        }
        assert all(report.holds for report in verify_record(db))

    def test_prefects_page_can_be_drawn_of_what_is_gone(self, db: Database) -> None:
        company = Company(db)
        company.start(
            plan(stage("one", gate("a")), stage("two", gate("b"))), flow_run_id="0190c8a0-0000-7000-8000-000000000000"
        )
        company.migrates(plan(stage("two", gate("c"))))
        page = chart(db, company.rollout_id, company.now)
        assert page is not None
        assert [str(bar.title) for bar in page.bars if bar.subject == "gate"] == [
            "Gate: Gate a (0 of 3)",
            "Gate: Gate c (0 of 3)",
        ]


KEYS_OF_GATES = ("a", "b", "c")
STAGES = ("one", "two")
GATES = st.fixed_dictionaries(
    {
        "question": st.sampled_from(["Yes?", "Really?"]),
        "approvers": st.sampled_from(["board", "finance"]),
        "quorum": st.sampled_from(["any", "all"]),
        "stage": st.sampled_from(STAGES),
        "title": st.sampled_from(["This", "That"]),
    }
)
PLANS = st.dictionaries(st.sampled_from(KEYS_OF_GATES), GATES, min_size=1)


def written(gates: dict[str, dict[str, str]]) -> str:
    """A plan of these gates, each in its stage."""
    stages = {
        name: [
            gate(key, question=one["question"], approvers=one["approvers"], quorum=one["quorum"]).replace(
                f"title: Gate {key}", f"title: {one['title']} {key}"
            )
            for key, one in gates.items()
            if one["stage"] == name
        ]
        for name in STAGES
    }
    return plan(*(stage(name, *inside) for name, inside in stages.items() if inside))


def approve_something(company: Company) -> bool:
    """Let the first person who is asked approve what they were asked first. Returns whether there was anybody."""
    waiting = [row for person in (ANNA, BEN, CARLA, DORA) for row in company.requests(person, RequestState.OPEN)]
    for request in waiting[:1]:
        company.decides(request.person, request=request)
    return bool(waiting)


class TestWhateverBecomesOfAPlan:
    """Any plan, approved for a while, goes over to any other."""

    @pytest.mark.slow
    @settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(old=PLANS, new=PLANS, approvals=st.integers(0, 6))
    def test_no_approval_counts_for_what_it_was_not_given_for(
        self, db: Database, old: dict[str, dict[str, str]], new: dict[str, dict[str, str]], approvals: int
    ) -> None:
        company = Company(db)
        company.start(written(old))
        for _ in range(approvals):
            approve_something(company)
        if company.state == "completed":
            return
        before = everything(db)
        assert company.migrates(written(old)).migration.changes_nothing
        seen = company.would_migrate(written(new))
        assert everything(db) == before
        assert described(company.migrates(written(new))) == described(seen)
        self.every_gate_has_one_newest_round(company, new)
        self.what_counts_was_given_for_this(company, new)
        while approve_something(company):
            self.what_counts_was_given_for_this(company, new)
        assert company.state == "completed"
        assert all(report.holds for report in verify_record(db))

    def every_gate_has_one_newest_round(self, company: Company, new: dict[str, dict[str, str]]) -> None:
        with company.db.read() as session:
            mine = GateRow.rollout_id == company.rollout_id, GateRow.current
            newest = {row.key: row.stage_id for row in session.scalars(select(GateRow).where(*mine))}
            stages = select(StageRow).where(StageRow.rollout_id == company.rollout_id, StageRow.current)
            homes = {row.id: row.key for row in session.scalars(stages)}
            rows = session.scalars(select(GateRow.key).where(*mine)).all()
        assert sorted(rows) == sorted(new)
        assert {key: homes[stage_id] for key, stage_id in newest.items()} == {
            key: one["stage"] for key, one in new.items()
        }

    def what_counts_was_given_for_this(self, company: Company, new: dict[str, dict[str, str]]) -> None:
        """Reckoned from what was kept of what people were shown."""
        holders = {"board": {ANNA, BEN, CARLA}, "finance": {DORA}}
        with company.db.read() as session:
            mine = GateRow.rollout_id == company.rollout_id, GateRow.current
            for row in session.scalars(select(GateRow).where(*mine)).all():
                words = session.scalars(standing_decisions_at(row.id)).all()
                shown = [session.get_one(Evidence, word.pinned[row.key]).content["question"]["en"] for word in words]
                assert set(shown) <= {new[row.key]["question"]}
                approved = {word.person for word in words}
                needed = holders[new[row.key]["approvers"]]
                assert approved <= needed
                if row.state == "passed":
                    assert approved == needed if new[row.key]["quorum"] == "all" else approved
