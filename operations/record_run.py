"""Record where the flow run of a gate stands: its end settles the gate, if that is still open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain import run
from domain.plan import outcome_of
from domain.reasons import Reason
from domain.run import RunState
from domain.states import Event, GateState, Outcome
from models.database import Database
from models.gates import GateRow
from operations.progress import progress
from operations.refuse_run import say_problem
from operations.settling import settle
from operations.telling import inform
from operations.workspace import Workspace, locked


@dataclass(frozen=True)
class RunFacts:
    """What Prefect says of a flow run. `took` is how long it has been at work."""

    flow_run_id: str
    state: RunState
    name: str
    took: timedelta = timedelta(0)


def record_run(
    db: Database, keys: Sequence[bytes], rollout_id: str, gate_id: int, seen: RunFacts, now: datetime
) -> None:
    """Record what Prefect says of a gate's flow run. The same again, or another gate's flow run, changes nothing."""
    with locked(db, keys, rollout_id, now) as ws:
        gate = ws.session.get_one(GateRow, gate_id, populate_existing=True)
        known = gate.started_run_state
        if gate.started_run != seen.flow_run_id or known is None or not known.is_under_way:
            return
        if seen.state is not RunState.DELETED:
            gate.started_run_name = run.readable_name(seen.name)
        gate.started_run_state = seen.state
        if seen.state.is_under_way:
            ws.rollout.painted = min(ws.rollout.painted, ws.rollout.sequence - 1)  # Prefect's page says where it stands
        elif gate.state is not GateState.OPEN:
            _tell_what_came_of_it(ws, gate, seen)
        elif seen.state is RunState.DELETED:
            _tell_that_it_is_gone(ws, gate)
        else:
            _settle(ws, gate, seen)


def _settle(ws: Workspace, gate: GateRow, seen: RunFacts) -> None:
    because = run.because(seen.state, gate.started_run_name or "", seen.took)
    if seen.state is RunState.COMPLETED:
        settle(ws, gate, Event.PASSED, Outcome.GO, because)
    else:
        settle(ws, gate, Event.REJECTED, outcome_of(ws.planned_gate(gate).on_reject), because)
    progress(ws)


def _tell_that_it_is_gone(ws: Workspace, gate: GateRow) -> None:
    facts: dict[str, str | int | datetime] = {
        "name": gate.started_run_name or "",
        "rollout": ws.rollout.id,
        "key": gate.key,
    }
    say_problem(
        ws,
        gate,
        "run.deleted",
        Reason("The flow run “{name}” was deleted in Prefect, so nobody knows what came of it.", facts),
        Reason('To start its flow run anew: etappe gate restart {rollout} {key} --reason "why"', facts),
    )


_HEADLINES = {
    RunState.COMPLETED: "Completed all the same: the flow run “{name}”",
    RunState.FAILED: "Failed: the flow run “{name}”",
    RunState.CRASHED: "Crashed: the flow run “{name}”",
    RunState.CANCELLED: "Cancelled: the flow run “{name}”",
    RunState.DELETED: "Deleted: the flow run “{name}”",
}


def _tell_what_came_of_it(ws: Workspace, gate: GateRow, seen: RunFacts) -> None:
    """Its gate needs it no more, but what it has done until its end is done; somebody should look."""
    stage = ws.planned_stage(ws.stage_of(gate))
    facts: dict[str, str | int | datetime] = {
        "name": gate.started_run_name or "",
        "gate": ws.planned_gate(gate).title.in_language(ws.rollout.language),
    }
    ws.note(f"run.{seen.state}", gate=gate, facts={"flow_run_id": seen.flow_run_id, "name": facts["name"]})
    inform(
        ws,
        [ws.rollout.owner, *ws.directory.resolve(stage.owner)],
        Reason(_HEADLINES[seen.state], facts),
        [Reason("The gate “{gate}” does not wait for it any longer. Whatever it has done until then remains.", facts)],
        [Reason("Please look at where things stand.")],
        gate=gate,
    )
