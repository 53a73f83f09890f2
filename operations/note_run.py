"""Note that the flow run of a gate was started, so that it is followed, and never started again in this round."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from domain.run import RunState, readable_name
from domain.states import GateState
from models.database import Database
from models.gates import GateRow
from operations.workspace import locked


def note_run(
    db: Database, keys: Sequence[bytes], rollout_id: str, gate_id: int, flow_run_id: str, name: str, now: datetime
) -> None:
    """Note the flow run that Prefect has for a gate; noting it again changes nothing.

    It is noted also when the gate is no longer open: only what is known can be cancelled.
    """
    with locked(db, keys, rollout_id, now) as ws:
        gate = ws.session.get_one(GateRow, gate_id, populate_existing=True)
        if gate.started_run is not None:
            return
        gate.started_run, gate.started_run_name = flow_run_id, readable_name(name)
        gate.started_run_state, gate.look_at = RunState.WAITING, None
        if gate.state is GateState.OPEN:
            gate.problem = None
        ws.note("run.started", gate=gate, facts={"flow_run_id": flow_run_id, "name": gate.started_run_name})


def note_no_run(db: Database, keys: Sequence[bytes], rollout_id: str, gate_id: int, now: datetime) -> None:
    """Note that nothing was started for a gate that is no longer open, so that nobody looks for it again."""
    with locked(db, keys, rollout_id, now) as ws:
        gate = ws.session.get_one(GateRow, gate_id, populate_existing=True)
        if gate.started_run is None and gate.state is not GateState.OPEN:
            gate.started_run_state = RunState.NONE
