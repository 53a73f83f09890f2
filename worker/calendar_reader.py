"""Reading the calendars that say when people are away, once a day, and soon after one is named.

Each is asked for outside of any transaction, by the rules of worker/asking.py; operations/ records what was found.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from domain.absence import Days
from operations.calendars_due import CalendarLook, calendars_due
from operations.installation import Installation
from operations.record_calendar import record_calendar
from worker.asking import Network, NotAnswered, ask
from worker.busy_days import NotRead, read_apart
from worker.post import now

log = logging.getLogger("etappe.calendars")

AT_ONCE = 2
SECONDS = 20.0
LARGEST = 2 * 1024 * 1024
"""A calendar of many years is about 1 MB."""


class CalendarReader:
    """Reads the calendars of one installation."""

    def __init__(
        self, installation: Installation, clock: Callable[[], datetime] = now, network: Network = Network()
    ) -> None:
        self._db, self._installation = installation.db, installation
        self._hosts = frozenset(installation.settings.check_hosts)
        self._now, self._network = clock, network

    def read_all(self) -> int:
        """Read every calendar whose time has come, and return how many there were."""
        due = calendars_due(self._db, self._now())
        if due:
            with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="calendars") as pool:
                list(pool.map(self._read_or_log, due))
        return len(due)

    def _read_or_log(self, look: CalendarLook) -> None:
        """Whatever is wrong with one calendar must not keep the others waiting; the next round tries it again."""
        try:
            record_calendar(self._db, self._installation.keys, look, self._found(look), self._now())
        except Exception:
            log.exception("the calendar of %s could not be read", look.person)

    def _found(self, look: CalendarLook) -> list[Days] | str:
        try:
            accept = {"Accept": "text/calendar"}
            content = ask(look.address, SECONDS, self._hosts, accept, self._network, LARGEST)
            return read_apart(content, look.time_zone, look.window)
        except (NotAnswered, NotRead) as failure:
            return str(failure)
