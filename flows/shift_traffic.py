"""A sample of what a gate may start: moves the traffic of a made-up service to a new release, step by step.

Where the traffic stands is a small file in the home, so that the next flow run goes on from there. The plan
software-release starts it; for your own service, deploy a flow of your own and name that in your plan.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

from prefect import flow, task
from prefect.artifacts import create_markdown_artifact
from prefect.logging import get_run_logger
from pydantic import Field

from settings import Settings

STEPS = 5
PAUSE_SECONDS = 0.2


@dataclass(frozen=True)
class Traffic:
    """How much of the traffic a release has; the rest goes to what ran before."""

    release: str = ""
    percent: int = 0


def traffic_file(home: Path) -> Path:
    """Return where an installation keeps the sample's traffic."""
    return home / "sample-traffic.json"


def read_traffic(home: Path) -> Traffic:
    """Return where the traffic stands; before the first shift, no release has any."""
    try:
        return Traffic(**json.loads(traffic_file(home).read_text(encoding="utf-8")))
    except FileNotFoundError:
        return Traffic()


def write_traffic(home: Path, traffic: Traffic) -> None:
    """Put a new file in the place of the old one at once: whoever reads it sees the one or the other."""
    fresh = traffic_file(home).with_suffix(f".{os.getpid()}.new")
    fresh.write_text(json.dumps(asdict(traffic)), encoding="utf-8")
    fresh.replace(traffic_file(home))


def way(start: int, end: int) -> list[int]:
    """Return the percentages on the way from one to the other, the last one included; empty when it is no way."""
    steps = [start + (end - start) * step // STEPS for step in range(1, STEPS + 1)]
    return [percent for before, percent in zip([start, *steps], steps, strict=False) if percent != before]


@flow(name="shift-traffic", persist_result=False, validate_parameters=True)
def shift_traffic(
    release: Annotated[str, Field(min_length=1, max_length=100)],
    percent: Annotated[int, Field(ge=0, le=100)],
    fail: bool = False,
) -> None:
    """Give a release so many percent of the traffic, step by step.

    Args:
        release: What gets the traffic, such as `2.4.0`.
        percent: How much of the traffic, from 0 to 100.
        fail: Fail half-way, and put the traffic back to where it was: to see what a failure leads to.
    """
    home = Settings.from_environment().home
    began = read_traffic(home)
    start = began.percent if began.release == release else 0
    steps = way(start, percent)
    for place, step in enumerate(steps):
        if fail and place >= len(steps) // 2:
            break
        move.with_options(task_run_name=f"{step} %")(release, step)
    if fail:
        write_traffic(home, began)
    _say_where_it_stands(home)
    if fail:
        raise RuntimeError(f"{release} does not answer; the traffic is back to where it was.")


@task(persist_result=False)
def move(release: str, percent: int) -> None:
    """Give a release so much of the traffic, and wait a moment to see how it does."""
    write_traffic(Settings.from_environment().home, Traffic(release, percent))
    get_run_logger().info("%s has %d %% of the traffic", release, percent)
    time.sleep(PAUSE_SECONDS)


def _say_where_it_stands(home: Path) -> None:
    traffic = read_traffic(home)
    rest = f"\n\nThe other {100 - traffic.percent} % stay where they were." if traffic.percent < 100 else ""
    create_markdown_artifact(
        f"**{traffic.release or 'No release'}** has {traffic.percent} %.{rest}", key="sample-traffic"
    )
