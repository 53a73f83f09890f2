"""Call a rollout off: links die, and everybody who was being asked is told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from domain import typed_text
from domain.errors import InvalidInput, RolloutEnded
from domain.reasons import Reason
from domain.states import ENDED, Event
from models.database import Database
from models.requests import VoidReason
from operations.progress import end
from operations.rounds import withdraw
from operations.telling import inform
from operations.telling_chat import tell_channels
from operations.workspace import LIVING_STAGES, Actor, locked


def cancel_rollout(
    db: Database, keys: Sequence[bytes], rollout_id: str, reason: str, actor: Actor, now: datetime
) -> None:
    """Call a rollout off.

    Raises UnknownRollout, NotAllowed for a stranger, RolloutEnded, or InvalidInput without a reason.
    """
    words = typed_text.clean_text(reason, 2000)
    if not words:
        raise InvalidInput("Calling a rollout off needs a reason.", {"reason": Reason("Say why.")})
    with locked(db, keys, rollout_id, now, actor) as ws:
        ws.refuse_strangers()
        if ws.rollout.state in ENDED:
            raise RolloutEnded(f"The rollout is {ws.rollout.state} already; there is nothing left to call off.")
        under_way = [stage for stage in ws.stages() if stage.state in LIVING_STAGES]
        told = withdraw(ws, ws.stages(), VoidReason.CANCELLED)
        end(ws, Event.CANCELLED, words)
        headline = Reason("The rollout was called off")
        tell_channels(ws, headline, [Reason("Why: {reason}", {"reason": words})], stages=under_way)
        inform(
            ws,
            [ws.rollout.requester, ws.rollout.owner, *told],
            headline,
            [Reason("Links that were mailed no longer count; there is nothing left for you to do.")],
            quote=words,
            quoted=actor.address if "@" in actor.address else "",
        )
