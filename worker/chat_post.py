"""Delivering to chat services: apart from mail, so that a service that is slow or down holds up nobody's mail."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from models.outbox import Message, MessageState, next_chat_message_due
from notifications import retries
from notifications.chat import ChatSender
from notifications.senders import PermanentFailure, TemporaryFailure
from operations.claim_chat_messages import claim_chat_messages
from operations.claim_messages import LEASE
from operations.compose_chat import ChatComposer
from operations.compose_message import workspace_for
from operations.installation import Installation
from operations.settle_message import bury, settle_messages, try_again_later
from worker.post import now

log = logging.getLogger("etappe.chat")


class ChatPost:
    """Delivers what the outbox of one installation has for chat services."""

    def __init__(
        self,
        installation: Installation,
        sender: ChatSender,
        clock: Callable[[], datetime] = now,
        stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        settings = installation.settings
        self._db = installation.db
        self._composer = ChatComposer(installation.keys, settings.base_url, dict(settings.chat_urls))
        self._sender = sender
        self._now = clock
        self._stopped = stopped

    def deliver_all(self) -> None:
        """Deliver until nothing is due, or until stopped. Looks before it takes, so that idling writes nothing."""
        while not self._stopped() and self._is_due():
            self.deliver()

    def _is_due(self) -> bool:
        with self._db.read() as session:
            due_at = session.scalar(next_chat_message_due(self._now()))
        return due_at is not None and due_at <= self._now()

    def deliver(self) -> None:
        """Deliver what is due now. Whoever did not answer is not tried a second time for the rest of it."""
        claimed_at = self._now()
        silent: dict[str, str] = {}
        for message in claim_chat_messages(self._db, claimed_at):
            if self._stopped() or self._now() - claimed_at > LEASE / 2:
                break
            if message.recipient in silent:
                self._not_now(message, silent[message.recipient])
            elif failure := self._deliver(message):
                silent[message.recipient] = failure

    def _deliver(self, message: Message) -> str:
        """Returns why it could not be delivered for now, "" when it is settled."""
        try:
            state = self._send(message)
        except PermanentFailure as failure:
            log.warning("a chat message to %s can never be delivered: %s", message.recipient, failure)
            bury(self._db, [message.id], str(failure), self._now())
        except TemporaryFailure as failure:
            self._not_now(message, str(failure))
            return str(failure)
        except Exception as error:
            log.exception("a chat message could not be written: %s", message.dedup_key)
            self._not_now(message, repr(error))
        else:
            settle_messages(self._db, [message.id], state, self._now())
        return ""

    def _send(self, message: Message) -> MessageState:
        with self._db.read() as session:
            ws = workspace_for(session, message, self._now())
            words = self._composer.compose(ws, message)
            address = self._composer.address(ws, message.recipient) if words else ""
        if not words or not address:
            return MessageState.DROPPED
        self._sender.send(address, words)
        return MessageState.SENT

    def _not_now(self, message: Message, error: str) -> None:
        log.info("not delivered to the chat of %s for now: %s", message.recipient, error)
        if retries.is_hopeless(message.created_at, self._now()):
            bury(self._db, [message.id], error, self._now())
        else:
            try_again_later(self._db, [message.id], error, self._now())
