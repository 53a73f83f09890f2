"""Fakes that stand in for the outside world. Each one passes the same conformance tests as the real thing."""

from __future__ import annotations

from email import message_from_bytes, policy
from email.message import EmailMessage

from notifications.chat import ChatMessage
from notifications.senders import PermanentFailure, TemporaryFailure


class FakeSender:
    """Keeps what is sent in `sent`, as (recipient, message) read again from its bytes.

    `replies` is what the next mails are answered with: 250, 4xx, 5xx, or None for a server that is down. Once they are
    used up, every mail is taken.
    """

    def __init__(self, *replies: int | None) -> None:
        self.replies = list(replies)
        self.sent: list[tuple[str, EmailMessage]] = []

    def send(self, message: EmailMessage, recipient: str) -> None:
        """Take a mail, or refuse it as told."""
        reply = self.replies.pop(0) if self.replies else 250
        if reply is None:
            raise TemporaryFailure("The mail server cannot be used: connection refused.")
        if reply >= 500:
            raise PermanentFailure(f"The mail server did not take the mail: {reply} no.")
        if reply >= 400:
            raise TemporaryFailure(f"The mail server did not take the mail: {reply} later.")
        received = message_from_bytes(message.as_bytes(policy=policy.SMTP), policy=policy.default)
        self.sent.append((recipient, received))

    def close(self) -> None:
        """Nothing is held."""


class FakeChat:
    """Keeps what is sent in `sent`, as (address, message).

    `replies` is what the next messages are answered with: 200, another status, or None for a service that is down. Once
    they are used up, every message is taken. What does not look like an address is none.
    """

    def __init__(self, *replies: int | None) -> None:
        self.replies = list(replies)
        self.sent: list[tuple[str, ChatMessage]] = []

    def send(self, address: str, message: ChatMessage) -> None:
        """Take a message, or refuse it as told."""
        if "://" not in address:
            raise PermanentFailure("The address of the chat service cannot be used.")
        reply = self.replies.pop(0) if self.replies else 200
        if reply != 200:
            raise TemporaryFailure(f"The chat service did not take the message (status {reply}).")
        self.sent.append((address, message))
