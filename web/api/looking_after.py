"""What whoever looks after a rollout may do, by API: change what it is about, let a gate pass."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from operations.change_inputs import change_inputs
from operations.describe_rollout import describe_rollout
from operations.waive_gate import waive_gate
from web.api.bodies import InputsBody, ReasonBody
from web.api.caller import Caller, GateId, Me, SeenRollout, TakesJson
from web.api.facts import RolloutFacts

router = APIRouter(prefix="/rollouts/{rollout_id}", tags=["looking-after"], dependencies=[TakesJson])


@router.post("/inputs", response_model=RolloutFacts)
def inputs(me: Me, rollout_id: SeenRollout, body: InputsBody) -> Any:
    """Change what a rollout is about. Exactly the approvals that were given for something else lapse."""
    change_inputs(me.db, me.keys, rollout_id, body.inputs, body.reason, me.actor, me.now)
    return _shown(me, rollout_id)


@router.post("/gates/{gate_id}/waive", response_model=RolloutFacts)
def waive(me: Me, rollout_id: SeenRollout, gate_id: GateId, body: ReasonBody) -> Any:
    """Let a gate pass without its quorum, if the plan names you for it; everybody passed over is told."""
    waive_gate(me.db, me.keys, rollout_id, gate_id, body.reason, me.actor, me.now)
    return _shown(me, rollout_id)


def _shown(me: Caller, rollout_id: str) -> dict[str, Any]:
    return describe_rollout(me.db, rollout_id, me.now)
