"""Processes looked at from outside: the memory they hold, and the time that they have worked."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from pathlib import Path

TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Look:
    """One process at one moment: resident memory in MB, its share of it in MB, and seconds of work so far.

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
    user, system = int(after_name[11]), int(after_name[12])  # utime and stime, proc_pid_stat(5)
    return Look(memory["Rss"], memory["Pss"], (user + system) / TICKS_A_SECOND)


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
