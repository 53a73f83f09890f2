"""Break glass: somebody whom the plan names lets a gate pass without its quorum; marked everywhere, everybody told."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from domain.errors import GateSettled, InvalidInput, NotAllowed, NotFound, RoleNotHeld, RolloutEnded, UnknownRollout
from models.database import Database
from models.requests import RequestState, VoidReason
from operations.waive_gate import waive_gate
from operations.workspace import Actor
from tests.company import KEYS, REQUESTER, ROLES, SIGN_OFF, Company, one_gate
from tests.integration.test_two_at_once import deciding, race

ANNA, BEN, CARLA = "anna@example.com", "ben@example.com", "carla@example.com"
DORA, EMIL = "dora@example.com", "emil@example.com"
WAIVED = f"{SIGN_OFF}, waiver: [chair]"
MEASURED = "kind: measurement, metric: visits, at_least: 100, measured_by: finance, waiver: [chair]"
WHY = "the fair is on Friday"


def stages(*gates: str) -> str:
    """A plan with one stage for each of these gates, called a, b, c, and their gates gate-a and so on."""
    blocks = "".join(
        f"  - {{id: {name}, title: Stage {name}, gates: [{{id: gate-{name}, title: Gate {name}, {gate}}}]}}\n"
        for name, gate in zip("abc", gates, strict=False)
    )
    return f"plan: several\ntitle: Several\n{ROLES}\nstages:\n{blocks}"


def two_gates(first: str, second: str) -> str:
    """A plan with one stage and these two gates, called first and second."""
    return one_gate(first).replace("id: gate,", "id: first,") + f"      - {{id: second, title: Second, {second}}}\n"


def waiving(company: Company, person: str, reason: str = WHY, key: str = "gate") -> Callable[[], object]:
    actor = Actor(person, "command")
    return lambda: waive_gate(company.db, KEYS, company.rollout_id, key, reason, actor, company.now)


class TestAnOpenGate:
    def test_passes_without_its_quorum_and_the_rollout_goes_on(self, db: Database) -> None:
        company = Company(db)
        company.start(stages(WAIVED, SIGN_OFF))
        company.waives(EMIL, "gate-a")
        assert company.stage_states() == {"a": "passed", "b": "open"}
        gate = company.gate("gate-a")
        assert (gate["state"], gate["outcome"], gate["round"]) == ("waived", "go", 1)
        assert (gate["waived_by"], gate["because"]) == (EMIL, f"waived by Emil Vogt: “{WHY}”")

    def test_the_record_names_the_person_the_reason_and_everybody_passed_over(self, db: Database) -> None:
        company = Company(db)
        company.start(one_gate(WAIVED))
        company.decides(ANNA)
        company.decides(BEN, "request-changes")
        company.waives(EMIL)
        [entry] = company.entries("gate.waived")
        assert (entry.actor, entry.channel, entry.comment) == (EMIL, "command", WHY)
        assert entry.facts["skipped"] == [BEN, CARLA]
        assert entry.facts["outcome"] == "go"

    def test_everybody_passed_over_and_requester_and_owner_are_told_with_the_reason(self, db: Database) -> None:
        company = Company(db)
        company.start(one_gate(WAIVED), owner=DORA)
        company.decides(ANNA)
        company.waives(EMIL)
        told = [message for message in company.messages("information") if message.facts["quote"] == WHY]
        assert [message.recipient for message in told] == [BEN, CARLA, REQUESTER, DORA, EMIL]
        assert {message.facts["quoted"] for message in told} == {EMIL}
        assert company.headlines(BEN) == ["“The gate” was waived"]
        assert told[0].facts["sentences"][1]["facts"]["people"] == "Ben Frei, Carla Rossi"
        assert [message.recipient for message in company.messages("outcome")] == [REQUESTER, DORA]

    def test_links_that_were_mailed_say_so_and_decide_nothing(self, db: Database) -> None:
        company = Company(db)
        company.start(one_gate(WAIVED))
        request = company.asked(ANNA)
        company.waives(EMIL)
        page = company.page(request)
        assert (page.state, page.void_reason) == (RequestState.VOID, VoidReason.WAIVED)
        assert page.settlement is not None
        assert str(page.settlement.because) == f"waived by Emil Vogt: “{WHY}”"
        with pytest.raises(GateSettled):
            company.decides(ANNA, request=request)

    def test_in_turn_those_whose_turn_had_not_come_are_told_as_well(self, db: Database) -> None:
        company = Company(db)
        company.start(one_gate(f"{WAIVED}, order: in turn"))
        company.decides(ANNA)
        company.waives(EMIL)
        assert company.entries("gate.waived")[0].facts["skipped"] == [BEN, CARLA]
        assert company.requests(CARLA) == []
        assert company.headlines(CARLA) == ["“The gate” was waived"]

    def test_somebody_who_was_replaced_is_not_passed_over(self, db: Database) -> None:
        company = Company(db)
        company.start(one_gate(f"{WAIVED}, escalate: [{{after: 2 days, to: finance, replace: true}}]"))
        company.later(days=2)
        company.checks()
        company.waives(EMIL)
        assert company.entries("gate.waived")[0].facts["skipped"] == [DORA]

    def test_whoever_waives_is_not_passed_over_by_themselves(self, db: Database) -> None:
        company = Company(db)
        company.start(one_gate(f"{SIGN_OFF}, waiver: [board]"))
        company.waives(ANNA)
        assert company.entries("gate.waived")[0].facts["skipped"] == [BEN, CARLA]
        assert company.requests(ANNA, RequestState.OPEN) == []

    def test_a_list_nobody_has_filled_in_yet_passes_over_whoever_fills_it_in_and_who_would_approve(
        self, db: Database
    ) -> None:
        company = Company(db)
        items = "items: [{id: what, title: What, kind: text}]"
        checklist = f'kind: checklist, question: "What?", filled_by: finance, approvers: [board], {items}'
        company.start(one_gate(f"{checklist}, waiver: [chair]"))
        company.waives(EMIL)
        assert company.entries("gate.waived")[0].facts["skipped"] == [DORA, ANNA, BEN, CARLA]

    def test_of_an_announcement_those_who_have_not_confirmed_are_passed_over(self, db: Database) -> None:
        company = Company(db)
        text = 'kind: acknowledgement, text: "Read", audience: [staff], share: "100 %", waiver: [anna@example.com]'
        company.start(one_gate(text))
        company.decides(BEN)
        company.waives(ANNA)
        assert company.entries("gate.waived")[0].facts["skipped"] == [CARLA, DORA, EMIL]
        assert company.state == "completed"


class TestWhoMayNot:
    def test_the_requester_may_not_waive_their_own_gate_whatever_role_they_hold(self, db: Database) -> None:
        company = Company(db)
        company.start(one_gate(WAIVED), requester=EMIL)
        with pytest.raises(NotAllowed, match="keeps them from deciding"):
            company.waives(EMIL)
        assert company.gate()["state"] == "open"

    def test_the_requester_may_where_the_plan_excludes_nobody(self, db: Database) -> None:
        company = Company(db)
        company.start(one_gate(f"{WAIVED}, exclude: []"), requester=EMIL)
        company.waives(EMIL)
        assert company.gate()["state"] == "waived"

    def test_nor_a_measurement_unless_the_plan_names_the_requester_as_such(self, db: Database) -> None:
        company = Company(db)
        company.start(one_gate(MEASURED), requester=EMIL)
        with pytest.raises(NotAllowed, match="keeps them from deciding"):
            company.waives(EMIL)
        company.start(one_gate(MEASURED.replace("[chair]", "[requester]")), requester=EMIL)
        company.waives(EMIL)
        assert company.gate()["state"] == "waived"

    def test_whoever_decided_at_a_gate_kept_apart_may_not(self, db: Database) -> None:
        company = Company(db)
        company.start(two_gates(f"{SIGN_OFF}, quorum: any", f"{WAIVED}, different_people_than: [first]"),
                      people={"chair": [ANNA]})  # fmt: skip
        first = next(row for row in company.requests(ANNA) if company.page(row).question.gate_key == "first")
        company.decides(ANNA, request=first)
        with pytest.raises(NotAllowed, match="has decided at a gate that other people must decide"):
            company.waives(ANNA, "second")

    def test_and_whoever_waived_one_may_not_decide_the_other(self, db: Database) -> None:
        company = Company(db)
        company.start(two_gates(WAIVED, f"{SIGN_OFF}, quorum: any, different_people_than: [first]"),
                      people={"chair": [ANNA]})  # fmt: skip
        [second] = [row for row in company.requests(ANNA) if company.page(row).question.gate_key == "second"]
        company.waives(ANNA, "first")
        page = company.page(second)
        assert (page.state, page.void_reason) == (RequestState.VOID, VoidReason.SEPARATED)
        with pytest.raises(GateSettled):
            company.decides(ANNA, request=second)

    @pytest.mark.parametrize(
        ("person", "sentence"),
        [
            (ANNA, f"{ANNA} may not waive this gate; the plan names {EMIL}."),
            ("stranger@example.com", "may not waive this gate"),
            ("operator", "say who with --by"),
        ],
    )
    def test_anybody_else_hears_why(self, db: Database, person: str, sentence: str) -> None:
        company = Company(db)
        company.start(one_gate(WAIVED))
        with pytest.raises(NotAllowed) as refusal:
            company.waives(person)
        assert sentence in refusal.value.sentence
        assert company.entries("gate.waived") == []

    def test_a_plan_that_names_nobody_lets_nobody(self, db: Database) -> None:
        company = Company(db)
        company.start(one_gate(SIGN_OFF))
        with pytest.raises(NotAllowed, match="names nobody"):
            company.waives(EMIL)

    def test_a_role_that_nobody_holds_is_refused_at_the_start(self, db: Database) -> None:
        company = Company(db)
        company.import_people(company.directory.replace("chair: [emil@example.com]", "chair: []"))
        with pytest.raises(RoleNotHeld, match="may be waived by “chair”, which nobody holds"):
            company.start(one_gate(WAIVED))
        assert company.db_is_empty()


class TestWhatCannotBeWaived:
    def test_without_a_reason(self, db: Database) -> None:
        company = Company(db)
        company.start(one_gate(WAIVED))
        for nothing in ("", " \n ", "\u200b"):
            with pytest.raises(InvalidInput, match="needs a reason"):
                company.waives(EMIL, reason=nothing)
        with pytest.raises(InvalidInput, match="At most 2000 characters"):
            company.waives(EMIL, reason="x" * 2001)
        assert company.gate()["state"] == "open"

    def test_what_is_not_there(self, db: Database) -> None:
        company = Company(db)
        company.start(one_gate(WAIVED))
        with pytest.raises(NotFound, match="no gate “gat”; did you mean “gate”"):
            company.waives(EMIL, "gat")
        with pytest.raises(UnknownRollout):
            waive_gate(db, KEYS, "zzzzzzzz", "gate", WHY, Actor(EMIL, "command"), company.now)

    def test_a_gate_whose_stage_waits(self, db: Database) -> None:
        company = Company(db)
        company.start(stages(SIGN_OFF, WAIVED))
        with pytest.raises(InvalidInput, match="not open yet"):
            company.waives(EMIL, "gate-b")

    def test_a_gate_that_has_passed(self, db: Database) -> None:
        company = Company(db)
        company.start(stages(f"{WAIVED}, quorum: any", SIGN_OFF))
        company.decides(ANNA)
        with pytest.raises(InvalidInput, match="has passed"):
            company.waives(EMIL, "gate-a")

    def test_a_rollout_that_has_ended(self, db: Database) -> None:
        company = Company(db)
        company.start(one_gate(WAIVED))
        company.cancels()
        with pytest.raises(RolloutEnded, match="cancelled"):
            company.waives(EMIL)
        company.start(one_gate(f"{WAIVED}, on_reject: kill"))
        company.decides(ANNA, "reject")
        with pytest.raises(RolloutEnded, match="killed"):
            company.waives(EMIL)


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
