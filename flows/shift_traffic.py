"""A sample of what a gate may start: moves the traffic of a made-up service to a release, step by step.

Which release has how much is a small file in the home, so that the next flow run goes on from there; what no release in
it has, stays with whatever ran before. The plan software-release starts it. For a service of your own, deploy a flow of
your own and name that in your plan.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Annotated

from prefect import flow, task
from prefect.artifacts import create_markdown_artifact
from prefect.logging import get_run_logger
from pydantic import Field

from settings import Settings

STEPS = 5
PAUSE_SECONDS = 0.2

Traffic = dict[str, int]
"""Releases, and how many percent of the traffic each has."""


def traffic_file(home: Path) -> Path:
    """Return where an installation keeps the sample's traffic."""
    return home / "sample-traffic.json"


def read_traffic(home: Path) -> Traffic:
    """Return where the traffic stands; before the first shift, no release has any."""
    try:
        return dict(json.loads(traffic_file(home).read_text(encoding="utf-8")))
    except FileNotFoundError:
        return {}


def write_traffic(home: Path, traffic: Traffic) -> None:
    """Put a new file in the place of the old one at once: whoever reads it sees the one or the other."""
    fresh = traffic_file(home).with_suffix(f".{os.getpid()}.new")
    fresh.write_text(json.dumps(traffic), encoding="utf-8")
    fresh.replace(traffic_file(home))


def steps(start: int, end: int) -> list[int]:
    """Return the percentages on the way from one to the other, the last one included; none when they are the same."""
    way = [start + (end - start) * step // STEPS for step in range(1, STEPS + 1)]
    return [percent for before, percent in zip([start, *way], way, strict=False) if percent != before]


def moved(traffic: Traffic, release: str, percent: int) -> Traffic:
    """Return the traffic with so much of it at one release; others keep what is left of theirs."""
    left, result = 100 - percent, {release: percent}
    for other, share in traffic.items():
        if other != release:
            result[other] = min(share, left)
            left -= result[other]
    return {name: share for name, share in result.items() if share}


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
    before = read_traffic(home)
    way = steps(before.get(release, 0), percent)
    for step in way[: len(way) // 2] if fail else way:
        move.with_options(task_run_name=f"{step} %")(release, step)
    if fail:
        write_traffic(home, before)
    create_markdown_artifact(described(read_traffic(home)), key="sample-traffic")
    if fail:
        raise RuntimeError(f"{release} does not answer; the traffic is back to where it was.")


@task(persist_result=False)
def move(release: str, percent: int) -> None:
    """Give a release so much of the traffic, and wait a moment to see how it does."""
    home = Settings.from_environment().home
    write_traffic(home, moved(read_traffic(home), release, percent))
    get_run_logger().info("%s has %d %% of the traffic", release, percent)
    time.sleep(PAUSE_SECONDS)


def described(traffic: Traffic) -> str:
    """Return where the traffic stands, in Markdown."""
    shares = [*traffic.items(), ("what ran before", 100 - sum(traffic.values()))]
    rows = [f"| {name} | {share} % |" for name, share in shares if share]
    return "\n".join(["| release | traffic |", "| --- | --- |", *rows])
