"""A rollout whose gate starts a flow run, and what its tests do with both."""

from __future__ import annotations

from datetime import timedelta

from domain.run import RunState
from models.database import Database
from models.gates import GateRow, all_gates
from operations.note_run import note_run
from operations.record_run import RunFacts, record_run
from operations.restart_run import restart_run
from operations.run_gates import FollowedRun, runs_to_follow
from operations.workspace import Actor
from tests.company import DORA, KEYS, REQUESTER, Company
from tests.sample_plans import ROLES

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
