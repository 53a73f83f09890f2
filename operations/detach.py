"""Take an attachment off a rollout; its bytes stay, since people may have approved them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from domain import typed_text
from domain.errors import UnknownAttachment
from domain.nearest import suggestion
from models.database import Database
from operations.attach import attached, facts_of, refuse_strangers
from operations.lapsing import lapse_what_changed
from operations.progress import progress
from operations.workspace import Actor, Workspace, locked

_LONGEST_NAME = 200


def detach(db: Database, keys: Sequence[bytes], rollout_id: str, name: str, actor: Actor, now: datetime) -> None:
    """Take an attachment off. Raises UnknownRollout, UnknownAttachment, RolloutEnded, NotAllowed for a stranger."""
    with locked(db, keys, rollout_id, now, actor) as ws:
        refuse_strangers(ws)
        remove(ws, name)
        lapse_what_changed(ws)
        progress(ws)


def remove(ws: Workspace, name: str) -> None:
    """Take an attachment off under the rollout's lock; lapsing is left to the caller. Raises UnknownAttachment."""
    current = attached(ws)
    found = current.get(typed_text.clean_line(name, _LONGEST_NAME))
    if found is None:
        raise UnknownAttachment(f"Nothing called “{name}” is attached to this rollout{suggestion(name, current)}")
    found.removed_at = ws.now
    ws.session.flush()
    ws.note("attachment.removed", facts=facts_of(found))
