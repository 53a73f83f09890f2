"""What a waiver means for gates that wait or hold, measurements, conditions, and whoever decides at the same time."""

from __future__ import annotations

import pytest

from domain.errors import GateSettled, InvalidInput, NotAllowed, RolloutEnded
from models.database import Database
from tests.company import REQUESTER, Company
from tests.integration.test_two_at_once import deciding, race
from tests.integration.test_waiver import ANNA, BEN, CARLA, DORA, EMIL
from tests.sample_plans import SIGN_OFF, one_gate
from tests.waivers import MEASURED, WAIVED, WHY, stages, two_gates, waiving


class TestAGateThatWaits:
    def test_because_nobody_could_be_asked(self, db: Database) -> None:
        company = Company(db)
        company.start(stages(SIGN_OFF, f"{SIGN_OFF.replace('board', 'finance')}, waiver: [chair]"))
        company.import_people(company.directory.replace("finance: [dora@example.com]", "finance: []"))
        for person in (ANNA, BEN, CARLA):
            company.decides(person)
        assert company.gate("gate-b")["problem"] is not None
        company.waives(EMIL, "gate-b")
        gate = company.gate("gate-b")
        assert (gate["state"], gate["problem"], company.state) == ("waived", None, "completed")

    def test_for_others_and_those_it_would_have_asked_are_told(self, db: Database) -> None:
        company = Company(db)
        company.start(two_gates(SIGN_OFF.replace("board", "finance"), f"{WAIVED}, ask_after: [first]"))
        company.waives(EMIL, "second")
        assert company.entries("gate.waived")[0].facts["skipped"] == [ANNA, BEN, CARLA]
        assert company.headlines(ANNA) == ["“Second” was waived"]
        assert company.requests(ANNA) == []
        assert company.stage_states() == {"only": "open"}
        company.decides(DORA)
        assert company.state == "completed"
        assert company.requests(ANNA) == []


class TestAGateThatHoldsItsStage:
    def test_is_waived_in_a_new_round_and_the_stage_goes_on(self, db: Database) -> None:
        company = Company(db)
        company.start(stages(WAIVED, SIGN_OFF))
        company.decides(ANNA)
        company.decides(BEN, "reject")
        assert company.state == "held"
        company.waives(EMIL, "gate-a")
        gate = company.gate("gate-a")
        assert (gate["state"], gate["round"]) == ("waived", 2)
        assert (company.state, company.stage_states()) == ("open", {"a": "passed", "b": "open"})
        assert company.entries("gate.waived")[0].facts["skipped"] == [BEN, CARLA]
        assert company.entries("rollout.resumed")[0].comment == WHY

    def test_also_when_its_time_was_up(self, db: Database) -> None:
        company = Company(db)
        company.start(one_gate(f"{WAIVED}, expires: {{after: 2 days}}"))
        company.later(days=2)
        company.checks_on_schedule()
        assert company.gate()["state"] == "expired"
        company.waives(EMIL)
        assert (company.gate()["state"], company.state) == ("waived", "completed")
        assert company.entries("gate.waived")[0].facts["skipped"] == [ANNA, BEN, CARLA]

    def test_another_gate_that_holds_the_stage_keeps_holding_it(self, db: Database) -> None:
        company = Company(db)
        company.start(two_gates(f"{SIGN_OFF}, waiver: [chair]", SIGN_OFF.replace("board", "finance")))
        company.decides(DORA, "reject")
        [first] = [row for row in company.requests(ANNA) if company.page(row).question.gate_key == "first"]
        company.decides(ANNA, "reject", request=first)
        company.waives(EMIL, "first")
        assert (company.gate("first")["state"], company.state) == ("waived", "held")
        company.resumes()
        assert (company.gate("first")["state"], company.gate("second")["state"]) == ("waived", "open")
        company.decides(DORA)
        assert company.state == "completed"

    def test_an_open_gate_of_a_held_stage_can_be_waived_and_does_not_release_it(self, db: Database) -> None:
        company = Company(db)
        company.start(two_gates(f"{SIGN_OFF}, waiver: [chair]", SIGN_OFF.replace("board", "finance")))
        company.decides(DORA, "reject")
        company.waives(EMIL, "first")
        assert (company.gate("first")["state"], company.gate("first")["round"], company.state) == ("waived", 1, "held")

    def test_requester_and_owner_are_told_who_may_waive_and_how(self, db: Database) -> None:
        company = Company(db)
        company.start(one_gate(WAIVED))
        company.decides(ANNA, "reject")
        held = company.messages("information", REQUESTER)[-1]
        assert held.facts["headline"]["text"] == "On hold: “{stage}”"
        assert held.facts["what_to_do"][-1]["facts"]["people"] == EMIL
        assert company.headlines(EMIL) == []


class TestTheOverrideOfAMeasurement:
    def failing(self, db: Database) -> Company:
        company = Company(db)
        company.start(stages(MEASURED, SIGN_OFF))
        company.measures("visits", "12")
        return company

    def test_a_value_that_fails_holds_and_tells_who_measures_and_who_may_override_with_the_command(
        self, db: Database
    ) -> None:
        company = self.failing(db)
        assert (company.gate("gate-a")["state"], company.state) == ("rejected", "held")
        for person in (REQUESTER, DORA, EMIL):
            assert company.headlines(person)[-1] == "On hold: “Stage a”"
        [told] = company.messages("information", EMIL)
        command = told.facts["what_to_do"][-1]
        assert "etappe gate waive {rollout} {gate} --by EMAIL" in command["text"]
        assert (command["facts"]["rollout"], command["facts"]["gate"]) == (company.rollout_id, "gate-a")

    def test_it_lets_the_rollout_go_on_and_stays_whatever_is_measured_later(self, db: Database) -> None:
        company = self.failing(db)
        company.waives(EMIL, "gate-a")
        assert (company.gate("gate-a")["state"], company.stage_states()["b"]) == ("waived", "open")
        before = company.gate("gate-a")
        for value in ("7", "500", "3"):
            company.measures("visits", value)
        assert company.gate("gate-a") == before
        assert company.state == "open"

    def test_before_any_value_has_come(self, db: Database) -> None:
        company = Company(db)
        company.start(one_gate(MEASURED))
        company.waives(EMIL)
        assert company.entries("gate.waived")[0].facts["skipped"] == [DORA]
        assert company.state == "completed"

    def test_a_value_that_comes_before_the_override_settles_the_gate_first(self, db: Database) -> None:
        company = self.failing(db)
        company.measures("visits", "100")
        with pytest.raises(InvalidInput, match="has passed"):
            company.waives(EMIL, "gate-a")

    def test_going_back_asks_for_a_value_again(self, db: Database) -> None:
        company = Company(db)
        company.start(stages(MEASURED, f"{SIGN_OFF}, on_reject: {{recycle: a}}"))
        company.waives(EMIL, "gate-a")
        company.decides(ANNA, "reject")
        assert (company.gate("gate-a")["state"], company.gate("gate-a")["round"]) == ("open", 2)
        company.measures("visits", "12")
        assert company.state == "held"


class TestACondition:
    def test_is_waived_by_those_whom_the_gate_it_was_attached_to_names_and_its_maker_is_told(
        self, db: Database
    ) -> None:
        company = Company(db)
        company.start(stages(f"{WAIVED}, quorum: any", SIGN_OFF.replace("board", "finance")))
        company.decides(ANNA, "approve-with-conditions")  # Ben is to see to it
        company.waives(EMIL, "condition-1")
        assert company.entries("gate.waived")[0].facts["skipped"] == [BEN, ANNA]
        assert company.headlines(ANNA)[-1].endswith("was waived")
        assert company.headlines(BEN)[-1].endswith("was waived")
        company.decides(DORA)
        assert company.state == "completed"

    def test_nobody_lets_themselves_off(self, db: Database) -> None:
        company = Company(db)
        company.start(stages(f"{WAIVED}, quorum: any", SIGN_OFF.replace("board", "finance")), people={"chair": [BEN]})
        company.decides(ANNA, "approve-with-conditions")
        with pytest.raises(NotAllowed, match="keeps them from deciding"):
            company.waives(BEN, "condition-1")


class TestTwice:
    def test_the_same_waiver_again_changes_nothing(self, db: Database) -> None:
        company = Company(db)
        company.start(one_gate(WAIVED))
        company.waives(EMIL)
        actions, messages = company.actions(), len(company.messages())
        company.waives(EMIL)
        assert (company.actions(), len(company.messages())) == (actions, messages)

    def test_another_one_is_refused(self, db: Database) -> None:
        company = Company(db)
        company.start(stages(f"{SIGN_OFF}, waiver: [chair, finance]", SIGN_OFF))
        company.waives(EMIL, "gate-a")
        for person, reason in ((EMIL, "another reason"), (DORA, WHY)):
            with pytest.raises(InvalidInput, match="waived already"):
                company.waives(person, "gate-a", reason)

    def test_many_at_once_waive_once(self, db: Database) -> None:
        company = Company(db)
        company.start(one_gate(WAIVED))
        race([waiving(company, EMIL)] * 6)
        assert company.actions().count("gate.waived") == company.actions().count("rollout.completed") == 1
        assert len(company.messages("information", ANNA)) == 1


class TestAtOnceWithADecision:
    def test_that_settles_the_gate_one_of_the_two_wins(self, db: Database) -> None:
        company = Company(db)
        company.start(one_gate(f"{WAIVED}, quorum: any"))
        decided, waived = race([deciding(company, ANNA), waiving(company, EMIL)])
        if company.gate()["state"] == "waived":
            assert isinstance(decided, GateSettled)
        else:
            assert isinstance(waived, RolloutEnded)
        assert company.actions().count("gate.waived") + company.actions().count("gate.passed") == 1
        assert company.state == "completed"

    def test_that_does_not_a_yes_that_came_first_is_not_passed_over(self, db: Database) -> None:
        company = Company(db)
        company.start(one_gate(WAIVED))
        decided, waived = race([deciding(company, ANNA), waiving(company, EMIL)])
        assert waived is None
        [entry] = company.entries("gate.waived")
        assert (ANNA in entry.facts["skipped"]) is isinstance(decided, GateSettled)
