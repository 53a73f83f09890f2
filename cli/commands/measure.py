"""`etappe measure`: record a measured value; gates that wait for it are settled by it."""

from __future__ import annotations

from datetime import datetime

import click

from cli.opening import actor, opened
from cli.printing import now_utc
from cli.typed import Moment
from operations.record_measurement import record_measurement
from settings import Settings


@click.command(context_settings={"ignore_unknown_options": True})  # so that -3 is a value
@click.argument("rollout")
@click.argument("metric")
@click.argument("value")
@click.option("--sample", type=click.IntRange(min=0), help="How many observations the value rests on.")
@click.option("--at", type=Moment(), help="When it was measured; now when it is left out.")
@click.option("--by", default="", metavar="EMAIL", help="Who reports it, for the record.")
def measure(rollout: str, metric: str, value: str, sample: int | None, at: datetime | None, by: str) -> None:
    """Record the VALUE of a METRIC in a ROLLOUT."""
    settings = Settings.from_environment()
    with opened(settings) as db:
        record_measurement(
            db,
            settings.secret_keys,
            rollout,
            metric,
            value,
            actor(db, by),
            now_utc(),
            sample="" if sample is None else str(sample),
            measured_at=at,
        )
    click.echo(f"Recorded {metric} = {value}. To see what came of it: etappe rollout show {rollout}")
