"""A rollout goes over to a newer version of its plan: what becomes of its gates and stages.

What stays valid is worked out in tests/unit/test_migration.py; here it is done, in one transaction, and shown.
"""

from __future__ import annotations

from sqlalchemy import select

from domain.reasons import Reason
from models.database import Database
from models.requests import RequestState, VoidReason
from models.rollouts import Rollout, StageRow
from notifications.rendering import render
from operations.chart import chart
from operations.compose_message import Composer
from operations.verify_record import verify_record
from operations.workspace import Workspace
from tests.company import ANNA, BEN, CARLA, DORA, EMIL, KEYS, REQUESTER, Company
from tests.migrating import ALL, gate, plan, rows_of, stage
from tests.sample_plans import SIGN_OFF, one_gate


def told(company: Company, person: str) -> list[str]:
    """What a person was told of the newer version, in English."""
    [message] = [
        row for row in company.messages("information", person) if "newer version" in row.facts["headline"]["text"]
    ]
    return [str(Reason.from_json(one)) for one in message.facts["sentences"]]


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
