"""What a gate that did not pass leads to: hold, kill, back to an earlier stage; and what goes on beside it."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from domain.errors import GateSettled, InvalidInput, RolloutEnded
from models.database import Database
from models.requests import RequestState, VoidReason
from models.rollouts import Rollout
from operations.attach_flow_run import forget_wake
from operations.conclude_rollout import conclude_rollout
from tests.company import REQUESTER, Company
from tests.sample_plans import ROLES, SIGN_OFF, one_gate

ANNA, BEN, CARLA = "anna@example.com", "ben@example.com", "carla@example.com"
DORA, EMIL = "dora@example.com", "emil@example.com"


def stage(key: str, gates: str, needs: str = "") -> str:
    return f"  - {{id: {key}, title: Stage {key}, {needs and f'needs: {needs}, '}gates: [{gates}]}}\n"


def gate(key: str, approvers: str = "[finance]", more: str = "", kind: str = "sign-off") -> str:
    return (
        f'{{id: {key}, title: Gate {key}, kind: {kind}, question: "?", approvers: {approvers}, quorum: any'
        f"{more and f', {more}'}}}"
    )


def plan(*stages: str) -> str:
    return f"plan: several\ntitle: Several\n{ROLES}stages:\n{''.join(stages)}"


def test_on_hold_the_stage_waits_and_requester_and_owner_are_told(db: Database) -> None:
    company = Company(db)
    company.start(plan(stage("a", gate("x")), stage("b", gate("y"))), owner=BEN)
    company.decides(DORA, "reject")
    assert (company.state, company.stage_states()) == ("held", {"a": "held", "b": "waiting"})
    for person in (REQUESTER, BEN):
        assert company.headlines(person)[-1] == "On hold: “Stage a”"
        assert len(company.messages("outcome", person)) == 1


def test_resuming_asks_exactly_the_gates_that_stopped_the_stage(db: Database) -> None:
    company = Company(db)
    company.start(plan(stage("a", ", ".join([gate("x"), gate("y", "[chair]"), gate("z", "[board]")]))))
    company.decides(DORA, "reject")
    company.decides(EMIL)
    assert company.state == "held"
    company.resumes()
    assert {key: company.gate(key)["round"] for key in "xyz"} == {"x": 2, "y": 1, "z": 1}
    assert {key: company.gate(key)["state"] for key in "xyz"} == {"x": "open", "y": "passed", "z": "open"}
    assert len(company.requests(ANNA)) == 1
    company.decides(DORA)
    company.decides(ANNA)
    assert company.state == "completed"


def test_earlier_decisions_do_not_count_in_a_new_round_and_stay_in_the_record(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(f"{SIGN_OFF}, quorum: all"))
    company.decides(ANNA)
    company.decides(BEN, "reject")
    company.resumes()
    assert company.gate()["decisions"] == []
    assert company.gate()["waiting_for"] == [ANNA, BEN, CARLA]
    company.decides(BEN)
    company.decides(CARLA)
    assert company.gate()["state"] == "open"
    company.decides(ANNA)
    assert company.state == "completed"
    words = [(entry.actor, entry.decision, entry.round) for entry in company.entries("decision.recorded")]
    assert words == [
        (ANNA, "approve", 1), (BEN, "reject", 1), (BEN, "approve", 2), (CARLA, "approve", 2), (ANNA, "approve", 2),
    ]  # fmt: skip


def test_while_one_stage_is_held_another_goes_on_and_the_end_waits_for_both(db: Database) -> None:
    company = Company(db)
    company.start(
        plan(stage("a", gate("x")), stage("b", gate("y", "[chair]"), "[]"), stage("c", gate("z", "[board]"), "[b]"))
    )
    company.decides(DORA, "reject")
    company.decides(EMIL)
    company.decides(ANNA)
    assert (company.state, company.stage_states()) == ("held", {"a": "held", "b": "passed", "c": "passed"})
    company.resumes()
    company.decides(DORA)
    assert company.state == "completed"


def test_two_held_stages_are_resumed_together(db: Database) -> None:
    company = Company(db)
    company.start(plan(stage("a", gate("x")), stage("b", gate("y", "[chair]"), "[]")))
    company.decides(DORA, "reject")
    company.decides(EMIL, "reject")
    company.resumes()
    assert (company.state, company.stage_states()) == ("open", {"a": "open", "b": "open"})
    assert company.actions().count("rollout.resumed") == 1


def test_only_a_rollout_on_hold_can_be_resumed_and_only_with_a_reason(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(SIGN_OFF))
    with pytest.raises(InvalidInput, match="not on hold"):
        company.resumes()
    company.decides(ANNA, "reject")
    with pytest.raises(InvalidInput, match="needs a reason"):
        company.resumes(" ")
    assert company.state == "held"


def test_kill_ends_everything_and_everybody_who_was_asked_is_told(db: Database) -> None:
    company = Company(db)
    company.start(
        plan(
            stage("a", f"{gate('x', more='on_reject: kill')}, {gate('beside', '[chair]')}"),
            stage("b", gate("y", "[board]"), "[]"),
            stage("c", gate("z")),
        )
    )
    asked = [company.asked(person) for person in (EMIL, ANNA)]
    company.decides(DORA, "reject")
    assert (company.state, company.stage_states()) == ("killed", {"a": "failed", "b": "skipped", "c": "skipped"})
    assert {company.gate(key)["state"] for key in ("beside", "y", "z")} == {"withdrawn"}
    for request in asked:
        page = company.page(request)
        assert (page.state, page.void_reason) == (RequestState.VOID, VoidReason.WITHDRAWN)
        assert company.headlines(request.person) == ["Stopped for good at “Gate x”"]
        with pytest.raises(GateSettled):
            company.decides(request.person, request=request)
    assert company.headlines(REQUESTER)[-1] == "Stopped for good at “Gate x”"


def test_going_back_asks_the_named_stage_and_everything_after_it_again(db: Database) -> None:
    company = Company(db)
    company.start(
        plan(
            stage("zero", gate("w", "[chair]")),
            stage("a", gate("x", "[board]")),
            stage("b", gate("y")),
            stage("c", gate("z", more="on_reject: {recycle: a}")),
        )
    )
    for person in (EMIL, ANNA, DORA):
        company.decides(person)
    company.decides(DORA, "reject")
    assert company.state == "open"
    assert company.stage_states() == {"zero": "passed", "a": "open", "b": "waiting", "c": "waiting"}
    assert [stage["round"] for stage in company.rollout()["stages"]] == [1, 2, 2, 2]
    for person in (BEN, DORA, DORA):
        company.decides(person)
    assert company.state == "completed"


def test_going_back_leaves_parallel_branches_alone(db: Database) -> None:
    company = Company(db)
    company.start(
        plan(
            stage("a", gate("x", "[board]")),
            stage("b", gate("y", more="on_reject: {recycle: a}")),
            stage("beside", gate("z", "[chair]"), "[]"),
        )
    )
    emil = company.asked(EMIL)
    company.decides(ANNA)
    company.decides(DORA, "reject")
    assert [stage["round"] for stage in company.rollout()["stages"]] == [2, 2, 1]
    company.decides(EMIL, request=emil)
    assert company.stage_states()["beside"] == "passed"


def test_going_back_kills_the_links_of_the_stages_it_takes_along(db: Database) -> None:
    company = Company(db)
    company.start(plan(stage("a", f"{gate('x', more='on_reject: {recycle: a}')}, {gate('y', '[chair]')}")))
    emil = company.asked(EMIL)
    company.decides(DORA, "reject")
    assert company.page(emil).void_reason is VoidReason.WITHDRAWN
    assert company.headlines(EMIL) == ["Back to “Stage a”"]
    assert company.asked(EMIL).id != emil.id


def test_going_back_takes_the_rollout_off_hold_when_the_held_stage_goes_along(db: Database) -> None:
    company = Company(db)
    company.start(plan(stage("a", f"{gate('x')}, {gate('y', '[chair]', 'on_reject: {recycle: a}')}")))
    company.decides(DORA, "reject")
    assert company.state == "held"
    company.decides(EMIL, "reject")
    assert (company.state, company.stage_states()) == ("open", {"a": "open"})


MEASURED = "{id: m, title: M, kind: measurement, metric: hits, at_least: 10, on_reject: {recycle: a}}"


def test_a_value_that_sent_the_rollout_back_does_not_count_again(db: Database) -> None:
    company = Company(db)
    company.start(plan(stage("a", MEASURED)))
    company.measures("hits", "3")
    assert (company.gate("m")["round"], company.gate("m")["state"]) == (2, "open")
    company.later(days=1)
    company.advance()
    assert company.gate("m")["round"] == 2
    company.measures("hits", "4")
    assert company.gate("m")["round"] == 3
    company.measures("hits", "10")
    assert company.state == "completed"


def test_a_value_brought_before_its_stage_first_opens_counts_once_and_not_after_going_back(db: Database) -> None:
    company = Company(db)
    company.start(plan(stage("first", gate("x")), stage("a", MEASURED)))
    company.measures("hits", "3")
    company.decides(DORA)
    assert (company.gate("m")["round"], company.gate("m")["state"]) == (2, "open")


def test_a_review_goes_back_to_where_it_says_and_not_to_where_a_plain_no_would(db: Database) -> None:
    company = Company(db)
    review = gate("r", more="recycle_to: b, on_reject: {recycle: a}", kind="review")
    company.start(plan(stage("a", gate("x", "[board]")), stage("b", gate("y", "[board]")), stage("c", review)))
    company.decides(ANNA)
    company.decides(ANNA)
    company.decides(DORA, "recycle")
    assert company.stage_states() == {"a": "passed", "b": "open", "c": "waiting"}


def test_stages_without_a_path_between_them_run_side_by_side(db: Database) -> None:
    company = Company(db)
    company.start(
        plan(
            stage("root", gate("r", "[chair]")),
            stage("left", gate("x"), "[root]"),
            stage("right", gate("y", "[board]"), "[root]"),
            stage("join", gate("z", "[chair]"), "[left, right]"),
        )
    )
    company.decides(EMIL)
    assert company.stage_states() == {"root": "passed", "left": "open", "right": "open", "join": "waiting"}
    company.decides(DORA)
    assert company.stage_states()["join"] == "waiting"
    company.decides(ANNA)
    assert company.stage_states()["join"] == "open"


def test_a_rollout_with_a_start_date_opens_on_that_day_in_the_plans_zone(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(SIGN_OFF), start_on=date(2026, 3, 5))
    assert (company.state, company.stage_states()) == ("waiting", {"only": "waiting"})
    company.now = datetime(2026, 3, 4, 22, 59, tzinfo=UTC)
    company.checks()
    company.advance()
    assert (company.state, company.messages("request")) == ("waiting", [])
    company.now = datetime(2026, 3, 4, 23, 0, tzinfo=UTC)
    assert company.checks().advanced == 1
    assert (company.state, len(company.messages("request"))) == ("open", 3)


def test_a_rollout_can_be_called_off_before_its_start_date(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(SIGN_OFF), start_on=date(2026, 3, 5))
    company.cancels()
    company.later(days=10)
    company.checks()
    assert (company.state, company.messages("request")) == ("cancelled", [])


def test_calling_off_needs_a_reason_kills_links_and_tells_those_who_were_asked(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(f"{SIGN_OFF}, quorum: all"), owner=EMIL)
    company.decides(ANNA)
    ben = company.asked(BEN)
    with pytest.raises(InvalidInput):
        company.cancels("  ")
    company.cancels()
    assert company.page(ben).void_reason is VoidReason.CANCELLED
    assert [company.headlines(person)[-1:] for person in (BEN, CARLA, EMIL, REQUESTER)] == [
        ["The rollout was called off"]
    ] * 4
    assert company.headlines(ANNA) == []
    with pytest.raises(RolloutEnded):
        company.cancels()


def wake_of(company: Company) -> datetime | None:
    with company.db.read() as session:
        return session.get_one(Rollout, company.rollout_id).wake_at


def test_the_end_wakes_the_flow_run_until_it_has_concluded(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(f"{SIGN_OFF}, quorum: any"), flow_run_id="run")
    assert wake_of(company) is None
    conclude_rollout(db, company.rollout_id)
    company.decides(ANNA)
    assert wake_of(company) == company.now
    conclusion = conclude_rollout(db, company.rollout_id)
    assert (conclusion.state, conclusion.because) == ("completed", "every stage has passed")
    assert wake_of(company) is None


def test_a_wake_can_be_given_up(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(SIGN_OFF), flow_run_id="run")
    company.cancels()
    forget_wake(db, company.rollout_id)
    assert wake_of(company) is None


def test_advancing_at_any_time_changes_nothing_that_is_not_due(db: Database) -> None:
    company = Company(db)
    company.start(plan(stage("a", gate("x")), stage("b", gate("y", "[board]"), "[]")))
    company.decides(DORA, "reject")
    before = (company.rollout(), company.actions(), len(company.messages()))
    for _ in range(3):
        company.later(days=300)
        company.advance()
    assert (company.rollout(), company.actions(), len(company.messages())) == before
