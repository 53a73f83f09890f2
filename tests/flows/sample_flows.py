"""Flows for tests: one that takes its time, with parameters of several types, and some that end in bad ways."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path
from uuid import uuid4

from prefect import flow
from prefect.flow_runs import suspend_flow_run


@flow(name="sleeper", persist_result=False)
def sleeper(seconds: float = 0, hosts: list[str] | None = None, careful: bool = False, note: str = "") -> None:
    """Sleep so many seconds."""
    time.sleep(seconds)


@flow(name="ends-badly", persist_result=False)
def ends_badly(how: str) -> None:
    """End without a word: by an exit code, or by a signal to itself."""
    if how == "exit":
        os._exit(7)
    os.kill(os.getpid(), signal.SIGKILL if how == "kill" else signal.SIGSEGV)


@flow(name="stubborn", persist_result=False)
def stubborn(file: str, seconds: float = 300) -> None:
    """Write down who it is and sleep, with a process of its own that sleeps as well."""
    with subprocess.Popen(["sleep", str(seconds)]) as own:
        Path(file).write_text(f"{os.getpid()} {own.pid}")
        own.wait()


@flow(name="napper", persist_result=False)
def napper(file: str) -> None:
    """Write down when it was run; the first time, suspend."""
    with Path(file).open("a") as lines:
        lines.write(f"{time.time()}\n")
    if len(Path(file).read_text().splitlines()) == 1:
        suspend_flow_run(timeout=None, key=str(uuid4()))
