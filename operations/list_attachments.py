"""List what is attached to a rollout, as facts, for the command line and the API. Read only."""

from __future__ import annotations

from typing import Any

from domain.errors import UnknownRollout
from models.database import Database
from models.evidence import attachments_of
from models.rollouts import Rollout


def list_attachments(db: Database, rollout_id: str) -> list[dict[str, Any]]:
    """Return what is attached now, by name: id, name, size in bytes, digest or url, added_by, added_at (ISO 8601, UTC).

    Raises UnknownRollout.
    """
    with db.read() as session:
        if session.get(Rollout, rollout_id) is None:
            raise UnknownRollout(f"There is no rollout “{rollout_id}”; `etappe rollout list` shows them all.")
        return [
            {
                "id": one.id,
                "name": one.name,
                "size": one.size,
                "digest": one.digest,
                "url": one.url,
                "added_by": one.added_by,
                "added_at": one.added_at.isoformat(),
            }
            for one in session.scalars(attachments_of(rollout_id))
        ]
