"""Measured values by API: one as JSON, many as a CSV file."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body

from domain.typed_text import plain_number
from operations.describe_rollout import describe_rollout
from operations.measured_file import read_values
from operations.record_measurement import record_measurement
from operations.record_measurements import record_measurements
from web.api.bodies import MeasurementBody
from web.api.caller import Me, SeenRollout, TakesCsv, TakesJson
from web.api.facts import Facts, RolloutFacts

router = APIRouter(tags=["measurements"])


class RecordedFacts(Facts):
    """How many values were recorded, in how many rollouts."""

    values: int
    rollouts: int


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


@router.post("/measurements", response_model=RecordedFacts, status_code=201, dependencies=[TakesCsv])
def measure_all(me: Me, content: Annotated[bytes, Body(media_type="text/csv")]) -> Any:
    """Record the values of a CSV file, all or none; its first line names the columns rollout, metric, value.

    There may also be columns sample and measured_at. What follows in each rollout follows from all its values together.
    """
    rows = read_values(content, "body", me.now)
    rollouts = record_measurements(me.db, me.keys, "body", rows, me.actor, me.now)
    return {"values": len(rows), "rollouts": rollouts}
