"""Do whatever is due in a rollout. Anyone may call it at any time; the flow run is its guaranteed caller."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.states import ENDED, RolloutState
from models.database import Database
from operations.progress import progress
from operations.workspace import locked


@dataclass(frozen=True)
class Progress:
    """Where a rollout stands after it was advanced."""

    rollout_id: str
    state: RolloutState
    finished: bool
    """Whether nothing can change any more; the flow run then only concludes."""


def advance(db: Database, keys: Sequence[bytes], rollout_id: str, now: datetime) -> Progress:
    """Do whatever is due, in one transaction. Calling it again changes nothing. Raises UnknownRollout."""
    with locked(db, keys, rollout_id, now) as ws:
        progress(ws)
        return Progress(rollout_id, ws.rollout.state, ws.rollout.state in ENDED)
