"""Gates of the kind run, as the database sees them: started once for each round, settled by how the flow run ends.

Prefect itself is not here; what it would say is recorded by hand. tests/flows/test_run_gates.py has the real one.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.reasons import Reason
from domain.run import RunState
from models.database import Database
from models.rollouts import Rollout
from operations.note_run import note_no_run, note_run
from operations.refuse_run import refuse_run
from operations.run_gates import runs_to_follow, wanted_run
from tests.company import ANNA, DORA, EMIL, KEYS, Company
from tests.running import LEA, followed, note, record, restart, started, waves


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
