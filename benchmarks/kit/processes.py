"""Processes looked at from outside: the memory they hold, and the time that they have worked."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # its stubs are a package of their own

TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Look:
    """Processes at one moment: resident memory in MB, their share of it in MB, and seconds of work so far.

    What several processes have in common is counted in the resident memory (RSS) of each, and divided among them in
    their shares (PSS), so that shares can be added up.
    """

    resident: float
    share: float
    worked: float


def look(pid: int) -> Look:
    """Look at a process. Raises FileNotFoundError when it has ended."""
    memory = {}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
        name, kilobytes, *_ = line.split()
        memory[name.rstrip(":")] = int(kilobytes) * 1024 / 1e6
    after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    ticks = sum(int(field) for field in after_name[11:15])  # proc_pid_stat(5): its own and of children that have ended
    return Look(memory["Rss"], memory["Pss"], ticks / TICKS_A_SECOND)


def look_at_family(pid: int) -> Look:
    """Look at a process and all its descendants as one. Raises psutil.NoSuchProcess when the first has ended."""
    looks = []
    for process in [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]:
        with suppress(FileNotFoundError, ProcessLookupError):  # a child may end at any moment
            looks.append(look(process.pid))
    return Look(sum(one.resident for one in looks), sum(one.share for one in looks), sum(one.worked for one in looks))
