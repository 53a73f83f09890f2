"""`etappe measure`: record a measured value, or those of a file; gates that wait for them are settled by them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from cli.opening import actor, opened
from cli.printing import now_utc, plural
from cli.typed import Moment
from operations.measured_file import read_values
from operations.record_measurement import record_measurement
from operations.record_measurements import record_measurements
from settings import Settings


@click.command(context_settings={"ignore_unknown_options": True})  # so that -3 is a value
@click.argument("rollout", default="")
@click.argument("metric", default="")
@click.argument("value", default="")
@click.option("--sample", type=click.IntRange(min=0), help="How many observations the value rests on.")
@click.option("--at", type=Moment(), help="When it was measured; now when it is left out.")
@click.option("--by", default="", metavar="EMAIL", help="Who reports it, for the record.")
@click.option("--csv", "file", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE",
              help="Record the values of a file instead, all or none: its first line names the columns rollout, "
                   "metric, value, and perhaps sample and measured_at.")  # fmt: skip
def measure(
    rollout: str, metric: str, value: str, sample: int | None, at: datetime | None, by: str, file: Path | None
) -> None:
    """Record the VALUE of a METRIC in a ROLLOUT."""
    if file is not None:
        _record_file(file, by, alone=not (rollout or at or sample is not None))
        return
    if not (rollout and metric and value):
        raise click.UsageError("Name the ROLLOUT, the METRIC and the VALUE, or a file with --csv.")
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


def _record_file(file: Path, by: str, *, alone: bool) -> None:
    if not alone:
        raise click.UsageError("With --csv, everything but --by stands in the file.")
    settings, now = Settings.from_environment(), now_utc()
    rows = read_values(file.read_bytes(), str(file), now)
    with opened(settings) as db:
        count = record_measurements(db, settings.secret_keys, str(file), rows, actor(db, by), now)
    click.echo(f"Recorded {plural(len(rows), 'value')} in {plural(count, 'rollout')}.")
