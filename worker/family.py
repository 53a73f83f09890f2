"""A process and all that has come of it, looked for and ended together."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import psutil  # type: ignore[import-untyped]  # its stubs are a package of their own


def family(pid: int) -> list[psutil.Process]:
    """The process and all its descendants, those in sessions of their own included; empty when it is gone."""
    try:
        process = psutil.Process(pid)
        return [*process.children(recursive=True), process]
    except psutil.NoSuchProcess:
        return []


def end_all(processes: Sequence[psutil.Process], grace: timedelta = timedelta(seconds=2)) -> None:
    """Ask each process to end, and kill what is still there after `grace`."""
    for ask in (psutil.Process.terminate, psutil.Process.kill):
        alive = [process for process in processes if _is_alive(process)]
        for process in alive:
            try:
                ask(process)
            except psutil.NoSuchProcess:
                continue
        psutil.wait_procs(alive, timeout=grace.total_seconds())


def _is_alive(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running()) and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
