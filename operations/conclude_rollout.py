"""The last thing a flow run does for a rollout: take its end from the database, and clear the wake."""

from __future__ import annotations

from dataclasses import dataclass

from domain.states import ENDED, RolloutState
from models.database import Database
from models.rollouts import Rollout


@dataclass(frozen=True)
class Conclusion:
    """How a rollout ended, and why, in one sentence."""

    state: RolloutState
    because: str


def conclude_rollout(db: Database, rollout_id: str) -> Conclusion:
    """Return how a rollout ended; its flow run need not be woken any more."""
    with db.write() as session:
        rollout = session.get_one(Rollout, rollout_id)
        if rollout.state in ENDED:
            rollout.wake_at = None
        return Conclusion(rollout.state, rollout.ended_because or "")
