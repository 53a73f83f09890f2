"""Remember which flow run executes a rollout, and what Prefect's page already shows of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from operator import attrgetter

from models.database import Database
from models.prefect_page import Bar, bars_of, shows
from models.reading import all_found, read_each
from models.rollouts import Rollout, rollout_locked


def attach_flow_run(db: Database, rollout_id: str, flow_run_id: str | None) -> None:
    """Say which flow run executes a rollout from now on; None when the one it had is gone.

    A new flow run has an empty page, so the whole rollout is painted again.
    """
    with db.write() as session:
        rollout = session.scalars(rollout_locked(rollout_id)).one()
        if rollout.flow_run_id != flow_run_id:
            rollout.flow_run_id, rollout.painted = flow_run_id, -1


def forget_wake(db: Database, rollout_id: str) -> None:
    """Stop waking a rollout's flow run: it has ended by itself, and so has the rollout."""
    with db.write() as session:
        session.get_one(Rollout, rollout_id).wake_at = None


@dataclass(frozen=True)
class Painted:
    """What Prefect's page shows of a rollout: everything up to audit entry `sequence`, with these bars among others."""

    rollout_id: str
    flow_run_id: str
    sequence: int
    bars: Sequence[Bar]


def note_painted(db: Database, pages: Collection[Painted]) -> None:
    """Remember what Prefect's pages show, all of them together.

    PostgreSQL locks a rollout for a new bar until the end: in the order of their ids, as whoever locks several does, so
    that none of them waits for one that waits for them.
    """
    if not pages:
        return
    pages = sorted(pages, key=attrgetter("rollout_id"))
    with db.write(telling=False) as session:
        found = read_each(session, bars_of, [(page.flow_run_id,) for page in pages])
        painted = {(bar.flow_run_id, bar.subject, bar.subject_id): bar for bar in all_found(found)}
        for bar in (bar for page in pages for bar in page.bars):
            if known := painted.get((bar.flow_run_id, bar.subject, bar.subject_id)):
                known.task_run_id, known.name, known.state = bar.task_run_id, bar.name, bar.state
            else:
                session.add(bar)
        session.flush()
        for page in pages:
            session.execute(shows(page.rollout_id, page.flow_run_id, page.sequence))


def paint_again(db: Database, rollout_id: str) -> None:
    """Have the page painted again, though nothing has changed: its flow run has been at work, and lost its sentence."""
    with db.write() as session:
        rollout = session.scalars(rollout_locked(rollout_id)).one()
        rollout.painted = min(rollout.painted, rollout.sequence - 1)
