"""The gates that start a flow run, as facts for whoever knows Prefect: what to start, what to look at. Read only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from domain.plan import RunGate
from domain.run import LONGEST_NAME, RunState
from domain.run_parameters import given
from domain.states import GateState
from models.database import Database
from models.gates import GateRow, run_gates_to_follow
from models.rollouts import PlanVersion, Rollout, StageRow
from operations.kept_plans import plan_of
from operations.workspace import Workspace


@dataclass(frozen=True)
class FollowedRun:
    """A gate's flow run that may still come to something, or that is still to be started (`flow_run_id` is None).

    `is_wanted` says whether its gate is open: a flow run that is no longer wanted is cancelled. `uses` is what only one
    flow run at a time may work on: the stage's exclusive resource, or else the gate itself in whichever round.
    """

    rollout_id: str
    gate_id: int
    gate: str
    round: int
    is_wanted: bool
    flow_run_id: str | None
    name: str
    state: RunState | None
    try_at: datetime | None
    uses: str

    @property
    def key(self) -> str:
        """What makes Prefect start one flow run, however often it is asked for the one of this gate in this round."""
        return f"etappe-{self.rollout_id}-{self.gate}-{self.round}"


@dataclass(frozen=True)
class WantedRun:
    """What a gate wants to be started: the deployment's name, what it is given, and what the flow run is called."""

    deployment: str
    parameters: Mapping[str, Any]
    name: str


def runs_to_follow(db: Database) -> list[FollowedRun]:
    """Return the flow runs to start, to look at and to cancel."""
    with db.read() as session:
        return [_followed(session, gate) for gate in session.scalars(run_gates_to_follow())]


def _followed(session: Session, gate: GateRow) -> FollowedRun:
    rollout, stage = session.get_one(Rollout, gate.rollout_id), session.get_one(StageRow, gate.stage_id)
    earlier = session.get_one(PlanVersion, stage.plan_version_id) if stage.plan_version_id else None
    exclusive = plan_of(earlier or rollout.plan_version).stage(stage.key).exclusive
    return FollowedRun(
        rollout_id=gate.rollout_id,
        gate_id=gate.id,
        gate=gate.key,
        round=gate.round,
        is_wanted=gate.state is GateState.OPEN,
        flow_run_id=gate.started_run,
        name=gate.started_run_name or "",
        state=gate.started_run_state,
        try_at=gate.look_at,
        uses=exclusive or f"{gate.rollout_id}/{gate.key}",
    )


def wanted_run(db: Database, gate_id: int, now: datetime) -> WantedRun:
    """Return what a gate of the kind run starts, with the rollout's inputs as they are now."""
    with db.read() as session:
        gate = session.get_one(GateRow, gate_id)
        ws = Workspace.to_look_at(session, session.get_one(Rollout, gate.rollout_id), now)
        planned = ws.planned_gate(gate)
        if not isinstance(planned, RunGate):
            raise TypeError(f"the gate {gate.key} starts no flow run")
        title = planned.title.in_language(ws.rollout.language)
        name = f"{ws.rollout.title}: {title}" if gate.round == 1 else f"{ws.rollout.title}: {title} ({gate.round})"
        return WantedRun(planned.deployment, given(planned, ws.rollout.inputs), name[:LONGEST_NAME])
