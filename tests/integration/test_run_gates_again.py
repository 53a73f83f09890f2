"""Flow runs that gates start: no longer wanted, wanted again, and started otherwise by a newer plan."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from domain.errors import InvalidInput, NotAllowed, RolloutEnded, UnknownRollout
from domain.run import RunState
from models.database import Database
from operations.note_run import note_no_run, note_run
from operations.restart_run import restart_run
from operations.run_gates import runs_to_follow, wanted_run
from operations.workspace import Actor
from tests.company import ANNA, DORA, EMIL, KEYS, PEOPLE, Company
from tests.integration.test_two_at_once import race
from tests.running import LEA, followed, note, record, restart, row, started, waves


class TestNoLongerWanted:
    """The gate is closed while its flow run is under way: it is to be cancelled, and what it did is looked at."""

    CLOSINGS: tuple[Callable[[Company], None], ...] = (
        Company.cancels,
        restart,
        lambda company: company.waives(EMIL, "shift"),
    )

    @pytest.mark.parametrize("close", CLOSINGS)
    def test_it_is_followed_until_it_has_ended(self, db: Database, close: Callable[[Company], None]) -> None:
        company = started(db, waves("waiver: [chair]"))
        run = note(company)
        close(company)
        old = next(one for one in runs_to_follow(db) if one.gate_id == run.gate_id)
        assert (old.is_wanted, old.flow_run_id) == (False, "run-1")
        record(company, run, RunState.CANCELLED)
        assert run.gate_id not in [one.gate_id for one in runs_to_follow(db)]
        assert company.entries("run.cancelled")[0].facts["flow_run_id"] == "run-1"
        assert "Cancelled: the flow run “a flow run”" in company.headlines(DORA)

    def test_that_it_completed_all_the_same_is_said_and_changes_nothing(self, db: Database) -> None:
        company = started(db)
        run = note(company)
        company.cancels()
        record(company, run, RunState.COMPLETED)
        assert (company.state, company.gate("shift")["state"]) == ("cancelled", "withdrawn")
        assert "Completed all the same: the flow run “a flow run”" in company.headlines(LEA)

    def test_one_that_was_created_before_a_crash_is_noted_afterwards(self, db: Database) -> None:
        company = started(db)
        run = followed(company)
        company.cancels()
        assert [(one.is_wanted, one.flow_run_id) for one in runs_to_follow(db)] == [(False, None)]
        note_run(db, KEYS, run.rollout_id, run.gate_id, "run-1", "a flow run", company.now)
        assert [(one.is_wanted, one.flow_run_id) for one in runs_to_follow(db)] == [(False, "run-1")]

    def test_once_it_is_known_that_nothing_was_created_nobody_looks_again(self, db: Database) -> None:
        company = started(db)
        run = followed(company)
        note_no_run(db, KEYS, run.rollout_id, run.gate_id, company.now)
        assert followed(company).is_wanted  # the gate is open, so this was not true
        company.cancels()
        note_no_run(db, KEYS, run.rollout_id, run.gate_id, company.now)
        assert runs_to_follow(db) == []

    def test_an_expired_gate_wants_it_no_longer(self, db: Database) -> None:
        company = started(db, waves("expires: {after: 2 hours, outcome: hold}"))
        note(company)
        company.later(hours=3)
        company.checks_on_schedule()
        assert company.gate("shift")["state"] == "expired"
        assert not followed(company).is_wanted


class TestAgain:
    def test_resuming_wants_a_new_flow_run_in_a_new_round(self, db: Database) -> None:
        company = started(db)
        record(company, note(company), RunState.FAILED)
        company.resumes()
        run = followed(company)
        assert (run.key, run.flow_run_id) == (f"etappe-{company.rollout_id}-shift-2", None)
        assert wanted_run(db, run.gate_id, company.now).name == "Release 2.4: Shift 10 % (2)"
        record(company, note(company, "run-2"), RunState.COMPLETED, "run-2")
        assert (company.gate("shift")["state"], company.state) == ("passed", "open")

    @pytest.mark.parametrize("by", [DORA, "operator", "admin@example.com"])
    def test_whoever_looks_after_the_stage_restarts_one_that_hangs(self, db: Database, by: str) -> None:
        people = PEOPLE.replace("roles:", "  - {email: admin@example.com, name: Ada}\nroles:")
        company = Company(db, directory=f"{people}  administrator: [admin@example.com]\n")
        company.start(waves(), inputs={"release": "2.4.0"})
        run = note(company)
        restart(company, by=by)
        assert row(company, 1).state.value == "withdrawn"
        assert (company.gate("shift")["state"], company.gate("shift")["round"]) == ("open", 2)
        wanted = [one for one in runs_to_follow(db) if one.is_wanted]
        assert [one.key for one in wanted] == [f"etappe-{company.rollout_id}-shift-2"]
        assert company.entries("run.restarted")[0].comment == "it hangs"
        assert company.entries("run.restarted")[0].actor == by
        record(company, run, RunState.COMPLETED)
        assert company.gate("shift")["state"] == "open"

    def test_restarting_one_that_failed_takes_its_stage_off_hold(self, db: Database) -> None:
        company = started(db)
        record(company, note(company), RunState.FAILED)
        restart(company)
        assert (company.state, company.stage_states()["first"]) == ("open", "open")
        assert followed(company).key == f"etappe-{company.rollout_id}-shift-2"

    @pytest.mark.parametrize("by", [ANNA, LEA])
    def test_others_may_not_and_are_told_who_may(self, db: Database, by: str) -> None:
        company = Company(db)
        company.start(waves(), inputs={"release": "2.4.0"}, owner=EMIL)
        note(company)
        with pytest.raises(NotAllowed, match=EMIL):
            restart(company, by=by)
        assert followed(company).is_wanted

    @pytest.mark.parametrize(("gate", "words"), [
        ("shift-more", "waiting"), ("look", "did you mean|write shift"), ("shfit", "did you mean “shift”"),
    ])  # fmt: skip
    def test_only_a_gate_that_has_started_one_can_start_anew(self, db: Database, gate: str, words: str) -> None:
        company = started(db)
        note(company)
        with pytest.raises(InvalidInput, match=words):
            restart(company, gate, by="operator")

    def test_what_has_passed_is_not_done_again(self, db: Database) -> None:
        company = started(db)
        record(company, note(company), RunState.COMPLETED)
        with pytest.raises(InvalidInput, match="The gate is passed"):
            restart(company)

    def test_a_reason_is_needed(self, db: Database) -> None:
        company = started(db)
        with pytest.raises(InvalidInput, match="reason"):
            restart(company, reason="  ")

    def test_nothing_is_started_in_a_rollout_that_has_ended(self, db: Database) -> None:
        company = started(db)
        company.cancels()
        with pytest.raises(RolloutEnded):
            restart(company)

    def test_an_unknown_rollout(self, db: Database) -> None:
        with pytest.raises(UnknownRollout):
            restart_run(db, KEYS, "nowhere", "shift", "why", Actor("operator", "command"), Company(db).now)


def test_what_a_newer_plan_starts_otherwise_is_started_anew_and_the_old_one_is_cancelled(db: Database) -> None:
    company = started(db, waves().replace("owner: finance", "owner: finance\n    exclusive: production"))
    run = note(company)
    company.migrates(waves().replace("percent: 10", "percent: 20"))
    followed_now = {one.gate_id: (one.is_wanted, one.uses) for one in runs_to_follow(db)}
    new = next(gate_id for gate_id in followed_now if gate_id != run.gate_id)
    assert followed_now[run.gate_id][0] is False
    assert followed_now[new] == (True, f"{company.rollout_id}/shift")
    assert wanted_run(db, new, company.now).parameters["percent"] == "20"
    record(company, run, RunState.CANCELLED)
    assert "Cancelled: the flow run “a flow run”" in company.headlines(LEA)


def test_a_gate_that_a_newer_plan_does_not_have_leaves_nothing_behind(db: Database) -> None:
    company = started(db)
    run = note(company)
    company.migrates(waves().replace("id: shift\n", "id: other\n").replace("ask_after: [shift]", "ask_after: [other]"))
    assert {one.gate for one in runs_to_follow(db)} == {"shift", "other"}
    record(company, run, RunState.COMPLETED)
    assert [one.gate for one in runs_to_follow(db)] == ["other"]
    assert "Completed all the same: the flow run “a flow run”" in company.headlines(LEA)


def test_it_completes_and_is_started_anew_at_once(db: Database) -> None:
    company = started(db)
    run = note(company)
    came_back = race([lambda: record(company, run, RunState.COMPLETED), lambda: restart(company)] * 3)
    states = (row(company, 1).state.value, company.gate("shift")["round"])
    if states == ("passed", 1):
        assert sum(isinstance(each, InvalidInput) for each in came_back) == 3
    else:
        assert states == ("withdrawn", company.gate("shift")["round"])
        assert company.entries("gate.passed") == []
