"""Verify the record: whether each rollout's chain of entries holds, up to the head the rollout keeps. Read only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.exc import StatementError
from sqlalchemy.orm import Session

from domain import record
from domain.errors import UnknownRollout
from domain.evidence import canonical_json
from models.database import Database
from models.record import entries_of
from models.rollouts import Rollout, rollouts_newest_first

_CHANGED = "this entry, or the one before it, is not what was written"
_ENDS_ELSEWHERE = "the record ends here, but the rollout says that it goes on or ends otherwise"
_UNREADABLE = "an entry of this record cannot be read"


@dataclass(frozen=True)
class ChainReport:
    """What is to be said of one rollout's record. `broken_at` is the number of the first entry that does not hold."""

    rollout_id: str
    entries: int
    broken_at: int | None = None
    because: str = ""

    @property
    def holds(self) -> bool:
        """Whether nothing in it was changed, left out or cut off."""
        return not self.because


def verify_record(db: Database, rollout_id: str = "") -> list[ChainReport]:
    """Verify one rollout's record, or every rollout's, newest first. Raises UnknownRollout."""
    with db.read() as session:
        if not rollout_id:
            return [_verify(session, rollout) for rollout in session.scalars(rollouts_newest_first()).all()]
        rollout = session.get(Rollout, rollout_id)
        if rollout is None:
            raise UnknownRollout(f"There is no rollout “{rollout_id}”; `etappe rollout list` shows them all.")
        return [_verify(session, rollout)]


def _verify(session: Session, rollout: Rollout) -> ChainReport:
    try:
        rows = session.scalars(entries_of(rollout.id)).all()
    except (ValueError, TypeError, StatementError):
        return ChainReport(rollout.id, 0, None, _UNREADABLE)
    broken_at = _first_break([row.written() for row in rows])
    if broken_at is not None:
        return ChainReport(rollout.id, len(rows), broken_at, _CHANGED)
    head = rows[-1].entry_hash if rows else ""
    if (rollout.sequence, rollout.head_hash) != (len(rows), head):
        return ChainReport(rollout.id, len(rows), len(rows), _ENDS_ELSEWHERE)
    return ChainReport(rollout.id, len(rows))


def _first_break(entries: Sequence[dict[str, Any]]) -> int | None:
    """The first entry that does not follow; one without a canonical form was never written by us."""
    strange = next((place for place, entry in enumerate(entries) if not _has_canonical_form(entry)), None)
    broken_at = record.first_break(entries[:strange])
    if broken_at is None and strange is not None:
        return int(entries[strange]["sequence"])
    return broken_at


def _has_canonical_form(entry: dict[str, Any]) -> bool:
    try:
        canonical_json(entry)
    except (TypeError, ValueError):
        return False
    return True
