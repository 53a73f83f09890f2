"""One round of keeping Prefect in step.

Flow runs for new rollouts, those that gates start, pages painted, wakes delivered, strays repaired.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from datetime import datetime, timedelta
from functools import partial
from itertools import islice

from prefect.client.orchestration import SyncPrefectClient, get_client

from models.rollouts import rollouts_unpainted
from operations.installation import Installation
from operations.queues import lines
from tasks import flow_runs, run_gates
from worker.painter import paint
from worker.post import now
from worker.prefect_server import worker_name

REPAIR_EVERY = timedelta(seconds=5)
LOOK_AT_RUNS_EVERY = timedelta(seconds=2)
PAINTERS = 2
PAINTED_TOGETHER = 16
"""Rollouts: enough for what is asked of Prefect once for all of them to cost little."""
UNCOMPRESSED = {"headers": {"Accept-Encoding": "identity"}}
"""Prefect's server would compress each of its answers, with more work than some of them are."""
PUT_OFF_FOR = timedelta(seconds=10)


class Follower:
    """Follows one installation in Prefect. For one thread."""

    def __init__(
        self,
        installation: Installation,
        clock: Callable[[], datetime] = now,
        give_way: Callable[[], None] | None = None,
    ) -> None:
        """`give_way` is called between pages that are painted; it returns when nothing is more urgent."""
        self._installation, self._now = installation, clock
        self._give_way = give_way or (lambda: None)
        self._client: SyncPrefectClient | None = None
        self._since = self._now()
        self._orphans_taken_up = False
        self._repaired_at: datetime | None = None
        self._looked_at_runs: datetime | None = None
        self._lines: dict[str, tuple[int, ...]] = {}
        self._not_before: dict[str, datetime] = {}

    def close(self) -> None:
        """Give the connection to Prefect back."""
        if self._client is not None:
            self._client.__exit__(None, None, None)
            self._client = None

    def follow(self) -> datetime:
        """Do one round, and return when the next one begins at the latest. Raises whatever Prefect's client raises.

        The next round then begins with a new connection, and compares everything: much may have happened meanwhile.
        """
        try:
            return self._follow(self._connected())
        except Exception:
            self.close()
            self._repaired_at = None
            raise

    def _connected(self) -> SyncPrefectClient:
        if self._client is None:
            self._client = get_client(sync_client=True, httpx_settings=UNCOMPRESSED).__enter__()
        return self._client

    def _follow(self, client: SyncPrefectClient) -> datetime:
        self._take_up_orphans(client)
        flow_runs.launch(client, self._installation)
        is_waking = flow_runs.wake(client, self._installation, self._now())
        runs_under_way = self._follow_runs(client)
        changed = self._paint_changed(client)
        self._repair(client)
        if is_waking or changed:  # Prefect does not say when a flow run has done its part
            return self._now()
        return self._now() + (LOOK_AT_RUNS_EVERY if runs_under_way else REPAIR_EVERY)

    def _paint_changed(self, client: SyncPrefectClient) -> bool:
        """Paint what has changed, however often it has; return whether anything had.

        Several at once: while Prefect works on some, the next are drawn.
        """
        with self._installation.db.read() as session:
            changed = [rollout.id for rollout in session.scalars(rollouts_unpainted())]
        wanted = [one for one in dict.fromkeys([*changed, *self._moved_up()]) if not self._is_put_off(one)]
        with ThreadPoolExecutor(PAINTERS, thread_name_prefix="painter") as painters:
            under_way: deque[Future[list[str]]] = deque()
            for some in _batches(wanted):
                self._give_way()
                if len(under_way) == PAINTERS:
                    self._put_off(under_way.popleft().result())
                to_paint = partial(paint, client, self._installation, some, self._now())
                under_way.append(painters.submit(copy_context().run, to_paint))  # with this thread's settings
            for last in under_way:
                self._put_off(last.result())
        return bool(wanted)

    def _put_off(self, rollout_ids: Iterable[str]) -> None:
        """Paint these later: Prefect's server has taken their bars, and does not show them."""
        for rollout_id in rollout_ids:
            self._not_before[rollout_id] = self._now() + PUT_OFF_FOR

    def _is_put_off(self, rollout_id: str) -> bool:
        if self._now() < self._not_before.get(rollout_id, self._since):
            return True
        self._not_before.pop(rollout_id, None)
        return False

    def _moved_up(self) -> list[str]:
        """The rollouts whose queue has moved: nothing in them has changed, but their page says who uses what."""
        before, self._lines = self._lines, lines(self._installation.db)
        return [rollout_id for rollout_id, line in self._lines.items() if before.get(rollout_id) != line]

    def _take_up_orphans(self, client: SyncPrefectClient) -> None:
        """Once, at the start: relay and worker start together, so whatever was at work before has lost its worker."""
        if not self._orphans_taken_up:
            flow_runs.take_up_orphans(client, self._since, worker_name())
            self._orphans_taken_up = True

    def _follow_runs(self, client: SyncPrefectClient) -> bool:
        """Start what is to be started at once; look at what is under way no more often than is of use.

        Return whether there is any.
        """
        now = self._now()
        look = self._looked_at_runs is None or now - self._looked_at_runs >= LOOK_AT_RUNS_EVERY
        any_runs = run_gates.follow(client, self._installation, now, look=look)
        if look:
            self._looked_at_runs = now
        return any_runs

    def _repair(self, client: SyncPrefectClient) -> None:
        if self._repaired_at is None:
            flow_runs.repair_all(client, self._installation, self._now())
        elif self._now() - self._repaired_at >= REPAIR_EVERY:
            flow_runs.repair_recent(client, self._installation, self._now())
        else:
            return
        self._repaired_at = self._now()


def _batches(wanted: Iterable[str]) -> Iterator[list[str]]:
    left = iter(wanted)
    while some := list(islice(left, PAINTED_TOGETHER)):
        yield some
