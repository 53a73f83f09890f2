"""Say why the flow run of an open gate cannot be started. It is tried again by itself, and people are told once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from domain.reasons import Reason
from domain.states import GateState
from models.database import Database
from models.gates import GateRow
from operations.telling import inform
from operations.workspace import Workspace, locked


def refuse_run(
    db: Database, keys: Sequence[bytes], rollout_id: str, gate_id: int, problem: Reason, try_at: datetime, now: datetime
) -> None:
    """Note the problem at the gate, and that it is tried again at `try_at` (aware). Nothing when it is not open."""
    with locked(db, keys, rollout_id, now) as ws:
        gate = ws.session.get_one(GateRow, gate_id, populate_existing=True)
        if gate.state is not GateState.OPEN or gate.started_run is not None:
            return
        gate.look_at = try_at
        if gate.problem != str(problem):
            say_problem(
                ws,
                gate,
                "run.cannot-be-started",
                problem,
                Reason("Once this is put right, the flow run is started by itself; it is tried again and again."),
            )


def say_problem(ws: Workspace, gate: GateRow, action: str, problem: Reason, what_to_do: Reason) -> None:
    """Note at an open gate what keeps its flow run from coming to anything, and tell those who look after it.

    The record, which nobody can change, is given the sentence without its facts: a value might be a secret.
    """
    gate.problem = str(problem)
    ws.note(action, gate=gate, facts={"problem": problem.text})
    stage = ws.planned_stage(ws.stage_of(gate))
    title = ws.planned_gate(gate).title.in_language(ws.rollout.language)
    inform(
        ws,
        [ws.rollout.owner, ws.rollout.requester, *ws.directory.resolve(stage.owner)],
        Reason("The flow run of “{gate}” does not go on", {"gate": title}),
        [problem],
        [what_to_do],
        gate=gate,
    )
