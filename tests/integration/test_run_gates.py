"""Gates of the kind run, as the database sees them: started once for each round, settled by how the flow run ends.

Prefect itself is not here; what it would say is recorded by hand. tests/flows/test_run_gates.py has the real one.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from domain.errors import InvalidInput, NotAllowed, RolloutEnded, UnknownRollout
from domain.reasons import Reason
from domain.run import RunState
from models.database import Database
from models.gates import GateRow, all_gates
from models.rollouts import Rollout
from operations.note_run import note_no_run, note_run
from operations.record_run import RunFacts, record_run
from operations.refuse_run import refuse_run
from operations.restart_run import restart_run
from operations.run_gates import FollowedRun, runs_to_follow, wanted_run
from operations.workspace import Actor
from tests.company import KEYS, PEOPLE, REQUESTER, ROLES, Company
from tests.integration.test_two_at_once import race

ANNA, BEN, DORA, EMIL = "anna@example.com", "ben@example.com", "dora@example.com", "emil@example.com"
LEA = REQUESTER


def waves(more: str = "", on_reject: str = "hold") -> str:
    """A plan whose first stage shifts traffic and is then looked at, and whose second does the next step."""
    return f"""
plan: waves
title: Waves
{ROLES}
inputs:
  release: {{kind: text}}
  note: {{kind: text}}
stages:
  - id: first
    title: First wave
    owner: finance
    gates:
      - id: shift
        title: Shift 10 %
        kind: run
        deployment: shift-traffic/sample
        parameters: {{release: {{input: release}}, percent: 10, note: {{input: note}}}}
        on_reject: {on_reject}
        {more}
      - id: look
        title: Look
        kind: sign-off
        question: "All well?"
        approvers: [board]
        quorum: any
        ask_after: [shift]
  - id: second
    title: Second wave
    gates:
      - {{id: shift-more, title: Shift all, kind: run, deployment: shift-traffic/sample}}
"""


def started(db: Database, source: str = "") -> Company:
    company = Company(db)
    company.start(source or waves(), title="Release 2.4", inputs={"release": "2.4.0"})
    return company


def followed(company: Company) -> FollowedRun:
    """The one flow run there is to start or to look at."""
    [run] = runs_to_follow(company.db)
    return run


def note(company: Company, flow_run_id: str = "run-1", name: str = "a flow run") -> FollowedRun:
    run = followed(company)
    note_run(company.db, KEYS, run.rollout_id, run.gate_id, flow_run_id, name, company.now)
    return run


def record(company: Company, run: FollowedRun, state: RunState, flow_run_id: str = "run-1", name: str = "") -> None:
    facts = RunFacts(flow_run_id, state, name or "a flow run", timedelta(seconds=90))
    record_run(company.db, KEYS, run.rollout_id, run.gate_id, facts, company.now)


def restart(company: Company, gate: str = "shift", reason: str = "it hangs", by: str = DORA) -> None:
    restart_run(company.db, KEYS, company.rollout_id, gate, reason, Actor(by, "command"), company.now)


def row(company: Company, number: int, key: str = "shift") -> GateRow:
    with company.db.read() as session:
        rows = session.scalars(all_gates(company.rollout_id)).all()
    return next(gate for gate in rows if (gate.key, gate.round) == (key, number))


def test_a_gate_that_opens_asks_nobody_and_wants_one_flow_run(db: Database) -> None:
    company = started(db)
    run = followed(company)
    assert (run.is_wanted, run.flow_run_id, run.key) == (True, None, f"etappe-{company.rollout_id}-shift-1")
    assert company.messages("request") == []
    wanted = wanted_run(db, run.gate_id, company.now)
    assert wanted.deployment == "shift-traffic/sample"
    assert wanted.parameters == {"release": "2.4.0", "percent": "10"}
    assert wanted.name == "Release 2.4: Shift 10 %"


def test_gates_that_are_not_open_yet_want_nothing(db: Database) -> None:
    company = started(db)
    assert [run.gate for run in runs_to_follow(db)] == ["shift"]
    assert company.gate("shift-more")["state"] == "waiting"


def test_a_flow_run_is_noted_once_however_often(db: Database) -> None:
    company = started(db)
    run = note(company)
    for flow_run_id in ("run-1", "run-2"):
        note_run(db, KEYS, run.rollout_id, run.gate_id, flow_run_id, "another", company.now)
    assert (followed(company).flow_run_id, followed(company).name) == ("run-1", "a flow run")
    [entry] = company.entries("run.started")
    assert entry.facts == {"flow_run_id": "run-1", "name": "a flow run"}


def test_what_a_flow_run_is_given_is_not_in_the_record(db: Database) -> None:
    company = Company(db)
    company.start(waves(), inputs={"release": "s3cret", "note": "s3cret"})
    run = followed(company)
    problem = Reason("The parameter “{name}” takes a number; “{value}” is none.", {"name": "n", "value": "s3cret"})
    refuse_run(db, KEYS, run.rollout_id, run.gate_id, problem, company.now, company.now)
    record(company, note(company), RunState.FAILED)
    assert not [entry for entry in company.entries() if "s3cret" in f"{entry.facts} {entry.comment}"]


def test_a_name_that_a_mail_program_would_obey_is_made_harmless(db: Database) -> None:
    company = started(db)
    run = note(company, name="=?utf-8?q?x?=\r\nBcc: eve@example.com")
    record(company, run, RunState.RUNNING, name="turn\u202earound\n")
    assert followed(company).name == "turn around"


def test_completed_passes_the_gate_and_what_waits_for_it_is_asked(db: Database) -> None:
    company = started(db)
    run = note(company)
    record(company, run, RunState.RUNNING)
    assert (company.gate("shift")["state"], company.requests(ANNA)) == ("open", [])
    record(company, run, RunState.COMPLETED)
    assert (company.gate("shift")["state"], company.gate("shift")["outcome"]) == ("passed", "go")
    assert runs_to_follow(db) == []
    company.decides(ANNA)
    assert company.stage_states() == {"first": "passed", "second": "open"}
    assert [run.gate for run in runs_to_follow(db)] == ["shift-more"]


def test_where_it_stands_meanwhile_is_painted_and_not_recorded(db: Database) -> None:
    company = started(db)
    run = note(company)
    before = company.actions()
    with db.write() as session:
        rollout = session.get_one(Rollout, company.rollout_id)
        rollout.painted = rollout.sequence
    record(company, run, RunState.RUNNING)
    with db.read() as session:
        rollout = session.get_one(Rollout, company.rollout_id)
    assert rollout.painted < rollout.sequence
    assert company.actions() == before


@pytest.mark.parametrize("state", [RunState.FAILED, RunState.CRASHED, RunState.CANCELLED])
def test_whatever_else_it_ends_as_rejects_the_gate_and_people_are_told(db: Database, state: RunState) -> None:
    company = started(db)
    record(company, note(company), state)
    assert (company.gate("shift")["state"], company.gate("shift")["outcome"]) == ("rejected", "hold")
    assert (company.state, company.stage_states()["first"]) == ("held", "held")
    [entry] = company.entries("gate.rejected")
    assert "“a flow run”" in entry.facts["because"]
    assert "0:01:30" in entry.facts["because"]
    assert {message.recipient for message in company.messages("information")} == {LEA, DORA}
    assert [message.recipient for message in company.messages("outcome")] == [LEA]


def test_a_failure_follows_on_reject(db: Database) -> None:
    company = started(db, waves(on_reject="kill"))
    record(company, note(company), RunState.FAILED)
    assert company.state == "killed"


def test_a_failure_may_send_the_rollout_back_and_then_a_new_flow_run_is_wanted(db: Database) -> None:
    company = started(db, waves(on_reject="{recycle: first}"))
    record(company, note(company), RunState.FAILED)
    assert followed(company).key == f"etappe-{company.rollout_id}-shift-2"


def test_an_end_that_is_recorded_twice_settles_once(db: Database) -> None:
    company = started(db)
    run = note(company)
    record(company, run, RunState.COMPLETED)
    record(company, run, RunState.FAILED)
    assert company.gate("shift")["state"] == "passed"
    assert len(company.entries("gate.passed")) == 1


def test_another_flow_run_says_nothing_about_the_gate(db: Database) -> None:
    company = started(db)
    record(company, note(company), RunState.COMPLETED, flow_run_id="run-9")
    assert company.gate("shift")["state"] == "open"


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


class TestProblems:
    UNKNOWN = Reason(
        "Prefect has no deployment “{deployment}”. It must be deployed under this name.", {"deployment": "x"}
    )
    OTHER = Reason("The parameter “{name}” takes a whole number; “{value}” is none.", {"name": "p", "value": "ten"})

    def refuse(self, company: Company, problem: Reason) -> None:
        run = followed(company)
        later = company.now + timedelta(seconds=10)
        refuse_run(company.db, KEYS, run.rollout_id, run.gate_id, problem, later, company.now)

    def test_is_said_at_the_gate_and_told_once(self, db: Database) -> None:
        company = started(db)
        for _ in range(3):
            self.refuse(company, self.UNKNOWN)
            assert followed(company).try_at == company.now + timedelta(seconds=10)
            company.later(seconds=10)
        assert "no deployment “x”" in company.gate("shift")["problem"]
        assert company.headlines(DORA).count("The flow run of “Shift 10 %” does not go on") == 1
        assert len(company.entries("run.cannot-be-started")) == 1

    def test_another_one_is_told_again(self, db: Database) -> None:
        company = started(db)
        self.refuse(company, self.UNKNOWN)
        self.refuse(company, self.OTHER)
        assert company.headlines(DORA).count("The flow run of “Shift 10 %” does not go on") == 2

    def test_is_over_once_the_flow_run_was_started(self, db: Database) -> None:
        company = started(db)
        self.refuse(company, self.UNKNOWN)
        note(company)
        assert company.gate("shift")["problem"] is None

    def test_nothing_is_said_of_a_gate_that_was_closed_meanwhile(self, db: Database) -> None:
        company = started(db)
        run = followed(company)
        company.cancels()
        refuse_run(db, KEYS, run.rollout_id, run.gate_id, self.UNKNOWN, company.now, company.now)
        assert company.entries("run.cannot-be-started") == []

    def test_a_deleted_flow_run_is_said_and_waits_for_somebody_to_start_it_anew(self, db: Database) -> None:
        company = started(db)
        record(company, note(company), RunState.DELETED)
        assert company.gate("shift")["state"] == "open"
        assert "was deleted in Prefect" in company.gate("shift")["problem"]
        assert runs_to_follow(db) == []
        restart(company)
        assert followed(company).key == f"etappe-{company.rollout_id}-shift-2"
        assert company.gate("shift")["problem"] is None


def test_an_escalation_tells_and_asks_nothing(db: Database) -> None:
    company = started(db, waves("escalate: [{after: 2 hours, to: chair}]"))
    record(company, note(company), RunState.RUNNING)
    company.later(hours=3)
    assert company.checks().escalated == 1
    assert company.requests(EMIL) == []
    assert company.headlines(EMIL) == ["“Shift 10 %” has not passed yet"]
    assert company.gate("shift")["state"] == "open"


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (RunState.WAITING, "The flow run “a flow run” waits in Prefect for its turn."),
        (RunState.RUNNING, "The flow run “a flow run” is at work."),
        (RunState.COMPLETED, ""),
    ],
)
def test_where_it_stands_is_said(db: Database, state: RunState, words: str) -> None:
    company = started(db)
    assert company.gate("shift")["waits"] == ["Its flow run is about to be started."]
    assert company.gate("shift")["run"] is None
    record(company, note(company), state)
    assert company.gate("shift")["waits"] == ([words] if words else [])
    assert company.gate("shift")["run"] == {"flow_run_id": "run-1", "name": "a flow run", "state": state.value}


def test_what_an_exclusive_stage_starts_uses_its_resource(db: Database) -> None:
    company = started(db)
    assert followed(company).uses == f"{company.rollout_id}/shift"
    company.cancels()
    note_no_run(db, KEYS, company.rollout_id, followed(company).gate_id, company.now)
    company.start(waves().replace("owner: finance", "owner: finance\n    exclusive: production"))
    assert followed(company).uses == "production"


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
