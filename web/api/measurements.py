"""Measured values by API."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from domain.typed_text import plain_number
from operations.describe_rollout import describe_rollout
from operations.record_measurement import record_measurement
from web.api.bodies import MeasurementBody
from web.api.caller import Me, SeenRollout, TakesJson
from web.api.facts import RolloutFacts

router = APIRouter(tags=["measurements"])


@router.post(
    "/rollouts/{rollout_id}/measurements", response_model=RolloutFacts, status_code=201, dependencies=[TakesJson]
)
def measure(me: Me, rollout_id: SeenRollout, body: MeasurementBody) -> Any:
    """Record a value; gates that wait for it are settled by it."""
    record_measurement(
        me.db,
        me.keys,
        rollout_id,
        body.metric,
        plain_number(body.value),
        me.actor,
        me.now,
        sample="" if body.sample is None else str(body.sample),
        measured_at=body.measured_at,
    )
    return describe_rollout(me.db, rollout_id, me.now)
