"""Handing a message to a chat service through apprise, and saying whether another try can help.

Who hears what is operations/telling_chat.py; the words are operations/compose_chat.py. An address of a chat service is
a secret, since whoever has it can write there: none of them gets into a log or an error.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from notifications.senders import PermanentFailure, TemporaryFailure

if TYPE_CHECKING:
    from apprise import NotifyBase

_STATUS = re.compile(r"error=(\d{3})\b")
_CALLING = str.maketrans({"<": "‹", ">": "›", "@": "@\u2060"})


@dataclass(frozen=True)
class ChatMessage:
    """A few lines about a rollout, in their reader's language. `link` is the rollout's page, never a decision."""

    title: str
    lines: tuple[str, ...]
    link: str


class ChatSender(Protocol):
    """Delivers one message to one address of a chat service."""

    def send(self, address: str, message: ChatMessage) -> None:
        """Deliver a message. Raises TemporaryFailure, or PermanentFailure for an address that cannot be used."""


class AppriseSender:
    """Sends to Slack, Teams and whatever else apprise knows. One thread at a time.

    A service is kept once it is known, because it paces itself. It waits four seconds for a connection and as long for
    an answer, unless its address says otherwise (?cto=, ?rto=).
    """

    def __init__(self) -> None:
        self._services: dict[str, NotifyBase] = {}

    def send(self, address: str, message: ChatMessage) -> None:
        """Deliver a message. Raises TemporaryFailure, or PermanentFailure for an address that cannot be used."""
        with _listening() as heard:
            if address not in self._services:
                self._services[address] = _service(address)
            if not _takes(self._services[address], message):
                raise TemporaryFailure(f"The chat service did not take the message{heard.status}.")


def is_usable(address: str) -> bool:
    """Whether this is an address of a chat service that apprise knows."""
    with _listening():
        try:
            _service(address)
        except PermanentFailure:
            return False
    return True


def harmless(text: str) -> str:
    """Return a text that calls nobody and hides no link, whatever somebody has typed into a title.

    Slack reads <!channel> and <address|words>, many others @everyone, and Markdown is [words](address).
    """
    return text.translate(_CALLING).replace("](", "] (")


def _takes(service: NotifyBase, message: ChatMessage) -> bool:
    """Raises TemporaryFailure for whatever else goes wrong in there; what it says may hold the address."""
    from apprise import NotifyFormat

    # Teams makes no link of a bare address in a card, and everything else does.
    link = f"[Etappe]({message.link})" if "workflow" in (service.secure_protocol or ()) else message.link
    # A blank line between two makes a new line everywhere, also where Markdown is read.
    body = "\n\n".join([*map(harmless, message.lines), link])
    try:
        return bool(service.notify(title=harmless(message.title), body=body, body_format=NotifyFormat.TEXT))
    except Exception as problem:  # noqa: BLE001
        raise TemporaryFailure(f"The chat service cannot be used: {type(problem).__name__}.") from None


def _service(address: str) -> NotifyBase:
    from apprise import Apprise, AppriseAsset  # looks through more than a hundred services

    asset = AppriseAsset(app_id="Etappe", app_desc="Etappe", app_url="", image_url_mask="", storage_mode="memory")
    service = Apprise.instantiate(address, asset=asset) if "://" in address else None
    if service is None:
        raise PermanentFailure("The address of the chat cannot be used.")
    return service


class _Refusals(logging.Handler):
    """Hears the status that a service refuses a message with, which apprise only logs."""

    status = ""

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the status, and nothing else of what may name an address."""
        if found := _STATUS.search(record.getMessage()):
            self.status = f" (status {found[1]})"


@contextmanager
def _listening() -> Iterator[_Refusals]:
    """Hear what apprise logs, and let nothing of it out: of an address it cannot read, it logs all."""
    logger, heard = logging.getLogger("apprise"), _Refusals(logging.WARNING)
    before = logger.propagate, logger.handlers
    logger.propagate, logger.handlers = False, [heard]
    try:
        yield heard
    finally:
        logger.propagate, logger.handlers = before
