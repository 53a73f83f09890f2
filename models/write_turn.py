"""Whose turn it is to write: the threads of a process, and on SQLite all processes, queue up instead of colliding."""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

WRITE_AT_ONCE = 2
"""How many transactions of a process write to PostgreSQL at once: one waits for it while the other one reckons.

With more, threads wait for Python's interpreter at every statement: sixteen took half as much processor time again.
"""
SUFFIX = "-write"
"""After the name of SQLite's file: an empty file whose lock says whose turn it is."""


class WriteTurn:
    """Has threads wait until it is their turn. With a `file`, one at a time, over all processes that name that file.

    SQLite itself lets who waits for its lock sleep and try again, for up to a tenth of a second each. While another
    process writes without a pause there is hardly a moment to find the lock free: a relay waited for seconds, or in
    vain. Who waits for a file's lock is woken as soon as it is given back, as it is when a process dies.
    """

    def __init__(self, file: str = "") -> None:
        self._file = f"{file}{SUFFIX}" if file else ""
        self._threads = threading.BoundedSemaphore(1 if file else WRITE_AT_ONCE)

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Return when it is one's turn; it ends with the block."""
        with self._threads:
            if not self._file:
                yield
                return
            lock = os.open(self._file, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o666)  # anew: processes are forked
            try:
                fcntl.flock(lock, fcntl.LOCK_EX)
                yield
            finally:
                os.close(lock)
