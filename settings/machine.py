"""Which machine this is: whose clock a process reads."""

from __future__ import annotations

import os
import socket
from pathlib import Path

_MACHINE_ID = Path("/etc/machine-id")
"""Made when the system was installed, and the same ever after (machine-id(5)); not every system has one."""


def machine_name() -> str:
    """Return the host's name and, where there is one, the beginning of the machine's id: at most 100 characters.

    The same for all processes of a machine and after every restart, and another one on another machine, also where
    both hosts have the same name. A container has a new name after every restart; ETAPPE_MACHINE says where it runs.
    """
    if given := os.environ.get("ETAPPE_MACHINE", ""):
        return given[:100]
    try:
        machine = _MACHINE_ID.read_text(encoding="ascii").strip()[:16]
    except (OSError, ValueError):
        machine = ""
    return f"{socket.gethostname()[:80]}/{machine}".rstrip("/")
