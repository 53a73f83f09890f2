"""Noticing at once that a file is written to, where the system tells (Linux: inotify), without looking at it."""

from __future__ import annotations

import ctypes
import os
import select
import time
from contextlib import suppress

_MODIFIED = 2  # IN_MODIFY in linux/inotify.h


class FileWatch:
    """Watches one file that exists. For one thread. Where the system does not tell, nothing is ever noticed."""

    def __init__(self, path: str) -> None:
        self._events = _watching(path)
        self._poll = select.poll()
        if self._events is not None:
            self._poll.register(self._events, select.POLLIN)

    @property
    def works(self) -> bool:
        """Whether the system tells of this file."""
        return self._events is not None

    def wait(self, seconds: float) -> bool:
        """Wait until the file is written to, at most so many seconds; return whether it was since the last call."""
        if self._events is None:
            time.sleep(seconds)
            return False
        if not self._poll.poll(seconds * 1000):
            return False
        with suppress(BlockingIOError):
            os.read(self._events, 65536)
        return True

    def close(self) -> None:
        """Watch no longer."""
        if self._events is not None:
            os.close(self._events)
            self._events = None


def _watching(path: str) -> int | None:
    """A file descriptor from which it can be read that the file was written to; None where there is no such thing."""
    try:
        libc = ctypes.CDLL(None)
        events = int(libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))
        if events < 0:
            return None
        if libc.inotify_add_watch(events, os.fsencode(path), _MODIFIED) < 0:
            os.close(events)
            return None
    except (OSError, AttributeError):  # another system
        return None
    return events
