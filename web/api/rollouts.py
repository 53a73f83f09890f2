"""Rollouts by API: listed, shown, explained, started, taken off hold, called off."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from operations.cancel_rollout import cancel_rollout
from operations.describe_rollout import describe_rollout, list_rollouts
from operations.explain_rollout import describe_explanation, explain_rollout
from operations.resume_rollout import resume_rollout
from operations.start_rollout import Start, start_rollout
from plans.catalogue import Catalogue
from web.api.bodies import ReasonBody, StartBody
from web.api.caller import Caller, Me, SeenRollout, TakesJson
from web.api.explanation_facts import ExplainedFacts
from web.api.facts import RolloutFacts, RolloutHead

Limit = Annotated[int | None, Query(ge=1, le=1000, description="How many to list; all of them when it is left out")]
Before = Annotated[
    str, Query(pattern=r"^[a-z0-9]{0,16}$", description="The id of the last one you have; the list goes on after it")
]

router = APIRouter(prefix="/rollouts", tags=["rollouts"])


@router.get("", response_model=list[RolloutHead])
def list_(me: Me, limit: Limit = None, before: Before = "") -> Any:
    """List the rollouts you have a part in, newest first; an administrator sees all of them."""
    return list_rollouts(me.db, seen_by=me.address, limit=limit, before=before)


@router.post("", response_model=RolloutFacts, status_code=201, dependencies=[TakesJson])
def start(me: Me, body: StartBody, response: Response) -> Any:
    """Start a rollout; you are its requester."""
    loaded = Catalogue(me.house.settings.plan_folders).load(body.plan)
    begun = Start(
        plan=loaded.plan,
        source=loaded.source,
        title=body.title,
        requester=me.address,
        owner=body.owner,
        language=body.language,
        start_on=body.start_on,
        people=body.people,
        budget=body.budget,
        inputs=body.inputs,
        channel=me.actor.channel,
    )
    rollout_id = start_rollout(me.db, me.keys, begun, me.now)
    response.headers["Location"] = f"/api/v1/rollouts/{rollout_id}"
    return _shown(me, rollout_id)


@router.get("/{rollout_id}", response_model=RolloutFacts)
def show(me: Me, rollout_id: SeenRollout) -> Any:
    """Show where a rollout stands: its stages and gates, who is waited for, and what was decided."""
    return _shown(me, rollout_id)


@router.get("/{rollout_id}/explanation", response_model=ExplainedFacts)
def explain(me: Me, rollout_id: SeenRollout) -> Any:
    """Say why a rollout does not go on: what is missing, from whom, what comes next, and what one could do."""
    return describe_explanation(explain_rollout(me.db, rollout_id, me.now))


@router.post("/{rollout_id}/resume", response_model=RolloutFacts, dependencies=[TakesJson])
def resume(me: Me, rollout_id: SeenRollout, body: ReasonBody) -> Any:
    """Take a rollout off hold. The gates that stopped it are asked again."""
    resume_rollout(me.db, me.keys, rollout_id, body.reason, me.actor, me.now)
    return _shown(me, rollout_id)


@router.post("/{rollout_id}/cancel", response_model=RolloutFacts, dependencies=[TakesJson])
def cancel(me: Me, rollout_id: SeenRollout, body: ReasonBody) -> Any:
    """Call a rollout off. Links that were mailed no longer count."""
    cancel_rollout(me.db, me.keys, rollout_id, body.reason, me.actor, me.now)
    return _shown(me, rollout_id)


def _shown(me: Caller, rollout_id: str) -> dict[str, Any]:
    return describe_rollout(me.db, rollout_id, me.now)
