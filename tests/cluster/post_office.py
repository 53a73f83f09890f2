"""A mail server that keeps what it takes, and can be slow to say so."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

_LINK = re.compile(r"http\S+/decide/\S+")
_CODE = re.compile(r"^\s*(\d{3}) (\d{3})\s*$", re.MULTILINE)


@dataclass(frozen=True)
class Mail:
    """A mail as it came: from which port, to whom, as what, and when."""

    port: int
    recipient: str
    message: EmailMessage
    at: datetime

    @property
    def id(self) -> str:
        """Its Message-ID."""
        return str(self.message["Message-ID"])

    @property
    def text(self) -> str:
        """What it says."""
        body = self.message.get_body(("plain",))
        assert body is not None
        return str(body.get_content())

    @property
    def about(self) -> tuple[str, ...]:
        """Whom it tells of what; its gate is "None" when it says several things together."""
        names = ("X-Etappe-Kind", "X-Etappe-Rollout", "X-Etappe-Gate")
        return self.recipient, *(str(self.message[name]) for name in names)

    @property
    def asks(self) -> bool:
        """Whether it asks for an answer."""
        return str(self.message["X-Etappe-Kind"]) == "request"

    @property
    def link(self) -> str:
        """The one link by which it is answered."""
        [link] = _LINK.findall(self.text)
        return str(link)

    @property
    def code(self) -> str:
        """The code beside it, as somebody types it."""
        [(first, second)] = _CODE.findall(self.text)
        return f"{first}{second}"


class PostOffice:
    """Takes mails. While it is `slow`, it does not say that it has taken one, unless that asks for an answer.

    A mail that asks would not be sent again: it is dropped when the answer came first.
    """

    def __init__(self) -> None:
        self.mails: list[Mail] = []
        self.slow = False
        self._unanswered: dict[int, str] = {}

    @contextmanager
    def open(self, host: str, port: int) -> Iterator[None]:
        """Take mails there until the block ends."""
        door = Controller(self, hostname=host, port=port)
        door.start()
        try:
            yield
        finally:
            self.slow = False
            door.stop()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Take one mail, which is for one person."""
        port = int(session.peer[1])  # type: ignore[index]  # a TCP connection has one
        message = message_from_bytes(envelope.original_content or b"", policy=policy.default)
        assert isinstance(message, EmailMessage)
        mail = Mail(port, envelope.rcpt_tos[0], message, datetime.now(UTC))
        self.mails.append(mail)
        if self.slow and not mail.asks:
            self._unanswered[port] = mail.id
            while self.slow:
                await asyncio.sleep(0.01)
            del self._unanswered[port]
        return "250 taken"

    def unanswered(self, ports: set[int]) -> set[str]:
        """The Message-IDs of the mails that came from these ports and of which it was not said that they were taken."""
        return {self._unanswered[port] for port in ports & self._unanswered.keys()}

    def brought(self, ports: set[int], since: datetime) -> set[str]:
        """The Message-IDs of the mails that came from these ports since then."""
        return {mail.id for mail in list(self.mails) if mail.port in ports and mail.at >= since}

    def by_id(self) -> dict[str, list[Mail]]:
        """All mails by their Message-ID."""
        found: dict[str, list[Mail]] = {}
        for mail in list(self.mails):
            found.setdefault(mail.id, []).append(mail)
        return found
