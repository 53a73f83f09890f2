"""Flows for tests of gates that start a flow run: one that takes its time, with parameters of several types."""

from __future__ import annotations

import time

from prefect import flow


@flow(name="sleeper", persist_result=False)
def sleeper(seconds: float = 0, hosts: list[str] | None = None, careful: bool = False, note: str = "") -> None:
    """Sleep so many seconds."""
    time.sleep(seconds)
