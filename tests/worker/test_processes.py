"""Several processes of one command: they end together, whichever of them ends first, and are told so at once."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator

import psutil  # type: ignore[import-untyped]  # its stubs are a package of their own
import pytest

from settings import CHECKOUT

COUNT = 3
PATIENCE_SECONDS = 20
PROGRAM = """
import os, signal, sys, time
from domain.errors import EtappeError
from worker.processes import together

told = []
signal.signal(signal.SIGTERM, lambda number, frame: told.append(number))

def work():
    os.write(1, f"{os.getpid()}\\n".encode())
    while not told:
        time.sleep(0.02)
    os.write(1, b"told\\n")
    time.sleep(0.5)
    os.write(1, b"done\\n")

try:
    together(int(sys.argv[1]), work)
except EtappeError as refused:
    print(refused, flush=True)
    sys.exit(1)
"""


@pytest.fixture
def started() -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(COUNT)], cwd=CHECKOUT, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process
        process.kill()


def running(started: subprocess.Popen[str]) -> list[psutil.Process]:
    """Those that do the work, once they do."""
    assert started.stdout is not None
    pids = {int(started.stdout.readline()) for _ in range(COUNT)}
    assert len(pids) == COUNT and started.pid not in pids
    return [psutil.Process(pid) for pid in pids]


def are_gone(processes: list[psutil.Process]) -> bool:
    """Whether all end within seconds."""
    return not psutil.wait_procs(processes, timeout=PATIENCE_SECONDS)[1]


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGKILL])
def test_they_end_with_the_one_that_was_started(started: subprocess.Popen[str], ending: signal.Signals) -> None:
    processes = running(started)
    started.send_signal(ending)
    said, _ = started.communicate(timeout=PATIENCE_SECONDS)
    assert started.returncode == (0 if ending is signal.SIGTERM else -ending)
    assert said.split() == ["told"] * COUNT + ["done"] * COUNT
    assert are_gone(processes)


@pytest.mark.parametrize("which", range(COUNT))
def test_they_end_when_one_of_them_dies_and_it_is_said_how(started: subprocess.Popen[str], which: int) -> None:
    processes = running(started)
    processes[which].kill()
    said, _ = started.communicate(timeout=PATIENCE_SECONDS)
    assert said.endswith("One of 3 processes ended unexpectedly (SIGKILL).\n")
    assert started.returncode == 1
    assert are_gone(processes)


def test_one_that_stands_still_for_a_while_ends_nothing(started: subprocess.Popen[str]) -> None:
    processes = running(started)
    processes[1].suspend()
    processes[1].resume()
    assert psutil.wait_procs(processes, timeout=2)[0] == []


def test_one_that_ends_well_ends_the_others_well(started: subprocess.Popen[str]) -> None:
    processes = running(started)
    processes[1].terminate()
    started.communicate(timeout=PATIENCE_SECONDS)
    assert started.returncode == 0
    assert are_gone(processes)
