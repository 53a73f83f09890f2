"""The local mailbox: takes every mail on 127.0.0.1 and keeps it in a Maildir, for newcomers and for trying things out.

Reading is by key, newest first; only the headers of what is listed are opened.
"""

from __future__ import annotations

import asyncio
import mailbox
import os
import re
import signal
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage, Message
from email.parser import BytesHeaderParser
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, cast

from domain.errors import NotFound, PortTaken

if TYPE_CHECKING:
    from aiosmtpd.smtp import SMTP, Envelope, Session

HOST = "127.0.0.1"
_MAILDIR_NAME = re.compile(r"(\d+)\.(?:M(\d+))?[A-Za-z0-9]*(?:Q(\d+))?\.[A-Za-z0-9._\-\\:,=+]*")
_FOLDERS = ("new", "cur")
_HEADER_BYTES = 64 * 1024
_READER = BytesHeaderParser(policy=policy.default)


class UnknownMail(NotFound):
    """There is no such mail in the mailbox."""


@dataclass(frozen=True)
class MailSummary:
    """One line of a list of mails. `at` is when it arrived (UTC); `kind` and `rollout` may be ""."""

    key: str
    subject: str
    sender: str
    recipient: str
    at: datetime
    kind: str
    rollout: str


@dataclass(frozen=True)
class StoredMail(MailSummary):
    """One mail: its headers as they read (the last one of a name), its text and its HTML page ("" when it has none)."""

    headers: dict[str, str]
    text: str
    html: str


def run_mailbox(folder: Path, port: int, ready: Callable[[int], None] | None = None) -> None:
    """Take mail on 127.0.0.1 until SIGTERM or SIGINT; call `ready` with the port once it listens (0: any free one).

    Belongs into the main thread. Raises PortTaken.
    """
    asyncio.run(_serve(folder, port, ready, asyncio.Event()))


def list_mails(folder: Path, limit: int = 200, to: str = "") -> list[MailSummary]:
    """Return the newest mails (to one address, when `to` is given), newest first.

    A mailbox that does not exist yet is empty.
    """
    newest = (path for _, path in sorted(_keys(folder), reverse=True))
    summaries = (summary for path in newest if (summary := _read_summary(path)))
    return list(islice((one for one in summaries if not to or one.recipient.lower() == to.lower()), limit))


def read_mail(folder: Path, key: str) -> StoredMail:
    """Return one mail. Raises UnknownMail."""
    message = message_from_bytes(_content(folder, key), policy=policy.default)
    assert isinstance(message, EmailMessage)  # what policy.default makes
    headers = {name: str(value) for name, value in message.items()}
    summary = asdict(_summary(key, message))
    return StoredMail(**summary, headers=headers, text=_body(message, "plain"), html=_body(message, "html"))


async def _serve(folder: Path, port: int, ready: Callable[[int], None] | None, stop: asyncio.Event) -> None:
    from aiosmtpd.smtp import SMTP

    keeper = _Keeper(_opened(folder), folder)
    loop = asyncio.get_running_loop()
    # Without a name of its own aiosmtpd looks one up, which may take seconds.
    protocol = partial(SMTP, keeper, hostname="localhost", ident="Etappe mailbox")
    try:
        server = await loop.create_server(protocol, HOST, port)
    except OSError as problem:
        raise PortTaken(port, "mailbox", "--smtp-port") from problem
    for ending in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(ending, stop.set)
    async with server:
        if ready:
            ready(server.sockets[0].getsockname()[1])
        await stop.wait()


class _Keeper:
    """What aiosmtpd asks for every mail. The answer goes out once the mail is on the disk."""

    def __init__(self, store: mailbox.Maildir, folder: Path) -> None:
        self._store = store
        self._folder = folder

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802  # aiosmtpd's name
        """Keep the mail, with the address it was really sent to."""
        content = envelope.content if isinstance(envelope.content, bytes) else str(envelope.content).encode()
        try:
            for recipient in envelope.rcpt_tos:
                self._store.add(f"Delivered-To: {recipient}\r\n".encode() + content)
            _sync(self._folder / "new")
        except OSError as problem:  # a full disk may be mended, so the sender shall try again
            return f"451 The mail cannot be stored: {problem.strerror}"
        return "250 OK"


def _opened(folder: Path) -> mailbox.Maildir:
    for place in (folder, *(folder / name for name in ("tmp", *_FOLDERS))):
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
    return mailbox.Maildir(folder, create=False)


def _sync(folder: Path) -> None:
    """The file is synced by mailbox.Maildir; its name in the folder is not."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _keys(folder: Path) -> list[tuple[tuple[int, int, int], Path]]:
    found = []
    for name in _FOLDERS:
        if not (folder / name).is_dir():
            continue
        for entry in os.scandir(folder / name):
            if match := _MAILDIR_NAME.fullmatch(entry.name):
                seconds, micro, count = (int(part or 0) for part in match.groups())
                found.append(((seconds, micro, count), Path(entry.path)))
    return found


def _read_summary(path: Path) -> MailSummary | None:
    try:
        with path.open("rb") as file:
            start = file.read(_HEADER_BYTES)
    except FileNotFoundError:
        return None  # removed while the list was made
    return _summary(path.name, _READER.parsebytes(start.replace(b"\r\n", b"\n").partition(b"\n\n")[0]))


def _summary(key: str, message: Message) -> MailSummary:
    def text(name: str) -> str:
        return str(message.get(name, ""))

    return MailSummary(
        key=key,
        subject=text("Subject"),
        sender=text("From"),
        recipient=text("Delivered-To") or text("To"),
        at=datetime.fromtimestamp(int(key.partition(".")[0]), UTC),
        kind=text("X-Etappe-Kind"),
        rollout=text("X-Etappe-Rollout"),
    )


def _content(folder: Path, key: str) -> bytes:
    if _MAILDIR_NAME.fullmatch(key):
        for name in _FOLDERS:
            path = folder / name / key
            if path.is_file() and not path.is_symlink():
                return path.read_bytes()
    raise UnknownMail(f"There is no mail “{key[:60]}” in the mailbox.")


def _body(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    if part is None:
        return ""
    try:
        return cast(str, part.get_content())
    except (LookupError, ValueError):  # a character set that nobody knows
        return cast(bytes, part.get_payload(decode=True)).decode("utf-8", "replace")
