"""Conditions of an approval: each becomes a gate of a later stage, is asked for at once, and holds that stage."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from domain.conditions import TypedCondition
from domain.errors import InvalidInput
from models.conditions import Condition, conditions_of
from models.database import Database
from models.requests import Purpose, RequestState, VoidReason
from notifications.messages import OutcomeMail
from operations.compose_message import Composer, workspace_for
from operations.progress import progress
from operations.withdraw_conditions import withdraw_conditions_of
from operations.workspace import locked
from tests.company import KEYS, REQUESTER, ROLES, Company
from tests.integration.test_two_at_once import deciding, race

ANNA, BEN, CARLA = "anna@example.com", "ben@example.com", "carla@example.com"
DORA, EMIL, OUTSIDER = "dora@example.com", "emil@example.com", "max@elsewhere.example"
WITH_CONDITIONS = "approve-with-conditions"


def plan(quorum: str = "any", more: str = "", kind: str = "sign-off", b: str = "", c: str = "") -> str:
    """Three stages in a row: the board decides at `x`, finance at `y`, the chair at `z`; `b` and `c` are keys more."""
    return f"""
plan: three
title: Three
calendar: {{holidays: CH-ZH, time_zone: Europe/Zurich}}
{ROLES}
inputs: {{money: {{kind: number}}}}
stages:
  - id: a
    title: Stage A
    gates: [{{id: x, title: Gate X, kind: {kind}, question: "?", approvers: [board], quorum: {quorum}{more}}}]
  - id: b
    title: Stage B
    owner: emil@example.com
    gates: [{{id: y, title: Gate Y, kind: sign-off, question: "?", approvers: [finance]{b}}}]
  - id: c
    title: Stage C
    gates: [{{id: z, title: Gate Z, kind: sign-off, question: "?", approvers: [chair]{c}}}]
"""


def agreed(db: Database, *conditions: TypedCondition, source: str = "") -> Company:
    """A rollout whose first gate Anna let pass on conditions (one, for Ben, within a week, unless others are given)."""
    company = Company(db)
    company.start(source or plan())
    company.decides(ANNA, WITH_CONDITIONS, conditions=conditions)
    return company


def keys(company: Company, stage: str) -> list[str]:
    """The gates of a stage."""
    return next([gate["id"] for gate in one["gates"]] for one in company.rollout()["stages"] if one["id"] == stage)


def kept(company: Company) -> list[Condition]:
    """The conditions as they are stored."""
    with company.db.read() as session:
        return list(session.scalars(conditions_of(company.rollout_id)))


def refused(
    company: Company, *conditions: TypedCondition, person: str = ANNA, decision: str = WITH_CONDITIONS
) -> set[str]:
    """The fields that are wrong when somebody says this; nothing is recorded."""
    with pytest.raises(InvalidInput) as refusal:
        company.decides(person, decision, conditions=conditions)
    assert company.gate("x")["decisions"] == []
    return set(refusal.value.fields)


def test_a_condition_becomes_a_gate_of_the_next_stage_and_is_asked_for_at_once(db: Database) -> None:
    company = agreed(db)
    assert company.stage_states() == {"a": "passed", "b": "open", "c": "waiting"}
    assert keys(company, "b") == ["y", "condition-1"]
    gate = company.gate("condition-1")
    assert (gate["kind"], gate["state"], gate["waiting_for"]) == ("checklist", "open", [BEN])
    assert company.asked(BEN).purpose is Purpose.ANSWER
    assert gate["due_at"] == "2026-03-09T22:59:59+00:00"  # the end of the ninth of March in Zurich


def test_it_is_asked_for_while_its_stage_still_waits(db: Database) -> None:
    company = agreed(db, Company(db).condition(stage="c"))
    assert company.stage_states()["c"] == "waiting"
    assert company.gate("condition-1")["state"] == "open"
    assert len(company.messages("request", BEN)) == 2  # to decide at the first gate, and to see to the condition


def test_nothing_becomes_a_gate_before_the_gate_has_passed(db: Database) -> None:
    company = agreed(db, source=plan("all"))
    assert keys(company, "b") == ["y"]
    company.decides(CARLA)
    company.decides(BEN)
    assert keys(company, "b") == ["y", "condition-1"]


def test_a_gate_that_does_not_pass_makes_no_conditions(db: Database) -> None:
    company = agreed(db, source=plan("all"))
    company.decides(BEN, "reject")
    assert company.state == "held"
    company.resumes()
    for person in (ANNA, BEN, CARLA):
        company.decides(person)
    assert keys(company, "b") == ["y"]


def test_the_stage_passes_only_when_the_condition_is_fulfilled(db: Database) -> None:
    company = agreed(db)
    company.decides(DORA)
    assert company.stage_states()["b"] == "open"
    company.sees_to(BEN, "legal has checked them")
    assert company.gate("condition-1")["waiting_for"] == [ANNA]
    company.decides(ANNA)
    assert company.stage_states() == {"a": "passed", "b": "passed", "c": "open"}
    company.decides(EMIL)
    assert company.state == "completed"


def test_a_condition_fulfilled_before_its_stage_opens_does_not_stop_it(db: Database) -> None:
    company = agreed(db, Company(db).condition(stage="c"))
    company.sees_to(BEN)
    company.decides(ANNA)
    assert company.gate("condition-1")["state"] == "passed"
    company.decides(DORA)
    company.decides(EMIL)
    assert company.state == "completed"


def test_whoever_acts_and_whoever_made_it_read_whose_condition_it_is(db: Database) -> None:
    company = agreed(db, Company(db).condition("check the texts"))
    asked = company.page(company.asked(BEN)).question
    assert (asked.gate_title, asked.question) == (
        "Condition: check the texts",
        "Condition of the approval “Gate X”: check the texts",
    )
    assert str(asked.why) == "Anna Keller approved “Gate X” on the condition that you see to this."
    assert str(asked.on_yes) == "Whoever made the condition then says whether it is met."
    company.sees_to(BEN, "legal has checked them")
    back = company.page(company.asked(ANNA)).question
    assert back.gate_title == "Auflage: check the texts"
    assert [(line.title, line.value) for line in back.filled] == [("Was wurde getan?", "legal has checked them")]
    assert str(back.why) == "You made this a condition of your approval at “Gate X”: say whether it is met."


def test_the_receipt_and_the_pages_show_conditions_in_words(db: Database) -> None:
    company = agreed(db, TypedCondition("check the texts", " Ben@Example.com ", "2026-03-09"))
    words = "check the texts (ben@example.com, 2026-03-09)"
    assert company.gate("x")["decisions"][0]["conditions"] == words
    [recorded] = company.entries("decision.recorded")
    assert recorded.facts["conditions"] == words
    [made] = company.entries("condition.made")
    assert (made.gate, made.stage, made.facts["who"], made.facts["due_on"]) == ("condition-1", "b", BEN, "2026-03-09")


def test_anybody_may_be_responsible_also_the_requester_and_somebody_unknown(db: Database) -> None:
    make = Company(db).condition
    company = agreed(db, make("first", REQUESTER), make("second", OUTSIDER), make("third", ANNA))
    assert [company.gate(f"condition-{n}")["waiting_for"] for n in (1, 2, 3)] == [[REQUESTER], [OUTSIDER], [ANNA]]
    for person in (REQUESTER, OUTSIDER, ANNA):
        company.sees_to(person)
    for request in company.requests(ANNA, RequestState.OPEN):
        company.decides(ANNA, request=request)
    assert {company.gate(f"condition-{n}")["state"] for n in (1, 2, 3)} == {"passed"}


@pytest.mark.parametrize(("to", "asked"), [(CARLA, {ANNA, CARLA}), (REQUESTER, {ANNA})])
def test_the_makers_voice_can_be_lent_but_not_to_whoever_may_not_decide(db: Database, to: str, asked: set[str]) -> None:
    company = agreed(db)
    company.lends(ANNA, to=to)
    company.sees_to(BEN)
    assert set(company.gate("condition-1")["waiting_for"]) == asked
    company.decides(max(asked))
    assert company.gate("condition-1")["state"] == "passed"


def test_three_conditions_become_three_gates_in_the_stages_they_name(db: Database) -> None:
    make = Company(db).condition
    company = agreed(db, make("first"), TypedCondition(), make("second", stage="c"), make("third", stage="b"))
    assert keys(company, "b") == ["y", "condition-1", "condition-3"]
    assert keys(company, "c") == ["z", "condition-2"]


def test_two_approvers_with_conditions_each_say_whether_theirs_is_met(db: Database) -> None:
    company = agreed(db, Company(db).condition("Anna's", EMIL), source=plan("2"))
    company.decides(CARLA, WITH_CONDITIONS, conditions=[company.condition("Carla's", OUTSIDER)])
    assert keys(company, "b") == ["y", "condition-1", "condition-2"]
    company.sees_to(EMIL)
    company.sees_to(OUTSIDER)
    assert [company.gate(f"condition-{n}")["waiting_for"] for n in (1, 2)] == [[ANNA], [CARLA]]
    company.decides(ANNA)
    company.decides(CARLA, "reject")
    assert [company.gate(f"condition-{n}")["state"] for n in (1, 2)] == ["passed", "rejected"]
    assert company.stage_states()["b"] == "held"


def test_conditions_of_somebody_who_no_longer_counts_are_not_made(db: Database) -> None:
    """Anna's word stands in the record, but others decide instead of her by then."""
    company = agreed(db, source=plan("all", ", escalate: [{after: 2 days, to: chair, replace: true}]"))
    company.later(days=2)
    company.checks()
    company.decides(EMIL)
    assert company.stage_states()["a"] == "passed"
    assert keys(company, "b") == ["y"]


def test_the_plan_names_the_stage_for_conditions(db: Database) -> None:
    company = agreed(db, source=plan(more=", conditions_in: c"))
    assert keys(company, "c") == ["z", "condition-1"]


def test_a_reviewers_go_with_conditions_works_alike(db: Database) -> None:
    company = agreed(db, source=plan(kind="review"))
    assert company.gate("condition-1")["waiting_for"] == [BEN]


def test_a_checklists_approver_may_set_conditions_too(db: Database) -> None:
    company = Company(db)
    company.start(plan(kind="checklist", more=", items: [{id: note, title: Note, kind: text}]"))
    company.fills_in(REQUESTER, {"note": "done"})
    company.decides(ANNA, WITH_CONDITIONS)
    assert company.gate("condition-1")["waiting_for"] == [BEN]


def test_a_yes_to_a_condition_may_carry_one_of_its_own(db: Database) -> None:
    company = agreed(db)
    company.sees_to(BEN)
    company.decides(ANNA, WITH_CONDITIONS, conditions=[company.condition("keep it so", CARLA)])
    assert keys(company, "c") == ["z", "condition-2"]
    assert company.page(company.asked(CARLA)).question.question == (
        "Condition of the approval “Condition: check the texts”: keep it so"
    )


class TestWhereNothingComesAfter:
    def test_a_yes_with_conditions_is_not_offered_and_refused_with_a_sentence(self, db: Database) -> None:
        company = agreed(db)
        company.sees_to(BEN)
        company.decides(ANNA)
        company.decides(DORA)
        question = company.page(company.asked(EMIL)).question
        assert WITH_CONDITIONS not in question.choices
        assert question.condition_stages == ()
        with pytest.raises(InvalidInput, match="Nothing comes after this stage, so a condition could not be held to"):
            company.decides(EMIL, WITH_CONDITIONS)
        assert company.gate("z")["decisions"] == []

    def test_stages_side_by_side_do_not_come_after_each_other(self, db: Database) -> None:
        company = Company(db)
        company.start(plan().replace("title: Stage B", "title: Stage B\n    needs: []"))
        assert [later.id for later in company.page(company.asked(ANNA)).question.condition_stages] == []
        assert [later.id for later in company.page(company.asked(DORA)).question.condition_stages] == ["c"]

    def test_where_nobody_is_bound_no_conditions_are_taken(self, db: Database) -> None:
        company = Company(db)
        company.start(plan(more=", binding: false"))
        assert WITH_CONDITIONS not in company.page(company.asked(ANNA)).question.choices
        with pytest.raises(InvalidInput, match="binds nobody"):
            company.decides(ANNA, WITH_CONDITIONS)


class TestWhatWasTyped:
    @pytest.mark.parametrize(
        ("typed", "fields"),
        [
            (TypedCondition("", BEN, "2026-03-09"), {"condition-1-what"}),
            (TypedCondition("a\nb", BEN, "2026-03-09"), {"condition-1-what"}),
            (TypedCondition("x", "", "2026-03-09"), {"condition-1-who"}),
            (TypedCondition("x", "Ben {Frei}", "2026-03-09"), {"condition-1-who"}),
            (TypedCondition("x", BEN, ""), {"condition-1-due"}),
            (TypedCondition("x", BEN, "9.3.2026"), {"condition-1-due"}),
            (TypedCondition("x", BEN, "2026-02-30"), {"condition-1-due"}),
            (TypedCondition("x", BEN, "2026-03-01"), {"condition-1-due"}),
            (TypedCondition("x", BEN, "2026-03-09", "a"), {"condition-1-stage"}),
            (TypedCondition("x", BEN, "2026-03-09", "nowhere"), {"condition-1-stage"}),
            (TypedCondition("", "x", "y", "z"), {f"condition-1-{part}" for part in ("what", "who", "due", "stage")}),
            (TypedCondition(), {"condition-1-what"}),
        ],
    )
    def test_is_refused_beside_its_field(self, db: Database, typed: TypedCondition, fields: set[str]) -> None:
        company = Company(db)
        company.start(plan())
        assert refused(company, typed) == fields
        assert kept(company) == []

    def test_is_refused_by_its_own_number(self, db: Database) -> None:
        company = Company(db)
        company.start(plan())
        assert refused(company, company.condition(), TypedCondition(), TypedCondition("x", BEN, "")) == {
            "condition-3-due"
        }

    def test_is_refused_with_a_plain_yes(self, db: Database) -> None:
        company = Company(db)
        company.start(plan())
        assert refused(company, TypedCondition(), company.condition(), decision="approve") == {"condition-2-what"}

    def test_may_be_due_today_until_the_end_of_the_day_in_the_plans_zone(self, db: Database) -> None:
        company = Company(db, now=datetime(2026, 3, 2, 23, 30, tzinfo=UTC))  # the third of March in Zurich
        company.start(plan())
        assert refused(company, TypedCondition("x", BEN, "2026-03-02")) == {"condition-1-due"}
        company.decides(ANNA, WITH_CONDITIONS, conditions=[TypedCondition("x", BEN, "2026-03-03")])
        assert company.gate("condition-1")["due_at"] == "2026-03-03T22:59:59+00:00"


class TestOverdue:
    def test_it_holds_its_stage_and_those_concerned_hear_it_by_name(self, db: Database) -> None:
        company = agreed(db)
        company.now = datetime(2026, 3, 9, 22, 59, 58, tzinfo=UTC)
        assert company.checks_on_schedule().expired == 0
        company.later(seconds=1)
        assert company.checks_on_schedule().expired == 1
        assert (company.state, company.stage_states()["b"]) == ("held", "held")
        assert company.gate("condition-1")["outcome"] == "hold"
        for person in (REQUESTER, EMIL, ANNA):
            assert "Overdue: a condition that Ben Frei was to see to" in company.headlines(person)
        [outcome] = company.messages("outcome", BEN)
        assert outcome.facts["gate_id"]

    def test_before_its_stage_opens_it_holds_it_as_soon_as_it_does_and_nobody_is_asked_in_vain(
        self, db: Database
    ) -> None:
        company = agreed(db, Company(db).condition(stage="c"))
        company.later(days=8)
        company.checks_on_schedule()
        assert company.gate("condition-1")["state"] == "expired"
        assert (company.state, company.stage_states()["c"]) == ("open", "waiting")
        company.decides(DORA)
        assert (company.state, company.stage_states()["c"]) == ("held", "held")
        assert company.requests(EMIL) == []

    def test_resumed_it_has_as_long_again_from_then(self, db: Database) -> None:
        company = agreed(db)
        company.later(days=20)
        company.checks_on_schedule()
        company.resumes()
        assert company.stage_states()["b"] == "open"
        gate = company.gate("condition-1")
        assert (gate["round"], gate["state"], gate["waiting_for"]) == (2, "open", [BEN])
        assert gate["due_at"] == "2026-03-29T21:59:59+00:00"  # seven days on, in summer time by then
        company.sees_to(BEN)
        company.decides(ANNA)
        company.decides(DORA)
        company.decides(EMIL)
        assert company.state == "completed"

    def test_it_can_be_resumed_before_its_stage_opens(self, db: Database) -> None:
        company = agreed(db, Company(db).condition(stage="c"))
        company.later(days=8)
        company.checks_on_schedule()
        company.resumes("he was ill")
        assert (company.state, company.stage_states()["c"]) == ("open", "waiting")
        assert [entry.comment for entry in company.entries("condition.resumed")] == ["he was ill"]
        assert company.gate("condition-1")["state"] == "open"
        company.decides(DORA)
        assert company.stage_states()["c"] == "open"

    def test_it_expires_once_however_often_it_is_looked_at(self, db: Database) -> None:
        company = agreed(db, Company(db).condition(stage="c"))
        company.later(days=8)
        company.checks_on_schedule()
        told = len(company.messages())
        for _ in range(3):
            company.later(minutes=15)
            company.checks()
            company.advance()
        assert len(company.messages()) == told

    def test_one_that_comes_to_be_after_its_day_has_its_days_from_then(self, db: Database) -> None:
        company = agreed(db, source=plan("2"))
        company.later(days=10)
        company.decides(CARLA)
        assert company.gate("condition-1")["due_at"] == "2026-03-19T22:59:59+00:00"

    def test_it_is_reminded_of_every_two_business_days(self, db: Database) -> None:
        company = agreed(db)
        for _ in range(4):
            company.later(days=1)
            company.checks()
        assert len(company.messages("reminder", BEN)) == 2


class TestRefusedByItsAuthor:
    def test_it_holds_its_stage_and_resumed_what_was_done_is_there_to_be_bettered(self, db: Database) -> None:
        company = agreed(db)
        company.sees_to(BEN, "half of it")
        company.later(days=1)
        company.decides(ANNA, "reject", comment="only half")
        assert company.stage_states()["b"] == "held"
        assert [message.topic for message in company.messages("outcome", BEN)] == ["outcome"]
        company.resumes()
        [line] = company.page(company.asked(BEN)).question.to_fill
        assert line.value == "half of it"
        assert company.gate("condition-1")["due_at"] == "2026-03-10T22:59:59+00:00"

    def test_before_its_stage_opens_everybody_reads_what_that_leads_to(self, db: Database) -> None:
        company = agreed(db, Company(db).condition(stage="c"))
        company.sees_to(BEN)
        page = company.decides(ANNA, "reject")
        assert page.settlement is not None
        assert page.settlement.stage_waits
        [message] = company.messages("outcome", BEN)
        with company.db.read() as session:
            mail = Composer(KEYS, "http://x").compose(workspace_for(session, message, company.now), message)
        assert isinstance(mail, OutcomeMail)
        assert str(mail.follows).startswith("Its stage is put on hold as soon as it opens")

    def test_asked_for_changes_it_keeps_its_day(self, db: Database) -> None:
        company = agreed(db)
        company.sees_to(BEN, "half of it")
        company.later(days=1)
        company.decides(ANNA, "request-changes")
        gate = company.gate("condition-1")
        assert (gate["round"], gate["waiting_for"], gate["due_at"]) == (2, [BEN], "2026-03-09T22:59:59+00:00")
        company.sees_to(BEN, "all of it")
        company.decides(ANNA)
        assert company.gate("condition-1")["state"] == "passed"


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


def test_refusing_and_running_out_of_time_at_once_holds_the_stage_once(db: Database) -> None:
    company = agreed(db)
    company.sees_to(BEN)
    company.later(days=8, minutes=-15)
    company.checks()
    company.later(minutes=15)
    race([company.checks, deciding(company, ANNA, "reject"), company.checks])
    assert company.gate("condition-1")["state"] in ("rejected", "expired")
    assert (company.state, len(company.entries("stage.held"))) == ("held", 1)


def test_the_gate_passing_twice_at_once_makes_its_conditions_once(db: Database) -> None:
    company = agreed(db, source=plan("2"))
    race([deciding(company, BEN), deciding(company, CARLA), company.advance])
    assert len(company.entries("condition.made")) == 1
    assert company.gate("condition-1")["round"] == 1


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


def test_the_dates_are_kept_as_dates(db: Database) -> None:
    [condition] = kept(agreed(db))
    assert (condition.due_on, condition.days, condition.stage) == (date(2026, 3, 9), 7, "b")
