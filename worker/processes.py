"""One command as several processes that share its work, forked from the one that was started, which watches."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

from domain.errors import EtappeError
from worker import leash

_ENDING = frozenset({signal.SIGTERM, signal.SIGINT})


def together(count: int, work: Callable[[], None]) -> None:
    """Do `work` in `count` processes, which share the sockets that this one has opened; for one, in this one.

    Several are copies of this one, which itself only waits: when SIGTERM or SIGINT says so, or one of them has ended,
    all are told to end at once, by SIGTERM. They are told so as well when this one dies. Returns in each process when
    its own work is done; in this one, when all have ended. Raises EtappeError there when one of them ended badly.
    """
    if count == 1:
        work()
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {*_ENDING, signal.SIGCHLD})
    started, copies = os.getpid(), list[int]()
    while len(copies) < count and os.getpid() == started:
        copies.append(os.fork())
    if os.getpid() != started:
        leash.die_with_parent(started, signal.SIGTERM)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        work()
        return
    while signal.sigwait({*_ENDING, signal.SIGCHLD}) == signal.SIGCHLD and not any(map(_has_ended, copies)):
        pass  # one that is merely stopped for a while signals too
    ended = _end(copies)
    signal.pthread_sigmask(signal.SIG_SETMASK, before)
    if any(ended):
        raise EtappeError(f"One of {count} processes ended unexpectedly ({next(filter(None, ended))}).")


def _has_ended(copy: int) -> bool:
    return os.waitid(os.P_PID, copy, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _end(copies: list[int]) -> list[str]:
    """Have all of them end, and wait; return how each did, "" for well."""
    for copy in copies:
        os.kill(copy, signal.SIGTERM)  # also when it has ended: it was not waited for, so its id is still its own
    codes = [os.waitstatus_to_exitcode(os.waitpid(copy, 0)[1]) for copy in copies]
    return ["" if not code else f"exit code {code}" if code > 0 else signal.Signals(-code).name for code in codes]
