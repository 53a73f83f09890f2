"""One command as several processes that share its work: forked from the one that was started, and ended with it."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from domain.errors import EtappeError
from worker import leash


@contextmanager
def forked(count: int) -> Iterator[None]:
    """Run the block in `count` processes: this one, and copies of it that share the sockets it has opened.

    The block ends when SIGTERM says so, as it does when the process that was started has died, or one of the others.
    That one waits for the others. Raises EtappeError when one of them ended badly.
    """
    started = os.getpid()
    others = _fork(count - 1)
    if os.getpid() != started:
        leash.die_with_parent(started, signal.SIGTERM)
        yield
        return

    def look(*signalled: object) -> None:  # a process that is merely stopped for a while signals too
        if any(os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) for pid in others):
            os.kill(started, signal.SIGTERM)

    signal.signal(signal.SIGCHLD, look)
    look()
    try:
        yield
    finally:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        ended = [_end(pid) for pid in others]
    if any(ended):
        raise EtappeError(f"One of {count} processes ended unexpectedly ({next(filter(None, ended))}).")


def _fork(count: int) -> list[int]:
    """Return the ids of so many copies here, and in each copy of those before it, which are not its own to wait for."""
    copies: list[int] = []
    for _ in range(count):
        copy = os.fork()
        if not copy:
            break
        copies.append(copy)
    return copies


def _end(copy: int) -> str:
    """Have a copy end; return how it did, "" for well."""
    os.kill(copy, signal.SIGTERM)  # also when it has ended: it was not waited for, so its id is still its own
    code = os.waitstatus_to_exitcode(os.waitpid(copy, 0)[1])
    if code == 0:
        return ""
    return f"exit code {code}" if code > 0 else signal.Signals(-code).name
