"""Painting the pages of some rollouts in Prefect together: their bars by one request, then what is around them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import FlowRun, StateType

from models.prefect_page import Bar
from operations.attach_flow_run import Painted, attach_flow_run, note_painted
from operations.chart import Chart, charts
from operations.installation import Installation
from tasks import flow_runs
from worker.bars import DrawnBar, not_shown, send
from worker.prefect_page import bars_as_drawn, bars_to_draw, paint_around, summary
from worker.sentences import say

_ON_ITS_WAY = (StateType.SCHEDULED, StateType.PENDING, StateType.RUNNING)


@dataclass(frozen=True)
class _Page:
    """A rollout's page: what it should show, the flow run it belongs to, and the bars that look different by now."""

    wanted: Chart
    run: FlowRun
    drawn: Sequence[DrawnBar]

    @property
    def has_a_sentence(self) -> bool:
        """Whether its flow run says who is waited for: one that works or has ended says something else."""
        return self.run.state_type is StateType.PAUSED and not self.wanted.finished


def paint(
    client: SyncPrefectClient, installation: Installation, rollout_ids: Sequence[str], now: datetime
) -> list[str]:
    """Bring the pages of these rollouts up to date, and note it. Raises what Prefect's client raises when it is away.

    Returns those that are not painted: Prefect refuses something, or has taken bars that it does not show.
    """
    left = set(rollout_ids)
    with flow_runs.going_on(f"rollouts {', '.join(rollout_ids)} are not painted"):
        pages, gone = _looked_up(client, installation, rollout_ids, now)
        left -= gone
        drawn = [bar for page in pages for bar in page.drawn]
        send(client, drawn)
        unsaid = say(client, [(page.run, summary(page.wanted)) for page in pages if page.has_a_sentence])
        around = dict(_painted_around(client, pages))
        missing = not_shown(client, drawn)
        done = [
            page for page in pages
            if page.wanted.rollout_id in around and missing.isdisjoint(bar.task_run_id for bar in page.drawn)
        ]  # fmt: skip
        news = [_news(page, around[page.wanted.rollout_id], is_said=page.run.id not in unsaid) for page in done]
        note_painted(installation.db, [each for each in news if each])
        left -= {page.wanted.rollout_id for page in done}
    return sorted(left)


def _looked_up(
    client: SyncPrefectClient, installation: Installation, rollout_ids: Collection[str], now: datetime
) -> tuple[list[_Page], set[str]]:
    """Return the pages to paint, and the rollouts that have none by now."""
    found = charts(installation.db, rollout_ids, now)
    runs = flow_runs.read(client, [wanted.flow_run_id for wanted in found.values() if wanted])
    pages = [
        _Page(wanted, runs[wanted.flow_run_id], bars_to_draw(wanted))
        for wanted in found.values()
        if wanted and wanted.flow_run_id in runs
    ]
    gone = found.keys() - {page.wanted.rollout_id for page in pages}
    for rollout_id in gone:
        if found[rollout_id] is not None:
            attach_flow_run(installation.db, rollout_id, None)
    return pages, gone


def _painted_around(client: SyncPrefectClient, pages: Iterable[_Page]) -> Iterator[tuple[str, list[Bar]]]:
    """Bring everything but the bars up to date; give each rollout of which that is done."""
    for page in pages:
        with flow_runs.going_on(f"rollout {page.wanted.rollout_id} is not painted"):
            yield page.wanted.rollout_id, paint_around(client, page.wanted)


def _news(page: _Page, around: Iterable[Bar], *, is_said: bool) -> Painted | None:
    """What is to be noted of a page; None when that is known: every write wakes the relay again."""
    wanted = page.wanted
    waits = not is_said or (page.run.state_type in _ON_ITS_WAY and not wanted.finished)
    up_to = wanted.sequence - 1 if waits else wanted.sequence  # its sentence follows once it is suspended, or has ended
    changed = [bar for bar in (*bars_as_drawn(wanted), *around) if not _is_painted(wanted, bar)]
    if not changed and up_to <= wanted.shown:
        return None
    return Painted(wanted.rollout_id, wanted.flow_run_id, up_to, changed)


def _is_painted(wanted: Chart, bar: Bar) -> bool:
    painted = wanted.painted.get((bar.subject, bar.subject_id))
    return painted is not None and (painted.name, painted.state) == (bar.name, bar.state)
