"""Take a rollout off hold: the gates that stopped it are asked again, in a new round."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from domain import typed_text
from domain.errors import InvalidInput
from domain.reasons import Reason
from domain.states import ENDED, GateState, RolloutState, StageState
from models.database import Database
from models.gates import GateRow
from models.rollouts import StageRow
from operations.opening import reopen_stage
from operations.progress import progress, release
from operations.rounds import new_gate_round
from operations.telling import inform
from operations.workspace import Actor, Workspace, locked


def resume_rollout(
    db: Database, keys: Sequence[bytes], rollout_id: str, reason: str, actor: Actor, now: datetime
) -> None:
    """Take a rollout off hold, and ask again for conditions that would put a stage on hold when it opens.

    Raises UnknownRollout, NotAllowed for a stranger, or InvalidInput when nothing is on hold or no reason is given.
    """
    words = typed_text.clean_text(reason, 2000)
    if not words:
        raise InvalidInput("Resuming a rollout needs a reason.", {"reason": Reason("Say what has changed.")})
    with locked(db, keys, rollout_id, now, actor) as ws:
        ws.refuse_strangers()
        stopped = [stage for stage in ws.stages() if _is_stopped(ws, stage)]
        if ws.rollout.state in ENDED or not stopped:
            raise InvalidInput(f"The rollout is {ws.rollout.state}, not on hold; there is nothing to resume.")
        for stage in stopped:
            ask_again(ws, stage, stopping_gates(ws, stage))
        if ws.rollout.state is not RolloutState.HELD:
            ws.note("condition.resumed", stage=stopped[0], comment=words)
        release(ws, words)
        inform(ws, [ws.rollout.requester, ws.rollout.owner], Reason("The rollout goes on"), quote=words)
        progress(ws)


def _is_stopped(ws: Workspace, stage: StageRow) -> bool:
    """Whether it is on hold, or would be as soon as it opens, because of a condition."""
    waits = stage.state is StageState.WAITING
    return stage.state is StageState.HELD or (waits and bool(stopping_gates(ws, stage)))


def stopping_gates(ws: Workspace, stage: StageRow) -> list[GateRow]:
    """Return the gates of a stage that did not pass."""
    return [gate for gate in ws.gates(GateState.REJECTED, GateState.EXPIRED) if gate.stage_id == stage.id]


def ask_again(ws: Workspace, stage: StageRow, gates: Collection[GateRow]) -> None:
    """Ask gates again, in a new round. A held stage opens again once no other gate stops it."""
    for gate in gates:
        new_gate_round(ws, gate, stage)
    if stage.state is StageState.HELD and not stopping_gates(ws, stage):
        reopen_stage(ws, stage)
