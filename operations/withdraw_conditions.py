"""Take conditions back whose approvals no longer count, because they have lapsed."""

from __future__ import annotations

from collections.abc import Collection

from domain.reasons import Reason
from domain.states import StageState
from models.gates import GateRow
from operations.conditions import drop
from operations.opening import reopen_stage
from operations.progress import release
from operations.resume_rollout import stopping_gates
from operations.telling import inform
from operations.workspace import Workspace


def withdraw_conditions_of(ws: Workspace, decision_ids: Collection[int]) -> None:
    """Withdraw the gates that came from conditions of these decisions; whoever was asked there is told.

    A stage that only such a gate had put on hold opens again. The caller lets the rollout progress.
    """
    for gate in ws.gates():
        condition = ws.condition_of(gate)
        if condition is not None and condition.decision_id in decision_ids:
            _withdraw(ws, gate, condition.what)
    release(ws)


def _withdraw(ws: Workspace, gate: GateRow, what: str) -> None:
    asked = drop(ws, gate)
    sentence = "The approval that it belongs to no longer counts. Nothing is left to be done for it: {what}"
    inform(ws, asked, Reason("A condition was withdrawn"), [Reason(sentence, {"what": what})], gate=gate)
    stage = ws.stage_of(gate)
    if stage.state is StageState.HELD and not stopping_gates(ws, stage):
        reopen_stage(ws, stage)
