"""Write down what became of messages: sent, dropped, to be tried again, or dead."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy.orm import Session

from domain.reasons import Fact, Reason
from models.database import Database
from models.outbox import Message, MessageState
from notifications import retries
from operations.telling import inform
from operations.workspace import Workspace, lock


def settle_messages(db: Database, ids: Collection[int], state: MessageState, now: datetime) -> None:
    """Say that these messages were sent, or dropped because they were no longer true."""
    with db.write() as session:
        for message_id in ids:
            message = session.get_one(Message, message_id)
            message.state, message.settled_at, message.leased_until = state, now, None
            message.tries += 1


def try_again_later(db: Database, ids: Collection[int], error: str, now: datetime) -> None:
    """Say that delivering failed for now; the pause grows with every try, and is one for what goes in one mail."""
    with db.write() as session:
        messages = [session.get_one(Message, message_id) for message_id in ids]
        tries = max((message.tries for message in messages), default=0) + 1
        for message in messages:
            message.tries += 1
            message.due_at, message.leased_until = retries.next_try(tries, now), None
            message.last_error = error


def bury(db: Database, ids: Collection[int], error: str, now: datetime) -> None:
    """Say that these messages can never be delivered; the rollout's owner is told, unless it is their own mail."""
    for message_id in ids:  # a transaction each: a digest is about several rollouts, and a verb locks one of them
        with db.write() as session:
            _bury(session, session.get_one(Message, message_id), error, now)


def _bury(session: Session, message: Message, error: str, now: datetime) -> None:
    message.state, message.settled_at, message.leased_until = MessageState.DEAD, now, None
    message.tries += 1
    message.last_error = error
    if message.rollout_id is not None:
        _tell_the_owner(lock(session, (), message.rollout_id, now), message, error)


def _tell_the_owner(ws: Workspace, message: Message, error: str) -> None:
    facts: dict[str, Fact] = {"person": message.recipient, "error": error}
    ws.note("message.dead", facts={"message": message.id, **facts})
    others = [person for person in (ws.rollout.owner, ws.rollout.requester) if person != message.recipient]
    inform(
        ws,
        others,
        Reason("A mail could not be delivered to {person}", {"person": message.recipient}),
        [Reason("The mail server said: {error}", facts)],
        [Reason("Put the right address into the directory file and import it again, or speak to them yourself.")],
    )
