"""Looking after gates that settle themselves: opens windows in time, asks https addresses, asks databases.

Whatever is asked, is asked outside of any transaction; operations/ records what was found.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from domain.checks import CheckAnswer
from domain.checks import read_answer as read_check
from domain.errors import InvalidInput
from domain.measurement import Value
from domain.plan import CheckGate, QueriedMetric
from domain.queried import read_answer as read_value
from operations.advance import advance
from operations.installation import Installation
from operations.looks import Look, looks_due
from operations.record_check_look import record_check_look
from operations.record_query_look import record_query_look
from worker.asking import Network, NotAnswered, ask
from worker.post import now
from worker.querying import NotRead, read

log = logging.getLogger("etappe.asker")

AT_ONCE = 8
"""How many other systems are asked at the same time, so that a slow one does not hold up the others."""


class Asker:
    """Looks after the gates of one installation."""

    def __init__(
        self, installation: Installation, clock: Callable[[], datetime] = now, network: Network = Network()
    ) -> None:
        self._db, self._installation = installation.db, installation
        self._hosts = frozenset(installation.settings.check_hosts)
        self._databases = dict(installation.settings.metric_databases)
        self._now, self._network = clock, network

    def look(self) -> int:
        """Look at every gate whose time has come, and return how many there were."""
        looks = looks_due(self._db, self._now())
        if looks:
            with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="asker") as pool:
                list(pool.map(self._look_or_log, looks))
        return len(looks)

    def _look_or_log(self, look: Look) -> None:
        """Whatever is wrong with one gate must not keep the others waiting; the next round tries it again."""
        try:
            self._look(look)
        except Exception:
            log.exception("the gate %s of the rollout %s could not be looked at", look.gate, look.rollout_id)

    def _look(self, look: Look) -> None:
        if isinstance(look.asks, CheckGate):
            found = self._asked(look, look.asks)
            record_check_look(self._db, self._installation.keys, look, found, self._now())
        elif isinstance(look.asks, QueriedMetric):
            value = self._queried(look.asks)
            record_query_look(self._db, self._installation.keys, look, value, self._now())
        else:
            advance(self._db, self._installation.keys, look.rollout_id, self._now())

    def _asked(self, look: Look, check: CheckGate) -> CheckAnswer | str:
        headers = {"X-Etappe-Rollout": look.rollout_id, "X-Etappe-Gate": look.gate}
        try:
            body = ask(check.asks or "", check.timeout_seconds, self._hosts, headers, self._network)
            return read_check(body, may_wait=True)
        except NotAnswered as failure:
            return str(failure)
        except InvalidInput as refusal:
            return f"its answer cannot be used: {refusal.sentence}"

    def _queried(self, queried: QueriedMetric) -> Value | str | None:
        address = self._databases.get(queried.database)
        if not address:
            return f"“{queried.database}” is not named in ETAPPE_METRIC_DATABASES"
        try:
            return read_value(read(address, queried.query), self._now())
        except NotRead as failure:
            return str(failure)
        except InvalidInput as refusal:
            return refusal.sentence
