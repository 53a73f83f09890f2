"""What whoever looks after a rollout may do, by API: change what it is about, answer, ask others, let a gate pass."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from operations.add_approver import add_approver
from operations.answer_changes import Answer, answer_changes
from operations.change_inputs import change_inputs
from operations.describe_rollout import describe_rollout
from operations.escalate_gate import escalate_gate
from operations.reassign import reassign
from operations.restart_run import restart_run
from operations.waive_gate import waive_gate
from web.api.bodies import ApproverBody, InputsBody, ReasonBody, ReassignBody, ResponseBody
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


@router.post("/gates/{gate_id}/responses", response_model=RolloutFacts)
def respond(me: Me, rollout_id: SeenRollout, gate_id: GateId, body: ResponseBody) -> Any:
    """Answer a request for changes; those who are asked are told the answer and what has changed."""
    answer = Answer(body.reply, body.inputs, body.removed, links=body.links)
    answer_changes(me.db, me.keys, rollout_id, gate_id, answer, me.actor, me.now)
    return _shown(me, rollout_id)


@router.post("/gates/{gate_id}/approvers", response_model=RolloutFacts)
def approvers(me: Me, rollout_id: SeenRollout, gate_id: GateId, body: ApproverBody) -> Any:
    """Ask one more person at an open gate; their approval is needed as well."""
    add_approver(me.db, me.keys, rollout_id, gate_id, body.person, body.reason, me.actor, me.now)
    return _shown(me, rollout_id)


@router.post("/gates/{gate_id}/reassign", response_model=RolloutFacts)
def reassigned(me: Me, rollout_id: SeenRollout, gate_id: GateId, body: ReassignBody) -> Any:
    """Ask somebody else instead of one who has not answered, whose links no longer count."""
    reassign(me.db, me.keys, rollout_id, gate_id, body.from_, body.to, body.reason, me.actor, me.now)
    return _shown(me, rollout_id)


@router.post("/gates/{gate_id}/restart", response_model=RolloutFacts)
def restart(me: Me, rollout_id: SeenRollout, gate_id: GateId, body: ReasonBody) -> Any:
    """Start the flow run of a gate anew; one that is under way is cancelled in Prefect."""
    restart_run(me.db, me.keys, rollout_id, gate_id, body.reason, me.actor, me.now)
    return _shown(me, rollout_id)


@router.post("/gates/{gate_id}/escalate", response_model=RolloutFacts)
def escalated(me: Me, rollout_id: SeenRollout, gate_id: GateId, body: ReasonBody) -> Any:
    """Take the plan's next level of escalation now, before its time has come."""
    escalate_gate(me.db, me.keys, rollout_id, gate_id, body.reason, me.actor, me.now)
    return _shown(me, rollout_id)


def _shown(me: Caller, rollout_id: str) -> dict[str, Any]:
    return describe_rollout(me.db, rollout_id, me.now)
