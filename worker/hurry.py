"""Standing back while people are asked: of all that a relay does, somebody waits for that.

Its threads share one processor, and Prefect's server may be on the same machine.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

LULL_SECONDS = 0.02
"""It is over when nobody was asked for so long; for as many times as long where several were asked without a pause."""
MOST_LULLS = 5
PAUSE_SECONDS = 0.06
"""Who is asked within so long after somebody else is asked without a pause: many decide then, or at several gates."""
AT_MOST_SECONDS = 5.0
"""While very many are asked without a pause, everything else has its turn now and then."""


class Hurry:
    """Whether somebody is being asked. For all threads of a relay; one of them asks."""

    def __init__(self) -> None:
        self._until, self._last = 0.0, -PAUSE_SECONDS
        self._times = 0
        self._asking = False

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Say that somebody is asked until the block ends, however long the mail server or the database takes."""
        self.goes_on()
        self._asking = True
        try:
            yield
        finally:
            self._last = time.monotonic()
            self._until = self._last + self.lull
            self._asking = False

    def goes_on(self) -> None:
        """Say that somebody is about to be asked."""
        now = time.monotonic()
        self._times = self._times + 1 if now < self._last + PAUSE_SECONDS else 1
        self._last, self._until = now, now + self.lull

    @property
    def lull(self) -> float:
        """For how many seconds nobody must be asked for it to be over."""
        return LULL_SECONDS * min(max(self._times, 1), MOST_LULLS)

    def lasts(self) -> bool:
        """Whether somebody is being asked or was a moment ago, so that others may have to be at once."""
        return self._left() > 0

    def wait_until_over(self, stop: threading.Event) -> None:
        """Return when nobody has been asked for a moment, or after AT_MOST_SECONDS, or when it is time to stop."""
        at_last = time.monotonic() + AT_MOST_SECONDS
        while (left := min(self._left(), at_last - time.monotonic())) > 0:
            if stop.wait(left):
                return

    def _left(self) -> float:
        return self.lull if self._asking else self._until - time.monotonic()
