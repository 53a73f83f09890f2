"""Write down what became of messages: sent, dropped, to be tried again, or dead."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import bindparam, update
from sqlalchemy.orm import Session

from domain.reasons import Fact, Reason
from models.database import Database
from models.outbox import CHAT, Message, MessageState, dead_chat_messages
from notifications import retries
from operations.telling import inform
from operations.workspace import Workspace, lock

_SETTLE = (
    update(Message)
    .where(Message.id.in_(bindparam("ids")))
    .values(state=bindparam("to_state"), settled_at=bindparam("at"), leased_until=None, tries=Message.tries + 1)
    .execution_options(synchronize_session=False)
)


def settle_messages(db: Database, ids: Collection[int], state: MessageState, now: datetime) -> None:
    """Say that these messages were sent, or dropped because they were no longer true."""
    with db.write_at_once() as session:
        session.execute(_SETTLE, {"ids": list(ids), "to_state": state, "at": now})


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
    """Say that these messages can never be delivered; the rollout's owner is told, unless it is their own mail.

    Of a chat that takes nothing they hear once in a rollout, however much is written for it.
    """
    for message_id in ids:  # a transaction each: a digest is about several rollouts, and a verb locks one of them
        with db.write() as session:
            _bury(session, session.get_one(Message, message_id), error, now)


def _bury(session: Session, message: Message, error: str, now: datetime) -> None:
    message.state, message.settled_at, message.leased_until = MessageState.DEAD, now, None
    message.tries += 1
    message.last_error = error
    if message.rollout_id is not None:
        ws = lock(session, (), message.rollout_id, now)
        ws.note("message.dead", facts={"message": message.id, "person": message.recipient, "error": error})
        tell = _tell_of_chat if message.topic == CHAT else _tell_the_owner
        tell(ws, message, error)


def _tell_the_owner(ws: Workspace, message: Message, error: str) -> None:
    facts: dict[str, Fact] = {"person": message.recipient, "error": error}
    others = [person for person in (ws.rollout.owner, ws.rollout.requester) if person != message.recipient]
    inform(
        ws,
        others,
        Reason("A mail could not be delivered to {person}", {"person": message.recipient}),
        [Reason("The mail server said: {error}", facts)],
        [Reason("Put the right address into the directory file and import it again, or speak to them yourself.")],
    )


def _tell_of_chat(ws: Workspace, message: Message, error: str) -> None:
    dead = ws.session.scalars(dead_chat_messages(ws.rollout.id, message.recipient))
    if any(other.id != message.id for other in dead):
        return
    inform(
        ws,
        [ws.rollout.owner, ws.rollout.requester],
        Reason("A chat message could not be delivered to {recipient}", {"recipient": message.recipient}),
        [
            Reason("The reason: {error}", {"error": error}),
            Reason(
                "All of it is in mails and on the rollout's page as well. You will not hear of this chat again here."
            ),
        ],
        [Reason("Tell whoever runs Etappe: etappe doctor says which chats cannot be used.")],
    )
