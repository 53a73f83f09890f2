"""Handing a mail to a mail server, and saying whether another try can help.

Whether and when to try again is notifications/retries.py; what to tell whom is the relay's.
"""

from __future__ import annotations

import select
import smtplib
import ssl
import time
from contextlib import suppress
from email.message import EmailMessage
from email.policy import Policy
from email.utils import getaddresses
from functools import lru_cache
from queue import Empty, LifoQueue
from typing import Protocol
from urllib.parse import unquote, urlsplit

from domain.errors import EtappeError

TIMEOUT_SECONDS = 20.0
ASK_AFTER_SECONDS = 30.0
"""How long a connection that is kept may rest before the server is asked whether it is still there."""
_PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_NOT_ABOUT_THE_MAIL = frozenset({530, 534, 535, 538})
"""Replies about who we are (RFC 4954, 6): an operator can mend them, and every mail would be lost meanwhile."""


class UnusableAddress(EtappeError):
    """ETAPPE_SMTP_URL cannot be used; write it like smtp+starttls://user:password@mail.example.com:587."""


class DeliveryFailure(EtappeError):
    """The mail was not delivered."""


class TemporaryFailure(DeliveryFailure):
    """The mail was not delivered; another try may succeed."""


class PermanentFailure(DeliveryFailure):
    """The mail was refused for good; another try would be refused as well."""


class Sender(Protocol):
    """Delivers one mail to one address."""

    def send(self, message: EmailMessage, recipient: str) -> None:
        """Deliver a mail. Raises TemporaryFailure or PermanentFailure."""

    def close(self) -> None:
        """Let go of what is held. Sending again is allowed afterwards."""


class SmtpSender:
    """Sends through one mail server and keeps the connection. One thread at a time.

    `url` is smtp://, smtps:// (TLS from the start) or smtp+starttls:// (TLS required before anything is sent), with
    user:password@ (percent-encoded) and a port where they are needed. Certificates are verified.
    """

    def __init__(self, url: str, timeout: float = TIMEOUT_SECONDS, context: ssl.SSLContext | None = None) -> None:
        """Raises UnusableAddress when `url` cannot be used. Does not connect yet."""
        self._scheme, self._host, self._port, self._user, self._password = _parsed(url)
        self._timeout = timeout
        self._context = context
        self._connection: smtplib.SMTP | None = None
        self._used_at = 0.0

    def send(self, message: EmailMessage, recipient: str) -> None:
        """Deliver a mail. Raises TemporaryFailure or PermanentFailure."""
        sender = _address_in(str(message["From"]))
        content = message.as_bytes(policy=_for_smtp(message.policy))
        try:
            self._connected().sendmail(sender, [recipient], content)
        except (smtplib.SMTPException, OSError, UnicodeError) as problem:
            self._forget_if_broken(problem)
            raise _failure(problem, self._server) from problem

    def close(self) -> None:
        """Say goodbye to the mail server."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(smtplib.SMTPException, OSError):
                connection.quit()
            connection.close()

    @property
    def _server(self) -> str:
        return f"{self._host}:{self._port}"

    def _connected(self) -> smtplib.SMTP:
        """The kept connection when it still answers, else a new one.

        Found out before a mail is sent and not after it failed: a mail whose answer was lost may have been taken. A
        server that ends a connection says so, and what it says can be read: only then, or after a while, it is asked.
        """
        if self._connection is not None and not self._is_fresh(self._connection) and not _answers(self._connection):
            self.close()
        if self._connection is None:
            self._connection = self._connect()
        self._used_at = time.monotonic()
        return self._connection

    def _is_fresh(self, connection: smtplib.SMTP) -> bool:
        """Whether the connection was used a moment ago, and the server has said nothing since."""
        if connection.sock is None or time.monotonic() - self._used_at > ASK_AFTER_SECONDS:
            return False
        return not select.select([connection.sock], [], [], 0)[0]

    def _connect(self) -> smtplib.SMTP:
        try:
            connection = self._greeted()
        except (smtplib.SMTPException, OSError, UnicodeError) as problem:
            raise TemporaryFailure(f"The mail server {self._server} cannot be used: {_said(problem)}.") from problem
        try:
            if self._scheme == "smtp+starttls":
                connection.starttls(context=self._tls())
            if self._user:
                connection.login(self._user, self._password)
        except (smtplib.SMTPException, OSError, UnicodeError) as problem:
            connection.close()
            raise TemporaryFailure(f"The mail server {self._server} cannot be used: {_said(problem)}.") from problem
        return connection

    def _greeted(self) -> smtplib.SMTP:
        own_name = "localhost" if self._host in _LOOPBACK else None  # looking up the own name may take seconds
        if self._scheme == "smtps":
            return smtplib.SMTP_SSL(
                self._host, self._port, local_hostname=own_name, timeout=self._timeout, context=self._tls()
            )
        return smtplib.SMTP(self._host, self._port, local_hostname=own_name, timeout=self._timeout)

    def _tls(self) -> ssl.SSLContext:
        return self._context or ssl.create_default_context()

    def _forget_if_broken(self, problem: Exception) -> None:
        answered = isinstance(problem, smtplib.SMTPResponseException | smtplib.SMTPRecipientsRefused)
        if not answered or 421 in _codes(problem):
            self.close()


class SmtpPool:
    """Sends through one mail server by as many connections as threads send at once; each is kept for the next mail."""

    def __init__(self, url: str) -> None:
        """Raises UnusableAddress when `url` cannot be used (see SmtpSender). Does not connect yet."""
        self._url = url
        self._idle: LifoQueue[SmtpSender] = LifoQueue()
        self._idle.put(SmtpSender(url))

    def send(self, message: EmailMessage, recipient: str) -> None:
        """Deliver a mail. Raises TemporaryFailure or PermanentFailure."""
        try:
            sender = self._idle.get_nowait()
        except Empty:
            sender = SmtpSender(self._url)
        try:
            sender.send(message, recipient)
        finally:
            self._idle.put(sender)

    def close(self) -> None:
        """Say goodbye to the mail server, once nobody sends any more."""
        with suppress(Empty):
            while True:
                self._idle.get_nowait().close()


@lru_cache(8)
def _address_in(sender: str) -> str:
    """An installation's mails all come from one address."""
    return getaddresses([sender])[0][1]


def _parsed(url: str) -> tuple[str, str, int, str, str]:
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS[parts.scheme]
    except (ValueError, KeyError):
        raise UnusableAddress from None
    if not parts.hostname or parts.path.strip("/") or parts.query or parts.fragment:
        raise UnusableAddress
    return parts.scheme, parts.hostname, port, unquote(parts.username or ""), unquote(parts.password or "")


def _for_smtp(own: Policy) -> Policy:
    """A message's own way of folding, with the line ends of RFC 5321, 2.3.8."""
    return own if own.linesep == "\r\n" else own.clone(linesep="\r\n")


def _answers(connection: smtplib.SMTP) -> bool:
    try:
        return connection.noop()[0] == 250
    except (smtplib.SMTPException, OSError):
        return False


def _failure(problem: Exception, server: str) -> DeliveryFailure:
    if isinstance(problem, DeliveryFailure):
        return problem
    codes = _codes(problem)
    sentence = f"The mail server {server} did not take the mail: {_said(problem)}."
    if codes and all(code >= 500 for code in codes) and _NOT_ABOUT_THE_MAIL.isdisjoint(codes):
        return PermanentFailure(sentence)
    if isinstance(problem, UnicodeError):
        return PermanentFailure(sentence)
    return TemporaryFailure(sentence)


def _codes(problem: Exception) -> list[int]:
    if isinstance(problem, smtplib.SMTPRecipientsRefused):
        return [code for code, _ in problem.recipients.values()]
    if isinstance(problem, smtplib.SMTPResponseException):
        return [problem.smtp_code]
    return []


def _said(problem: Exception) -> str:
    """What the server or the system said, in one line."""
    if isinstance(problem, smtplib.SMTPRecipientsRefused):
        replies: list[tuple[int, bytes | str]] = list(problem.recipients.values())
    elif isinstance(problem, smtplib.SMTPResponseException):
        replies = [(problem.smtp_code, problem.smtp_error)]
    else:
        return " ".join(str(problem).split()).rstrip(".") or type(problem).__name__
    return "; ".join(f"{code} {_decoded(text)}" for code, text in replies).rstrip(".")


def _decoded(text: bytes | str) -> str:
    return " ".join((text.decode("utf-8", "replace") if isinstance(text, bytes) else text).split())[:300]
