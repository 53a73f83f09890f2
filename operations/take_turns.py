"""Let those open a stage whose turn at a resource has come: each rollout in its own transaction, under its own lock."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from models.database import Database
from models.exclusive import rollouts_whose_turn_has_come
from operations.advance import advance


def take_turns(db: Database, keys: Sequence[bytes], now: datetime) -> None:
    """Advance every rollout that is first in a queue and has not opened its stage. Writes nothing when nobody is.

    When one of them fails, the others are advanced first, and what it raised is raised then.
    """
    failed: list[Exception] = []
    for rollout_id in whose_turn_has_come(db):
        try:
            advance(db, keys, rollout_id, now)
        except Exception as failure:  # noqa: BLE001 - raised below
            failed.append(failure)
    if failed:
        raise failed[0]


def whose_turn_has_come(db: Database) -> list[str]:
    """Return the ids of the rollouts that are first in a queue, each once."""
    with db.read() as session:
        return list(dict.fromkeys(session.scalars(rollouts_whose_turn_has_come())))
