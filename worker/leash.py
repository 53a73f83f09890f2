"""Runs one command so that it cannot outlive whoever started it, then gets out of the way (exec).

A script with nothing but the standard library, so that it starts within milliseconds:
`python -I -S leash.py PARENT_PID USER COMMAND...`, where USER may be empty. With a user, root's rights are dropped but
for reading and writing files (CAP_DAC_OVERRIDE): PostgreSQL refuses to run as root, and its folder may lie below a
directory that only root may enter, /root for one, whose mode is nobody's business to change.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import signal
import sys
from collections.abc import Sequence

PR_SET_PDEATHSIG = 1
PR_SET_KEEPCAPS = 8
PR_SET_CHILD_SUBREAPER = 36
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
CAP_DAC_OVERRIDE = 1
CAPABILITY_VERSION_3 = 0x20080522


class _CapabilityHeader(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _CapabilitySet(ctypes.Structure):
    _fields_ = (("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32))


def prctl(option: int, first: int = 0, second: int = 0) -> bool:
    """Call prctl(2); returns whether the kernel has done it. Elsewhere than on Linux nothing happens."""
    return sys.platform == "linux" and bool(ctypes.CDLL(None).prctl(option, first, second, 0, 0) == 0)


def die_with_parent(parent: int, signal_number: int) -> None:
    """Have the kernel send `signal_number` to this process as soon as `parent` is gone, which it may be already."""
    prctl(PR_SET_PDEATHSIG, signal_number)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal_number)


def adopt_orphans() -> None:
    """Make this process, not init, the parent of every descendant whose own parent dies."""
    prctl(PR_SET_CHILD_SUBREAPER, 1)


def become(user: str) -> None:
    """Turn from root into `user`, keeping only the right to reach files whatever their mode, if allowed to."""
    entry = pwd.getpwnam(user)
    prctl(PR_SET_KEEPCAPS, 1)
    os.setgroups([])
    os.setresgid(entry.pw_gid, entry.pw_gid, entry.pw_gid)
    os.setresuid(entry.pw_uid, entry.pw_uid, entry.pw_uid)
    bit = 1 << CAP_DAC_OVERRIDE
    header = _CapabilityHeader(CAPABILITY_VERSION_3, 0)
    capabilities = (_CapabilitySet * 2)(_CapabilitySet(bit, bit, bit), _CapabilitySet(0, 0, 0))
    if sys.platform == "linux" and ctypes.CDLL(None).capset(ctypes.byref(header), capabilities) == 0:
        prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_OVERRIDE)


def leashed(command: Sequence[str], user: str = "") -> list[str]:
    """Return the command that runs `command` so that it dies with this process.

    When this process is root's, it runs as `user`; anybody else's stays theirs.
    """
    become = user if os.geteuid() == 0 else ""
    return [sys.executable, "-I", "-S", os.path.abspath(__file__), str(os.getpid()), become, *command]


def main(arguments: list[str]) -> None:
    """Become the command, on the leash. Exits with 127 when it cannot be run."""
    parent, user, command = int(arguments[0]), arguments[1], arguments[2:]
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    try:
        if user:
            become(user)
        die_with_parent(parent, signal.SIGKILL)  # after become(): a change of user takes the leash off
        os.execvp(command[0], command)
    except OSError as error:
        print(f"{command[0]}{f' (as {user})' if user else ''}: {error.strerror}", file=sys.stderr)
        sys.exit(127)


if __name__ == "__main__":
    main(sys.argv[1:])
