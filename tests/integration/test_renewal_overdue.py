"""A renewal that nobody answers in time escalates, and may keep further stages closed; it never expires."""

from __future__ import annotations

from datetime import timedelta

from models.database import Database
from models.requests import RequestState
from operations.check_stalled import check_stalled
from tests.company import ANNA, BEN, CARLA, DORA, EMIL, KEYS, MONDAY, REQUESTER, Company
from tests.integration.test_two_at_once import race
from tests.renewing import (
    BLOCKING,
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


class TestOverdue:
    def test_exactly_at_the_deadline_and_once(self, db: Database) -> None:
        company = asked_again(db, stage("a", RENEWED), stage("b", FINANCE))
        company.now = DEADLINE - timedelta(microseconds=1)
        assert company.checks().overdue == 0
        company.now = DEADLINE
        assert company.checks_on_schedule().overdue == 1
        company.later(days=30)
        assert company.checks().overdue == 0
        assert company.actions().count("gate.overdue") == 1
        assert company.gate("a")["state"] == "open"

    def test_by_two_checks_at_once_once(self, db: Database) -> None:
        company = asked_again(db, stage("a", RENEWED), stage("b", FINANCE))
        company.now = DEADLINE
        company.checks()
        race([lambda: check_stalled(db, KEYS, company.now)] * 4)
        assert company.actions().count("gate.overdue") == 1
        assert company.headlines(REQUESTER).count("The renewal of “Gate a” is overdue") == 1

    def test_without_an_escalation_those_who_look_after_it_are_told_who_is_silent(self, db: Database) -> None:
        company = Company(db)
        company.start(plan(stage("a", RENEWED, more="    owner: chair\n"), stage("b", FINANCE)), owner=DORA)
        company.decides(ANNA)
        company.now = IN_90_DAYS
        company.checks()
        company.now = DEADLINE
        company.checks_on_schedule()
        for person in (DORA, EMIL, REQUESTER):
            assert company.headlines(person)[-1] == "The renewal of “Gate a” is overdue"
        told = company.messages("information", EMIL)[-1]
        assert told.facts["sentences"][0]["facts"]["people"] == "Anna Keller, Ben Frei, Carla Rossi"
        assert "holds on" in told.facts["sentences"][1]["text"]

    def test_the_plans_next_escalation_is_taken_at_once(self, db: Database) -> None:
        steps = "escalate: [{after: 30 business days, to: chair}]"
        company = overdue(db, stage("a", f"{RENEWED}, {steps}"), stage("b", FINANCE))
        assert company.gate("a")["waiting_for"] == [ANNA, BEN, CARLA, EMIL]
        assert company.headlines(REQUESTER)[-1] == "“Gate a” was escalated"
        company.now = MONDAY + timedelta(days=300)
        assert company.checks().escalated == 0
        settle(company, "a", EMIL)
        assert company.gate("a")["state"] == "passed"

    def test_reminders_and_escalations_are_counted_from_when_it_was_asked_again(self, db: Database) -> None:
        steps = "remind: every 2 business days, escalate: [{after: 4 days, to: chair}, {after: 30 days, to: finance}]"
        company = asked_again(db, stage("a", f"{RENEWED}, {steps}"), stage("b", FINANCE))
        assert company.messages("reminder") == []
        company.later(days=2)  # from a Sunday to a Tuesday
        company.checks()
        assert len(company.messages("reminder", ANNA)) == 1
        company.later(days=2)
        company.checks()
        assert company.requests(EMIL, RequestState.OPEN) != []
        company.now = DEADLINE
        company.checks_on_schedule()
        asked = [row for row in company.requests(DORA) if row.escalation_level == 2]
        assert len(asked) == 1  # the second step, before its time

    def test_an_answer_at_the_deadline_and_one_long_after_it_count(self, db: Database) -> None:
        company = asked_again(db, stage("a", RENEWED), stage("b", FINANCE))
        company.now = DEADLINE
        company.decides(ANNA)
        assert company.checks().overdue == 0
        company.later(days=90)
        company.checks()
        company.later(days=60)
        company.checks_on_schedule()
        assert company.gate("a")["overdue_at"] is not None
        company.decides(BEN)
        assert company.gate("a")["state"] == "passed"

    def test_it_never_expires(self, db: Database) -> None:
        expiring = f"{RENEWED}, expires: {{after: 20 business days, outcome: reject}}"
        company = asked_again(db, stage("a", expiring), stage("b", FINANCE))
        company.later(days=80)
        company.checks_on_schedule()
        assert (company.gate("a")["state"], company.state) == ("open", "open")

    def test_when_nobody_can_be_asked_the_owner_hears_that_and_it_is_asked_as_soon_as_there_is_somebody(
        self, db: Database
    ) -> None:
        company = begun(db, stage("a", f"{BLOCKING}, escalate: [{{after: 1 day, to: chair}}]"), stage("b", FINANCE),
                        stage("c", FINANCE))  # fmt: skip
        nobody = company.directory.replace("board: [anna@example.com, ben@example.com, carla@example.com]", "board: []")
        company.import_people(nobody)
        company.now = IN_90_DAYS
        company.checks()
        assert company.headlines(REQUESTER)[-1] == "Nobody can be asked at “Gate a”"
        company.now = DEADLINE
        company.checks_on_schedule()
        told = company.messages("information", REQUESTER)[-1]
        assert told.facts["sentences"][0]["text"] == "Nobody can be asked: {problem}"
        company.decides(DORA)
        assert company.stage_states() == {"ax": "passed", "bx": "passed", "cx": "waiting"}
        company.import_people(company.directory)
        company.checks()
        settle(company, "a", ANNA)
        assert company.stage_states()["cx"] == "open"


class TestKeepingStagesClosed:
    def test_once_overdue_no_further_stage_opens_and_those_that_are_open_go_on(self, db: Database) -> None:
        company = overdue(db, stage("a", BLOCKING), stage("b", FINANCE), stage("c", FINANCE))
        assert company.stage_states() == {"ax": "passed", "bx": "open", "cx": "waiting"}
        company.decides(DORA)
        assert (company.state, company.stage_states()) == ("open", {"ax": "passed", "bx": "passed", "cx": "waiting"})
        assert company.rollout()["no_stage_opens_before"] == ["a"]

    def test_the_owner_is_told_why_nothing_opens(self, db: Database) -> None:
        company = overdue(db, stage("a", f"{BLOCKING}, escalate: [{{after: 30 days, to: chair}}]"), stage("b", FINANCE))
        told = company.messages("information", REQUESTER)
        [sentences] = [row.facts["sentences"] for row in told if "is overdue" in row.facts["headline"]["text"]]
        assert sentences[1]["text"] == "Until it is answered no further stage opens. Those that are open go on."
        assert company.headlines(REQUESTER)[-1] == "“Gate a” was escalated"

    def test_a_yes_opens_whatever_waited_in_the_same_moment(self, db: Database) -> None:
        company = overdue(db, stage("a", BLOCKING), stage("b", FINANCE), stage("c", FINANCE))
        company.decides(DORA)
        company.decides(CARLA)
        assert company.stage_states() == {"ax": "passed", "bx": "passed", "cx": "open"}
        assert company.rollout()["no_stage_opens_before"] == []

    def test_a_waiver_does_too(self, db: Database) -> None:
        company = overdue(db, stage("a", f"{BLOCKING}, waiver: [chair]"), stage("b", FINANCE), stage("c", FINANCE))
        company.decides(DORA)
        company.waives(EMIL, "a")
        assert company.stage_states()["cx"] == "open"
        assert company.gate("a")["renew_at"] == (company.now + timedelta(days=90)).isoformat()

    def test_also_stages_beside_it(self, db: Database) -> None:
        company = overdue(db, stage("a", BLOCKING), stage("b", FINANCE, needs="[]"), stage("c", FINANCE, needs="[bx]"))
        company.decides(DORA)
        assert company.stage_states()["cx"] == "waiting"
        company.decides(BEN)
        assert company.stage_states()["cx"] == "open"

    def test_before_the_deadline_and_where_the_plan_does_not_say_so_stages_open(self, db: Database) -> None:
        before = asked_again(db, stage("a", BLOCKING), stage("b", FINANCE), stage("c", FINANCE))
        before.decides(DORA)
        assert before.stage_states()["cx"] == "open"
        silent = overdue(db, stage("a", RENEWED), stage("b", FINANCE), stage("c", FINANCE))
        silent.decides(DORA)
        assert silent.stage_states()["cx"] == "open"

    def test_what_is_closed_does_not_keep_the_rollout_from_ending(self, db: Database) -> None:
        company = overdue(db, stage("a", BLOCKING), stage("b", FINANCE))
        company.decides(DORA)
        assert company.state == "completed"
