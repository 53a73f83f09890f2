"""Standing back while people are asked: of all that a relay does, somebody waits for that.

Its threads share one processor, and Prefect's server may be on the same machine.
"""

from __future__ import annotations

import threading
import time

LULL_SECONDS = 0.02
"""It is over when nobody was asked for so long; for as many times as long where several were asked without a pause."""
MOST_LULLS = 5
AT_MOST_SECONDS = 2.0
"""While very many are asked without a pause, everything else has its turn now and then."""


class Hurry:
    """Whether somebody is being asked. For all threads of a relay."""

    def __init__(self) -> None:
        self._until = 0.0
        self._times = 0

    def goes_on(self) -> None:
        """Say that somebody is about to be asked."""
        now = time.monotonic()
        self._times = self._times + 1 if now < self._until else 1
        self._until = now + LULL_SECONDS * min(self._times, MOST_LULLS)

    def lasts(self) -> bool:
        """Whether somebody has been asked a moment ago, so that others may have to be at once."""
        return time.monotonic() < self._until

    def wait_until_over(self, stop: threading.Event) -> None:
        """Return when nobody has been asked for a moment, or after AT_MOST_SECONDS, or when it is time to stop."""
        at_last = time.monotonic() + AT_MOST_SECONDS
        while (left := min(self._until, at_last) - time.monotonic()) > 0:
            if stop.wait(left):
                return
