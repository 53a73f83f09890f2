"""Break glass: somebody whom the plan names lets a gate pass without its quorum; marked everywhere, everybody told."""

from __future__ import annotations

import pytest

from domain.errors import GateSettled, InvalidInput, NotAllowed, NotFound, RoleNotHeld, RolloutEnded, UnknownRollout
from models.database import Database
from models.requests import RequestState, VoidReason
from operations.waive_gate import waive_gate
from operations.workspace import Actor
from tests.company import KEYS, REQUESTER, Company
from tests.sample_plans import SIGN_OFF, one_gate
from tests.waivers import MEASURED, WAIVED, WHY, stages, two_gates

ANNA, BEN, CARLA = "anna@example.com", "ben@example.com", "carla@example.com"
DORA, EMIL = "dora@example.com", "emil@example.com"


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
