"""One round of keeping Prefect in step.

Flow runs for new rollouts, those that gates start, pages painted, wakes delivered, strays repaired.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from datetime import datetime, timedelta
from functools import partial
from itertools import islice

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.states import Paused

from models.prefect_page import Bar
from models.rollouts import Rollout, rollouts_unpainted
from operations.attach_flow_run import attach_flow_run, note_painted
from operations.chart import Chart, chart
from operations.installation import Installation
from operations.queues import lines
from tasks import flow_runs, run_gates
from worker.post import now
from worker.prefect_page import paint, summary
from worker.prefect_server import worker_name

REPAIR_EVERY = timedelta(seconds=5)
LOOK_AT_RUNS_EVERY = timedelta(seconds=2)
PAINTED_AT_ONCE = 2
LOOKED_UP_TOGETHER = 4
"""So few, because somebody may cancel a flow run after it was looked up, and what is said in its state hides that."""
_ON_ITS_WAY = (StateType.SCHEDULED, StateType.PENDING, StateType.RUNNING)


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
            self._client = get_client(sync_client=True).__enter__()
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

        Several at once: while Prefect works on one, the next is drawn.
        """
        with self._installation.db.read() as session:
            changed = {rollout.id: rollout.flow_run_id for rollout in session.scalars(rollouts_unpainted())}
        wanted = {**changed, **self._moved_up()}
        with ThreadPoolExecutor(PAINTED_AT_ONCE, thread_name_prefix="painter") as painters:
            for some in _batches(wanted):
                self._give_way()
                runs = flow_runs.read(client, [run_id for rollout_id in some if (run_id := wanted[rollout_id])])
                to_paint = partial(self._paint_or_log, client, runs)  # in this thread's context, where settings are
                for under_way in [painters.submit(copy_context().run, to_paint, rollout_id) for rollout_id in some]:
                    under_way.result()
        return bool(changed)

    def _moved_up(self) -> dict[str, str | None]:
        """The rollouts whose queue has moved: nothing in them has changed, but their page says who uses what."""
        before, self._lines = self._lines, lines(self._installation.db)
        moved = [rollout_id for rollout_id, line in self._lines.items() if before.get(rollout_id) != line]
        if not moved:
            return {}
        with self._installation.db.read() as session:
            return {rollout_id: session.get_one(Rollout, rollout_id).flow_run_id for rollout_id in moved}

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

    def _paint_or_log(self, client: SyncPrefectClient, runs: Mapping[str, FlowRun], rollout_id: str) -> None:
        with flow_runs.going_on(f"rollout {rollout_id} is not painted"):
            self._paint(client, runs, rollout_id)

    def _paint(self, client: SyncPrefectClient, runs: Mapping[str, FlowRun], rollout_id: str) -> None:
        wanted = chart(self._installation.db, rollout_id, self._now())
        if wanted is None:
            return
        run = runs.get(wanted.flow_run_id)
        if run is None:
            attach_flow_run(self._installation.db, rollout_id, None)
            return
        bars = paint(client, wanted)
        if run.state_type in _ON_ITS_WAY and not wanted.finished:
            self._note(wanted, bars, up_to=wanted.sequence - 1)  # its sentence follows once it is suspended
            return
        if run.state_type is StateType.PAUSED and not wanted.finished:
            _say(client, run, wanted)
        self._note(wanted, bars, up_to=wanted.sequence)

    def _note(self, wanted: Chart, bars: Iterable[Bar], up_to: int) -> None:
        changed = [bar for bar in bars if not _is_painted(wanted, bar)]
        if changed or up_to > wanted.shown:  # every write wakes the relay again
            note_painted(self._installation.db, wanted.rollout_id, wanted.flow_run_id, up_to, changed)


def _batches(wanted: Iterable[str]) -> Iterator[list[str]]:
    left = iter(wanted)
    while some := list(islice(left, LOOKED_UP_TOGETHER)):
        yield some


def _is_painted(wanted: Chart, bar: Bar) -> bool:
    painted = wanted.painted.get((bar.subject, bar.subject_id))
    return painted is not None and (painted.name, painted.state) == (bar.name, bar.state)


def _say(client: SyncPrefectClient, run: FlowRun, wanted: Chart) -> None:
    """Say in the flow run's state who is waited for. Forced, since Prefect allows no suspended run to be suspended."""
    name, message = summary(wanted)
    if run.state is None or (run.state.name, run.state.message) != (name, message):
        client.set_flow_run_state(run.id, Paused(name=name, message=message, reschedule=True), force=True)
