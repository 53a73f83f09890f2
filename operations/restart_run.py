"""Start the flow run of a gate anew: the one that hangs, failed or was deleted is put aside, in a new round."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from domain import typed_text
from domain.errors import InvalidInput, RolloutEnded
from domain.nearest import suggestion
from domain.plan import RunGate
from domain.reasons import Reason
from domain.states import ENDED, GateState, StageState
from models.database import Database
from models.gates import GateRow
from models.requests import VoidReason
from operations.progress import progress, release
from operations.resume_rollout import ask_again
from operations.rounds import new_gate_round, withdraw_gate
from operations.telling import inform
from operations.workspace import Actor, Workspace, locked


def restart_run(
    db: Database, keys: Sequence[bytes], rollout_id: str, gate_key: str, reason: str, actor: Actor, now: datetime
) -> None:
    """Start the flow run of a gate anew. What is still under way is cancelled in Prefect.

    Raises UnknownRollout, RolloutEnded, NotAllowed for whoever does not look after the stage, and InvalidInput for a
    gate that starts no flow run, has none to start now, or without a reason.
    """
    words = typed_text.clean_text(reason, 2000)
    if not words:
        raise InvalidInput("Starting a flow run anew needs a reason.", {"reason": Reason("Say what has changed.")})
    with locked(db, keys, rollout_id, now, actor) as ws:
        gate = _gate(ws, gate_key)
        ws.refuse_strangers(ws.stage_of(gate), requester_may=False)
        ws.note("run.restarted", gate=gate, comment=words)
        _put_aside(ws, gate)
        _tell(ws, gate, words)
        progress(ws)


def _gate(ws: Workspace, key: str) -> GateRow:
    if ws.rollout.state in ENDED:
        raise RolloutEnded(f"The rollout is {ws.rollout.state}; nothing is started in it any more.")
    gates = {gate.key: gate for gate in ws.gates() if isinstance(ws.planned_gate(gate), RunGate)}
    if key not in gates:
        raise InvalidInput(f"“{key}” is not a gate of this rollout that starts a flow run{suggestion(key, gates)}")
    return gates[key]


def _put_aside(ws: Workspace, gate: GateRow) -> None:
    stage = ws.stage_of(gate)
    if gate.state is GateState.OPEN:
        withdraw_gate(ws, gate, VoidReason.WITHDRAWN)
        new_gate_round(ws, gate, stage)
    elif gate.state in (GateState.REJECTED, GateState.EXPIRED) and stage.state is StageState.HELD:
        ask_again(ws, stage, [gate])
        release(ws)
    else:
        raise InvalidInput(f"The gate is {gate.state}; there is no flow run to start anew.")


def _tell(ws: Workspace, gate: GateRow, words: str) -> None:
    stage = ws.planned_stage(ws.stage_of(gate))
    title = ws.planned_gate(gate).title.in_language(ws.rollout.language)
    inform(
        ws,
        [ws.rollout.owner, ws.rollout.requester, *ws.directory.resolve(stage.owner)],
        Reason("The flow run of “{gate}” is started anew", {"gate": title}),
        gate=gate,
        quote=words,
        quoted=ws.actor.address if "@" in ws.actor.address else "",
    )
