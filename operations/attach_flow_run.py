"""Remember which flow run executes a rollout, and what Prefect's page already shows of it."""

from __future__ import annotations

from collections.abc import Iterable

from models.database import Database
from models.prefect_page import Bar, bars_of
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


def note_painted(db: Database, rollout_id: str, flow_run_id: str, sequence: int, bars: Iterable[Bar]) -> None:
    """Remember that Prefect's page shows the rollout as of audit entry `sequence`, with these bars."""
    with db.write(telling=False) as session:
        painted = {(bar.subject, bar.subject_id): bar for bar in session.scalars(bars_of(flow_run_id))}
        for bar in bars:
            if known := painted.get((bar.subject, bar.subject_id)):
                known.task_run_id, known.name, known.state = bar.task_run_id, bar.name, bar.state
            else:
                session.add(bar)
        rollout = session.scalars(rollout_locked(rollout_id)).one()
        if rollout.flow_run_id == flow_run_id:
            rollout.painted = max(rollout.painted, sequence)


def paint_again(db: Database, rollout_id: str) -> None:
    """Have the page painted again, though nothing has changed: its flow run has been at work, and lost its sentence."""
    with db.write() as session:
        rollout = session.scalars(rollout_locked(rollout_id)).one()
        rollout.painted = min(rollout.painted, rollout.sequence - 1)
