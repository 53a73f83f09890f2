"""A rendered mail as a message for mail servers: its headers, and what may not stand in them."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from base64 import encodebytes
from binascii import b2a_qp
from collections.abc import Iterator
from datetime import UTC, datetime
from email import policy
from email.header import Header
from email.headerregistry import Address, BaseHeader, HeaderRegistry
from email.message import EmailMessage
from email.policy import EmailPolicy, Policy
from email.utils import format_datetime, parseaddr
from functools import lru_cache
from typing import Any

from domain.errors import EtappeError
from notifications.calendar import calendar
from notifications.messages import Asking, Mail
from notifications.rendering import Rendered
from notifications.senders import PermanentFailure

LINE = 78
"""How many characters a line should have at most (RFC 5322, 2.1.1)."""
REMEMBERED = 256
"""How many headers, as they were read and as they are folded, and how many addresses."""


class _Headers(HeaderRegistry):
    """Makes the class of a kind of header once: the one it comes from makes one for every header of every mail.

    Many headers of a mail are the same as in the one before it; those are read once. A header never changes.
    """

    def __init__(self) -> None:
        super().__init__()
        self._made: dict[str, type[BaseHeader]] = {}
        read = super().__call__
        self._read = lru_cache(REMEMBERED)(read)
        self._read_address = lru_cache(REMEMBERED)(lambda name, of, at: read(name, Address(of, addr_spec=at)))

    def __call__(self, name: str, value: Any) -> BaseHeader:
        if isinstance(value, Address):
            return self._read_address(name, value.display_name, value.addr_spec)
        return self._read(name, value)

    def __getitem__(self, name: str) -> type[BaseHeader]:
        if name not in self._made:
            self._made[name] = super().__getitem__(name)
        return self._made[name]


class _Folding(EmailPolicy):
    """Keeps a header that fits on a line as it is, and reads it only when somebody asks for it.

    A subject of more than ASCII is written as one run of encoded words. Python 3.11 encodes single words of it, and
    between two of those a blank does not count (RFC 2047, 6.2): it is lost.
    """

    def header_store_parse(self, name: str, value: Any) -> tuple[str, Any]:
        if isinstance(value, str) and _fits(name, value):
            return name, value
        return super().header_store_parse(name, value)

    def fold(self, name: str, value: Any) -> str:
        return f"{name}: {value}{self.linesep}" if _fits(name, value) else _folded(self, name, value)

    def fold_binary(self, name: str, value: Any) -> bytes:
        return self.fold(name, value).encode("ascii", "surrogateescape")

    def fold_anew(self, name: str, value: Any) -> str:
        """Fold one that does not fit on a line and was not folded before."""
        if name.lower() != "subject" or value.isascii():
            return str(super().fold(name, value))
        encoded = Header(str(value), "utf-8", header_name=name).encode(linesep=self.linesep)
        return f"{name}: {encoded}{self.linesep}"


def _fits(name: str, value: str) -> bool:
    return value.isascii() and len(name) + 2 + len(value) <= LINE and value.isprintable()


@lru_cache(REMEMBERED)
def _folded(policy: _Folding, name: str, value: Any) -> str:
    return policy.fold_anew(name, value)


_POLICY = _Folding(linesep=policy.SMTP.linesep, header_factory=_Headers())


class _Letter(EmailMessage):
    """A mail, or a part of one, whose text is encoded already, so that it can be written at once.

    The standard library writes it line by line, and looks through all of it for a line that can divide its parts.
    """

    _divided_by = ""

    def __init__(self) -> None:
        super().__init__(_POLICY)

    @classmethod
    def of(cls, content_type: str, encoding: str, encoded: bytes) -> _Letter:
        """Return a part with this text: of seven bits, lines end with CRLF."""
        part = cls()
        part["Content-Type"] = content_type
        part["Content-Transfer-Encoding"] = encoding
        part.set_payload(encoded.decode("ascii"))
        return part

    def put_in(self, kind: str, *parts: _Letter) -> None:
        """Make it a multipart of this kind.

        What divides it stands in no part: neither quoted-printable nor base64 has “=_” (RFC 2045, 6.7).
        """
        self._divided_by = f"=_{kind}"
        self["Content-Type"] = f'multipart/{kind}; boundary="{self._divided_by}"'
        self.set_payload(list(parts))

    def as_bytes(self, unixfrom: bool = False, policy: Policy | None = None) -> bytes:
        """Return what is sent: headers are folded by their own policy, and lines end with CRLF."""
        return b"".join(self._pieces())

    def _pieces(self) -> Iterator[bytes]:
        yield from (_POLICY.fold_binary(name, value) for name, value in self.raw_items())
        yield b"\r\n"
        content: Any = self.get_payload()
        if isinstance(content, str):
            yield content.encode("ascii")
            return
        divided_by = self._divided_by.encode("ascii")
        for part in content:
            yield b"--%b\r\n" % divided_by
            yield from part._pieces()
            yield b"\r\n"
        yield b"--%b--\r\n" % divided_by


_FORBIDDEN_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})
_NOT_IN_A_DOMAIN = re.compile(r"[^A-Za-z0-9.-]+")


class UnsafeHeader(PermanentFailure):
    """A mail's header holds what would become another header. `header` is its name."""

    def __init__(self, header: str) -> None:
        self.header = header
        super().__init__(f"The mail's {header} holds a control character or “=?”, so the mail was not sent.")


class UnusableSender(EtappeError):
    """The address that mails come from cannot be used; write ETAPPE_MAIL_FROM like Etappe <etappe@example.com>."""


def to_message(
    mail: Mail,
    rendered: Rendered,
    dedup_key: str,
    mail_from: str,
    message_id_domain: str,
    at: datetime | None = None,
) -> EmailMessage:
    """Return the message to send, dated `at` (aware; default: now). The same `dedup_key` gives the same Message-ID.

    Raises UnsafeHeader when a name, an address or the subject could turn into a header of its own, and UnusableSender
    (no PermanentFailure: the operator can mend it, and no mail shall be lost meanwhile).
    """
    message = _Letter()
    for name, value in _headers(mail, rendered, dedup_key, mail_from, message_id_domain).items():
        if not isinstance(value, Address):
            _check(name, value)
        message[name] = value
    _check("Content-Language", mail.reader.language)
    message["Date"] = format_datetime(at or datetime.now(UTC))
    message["MIME-Version"] = "1.0"
    message["Content-Language"] = mail.reader.language
    texts = (_text("plain", rendered.text), _text("html", rendered.html))
    if isinstance(mail, Asking) and mail.deadline:
        both = _Letter()
        both.put_in("alternative", *texts)
        deadline = calendar([mail.deadline], mail.reader, parseaddr(mail_from)[1], at or datetime.now(UTC))
        message.put_in("mixed", both, _attached(deadline))
    else:
        message.put_in("alternative", *texts)
    return message


def _headers(mail: Mail, rendered: Rendered, dedup_key: str, mail_from: str, domain: str) -> dict[str, str | Address]:
    domain = _NOT_IN_A_DOMAIN.sub("-", domain)
    headers: dict[str, str | Address] = {
        "From": _sender(mail_from),
        "To": _address("To", mail.reader.name, mail.reader.email),
        "Subject": rendered.subject,
        "Message-ID": f"<{_digest(dedup_key)}@{domain}>",
        "Auto-Submitted": "auto-generated",
        "X-Etappe-Kind": mail.kind,
    }
    if mail.rollout_id:
        thread = f"<rollout-{_digest(mail.rollout_id)}@{domain}>"
        headers |= {"References": thread, "In-Reply-To": thread, "X-Etappe-Rollout": mail.rollout_id}
    if mail.urgent:
        headers |= {"Importance": "high", "X-Priority": "1"}  # RFC 2156, and what older mail programs read
    if gate := getattr(mail, "gate", ""):
        headers["X-Etappe-Gate"] = gate
    return headers


def _text(subtype: str, text: str) -> _Letter:
    """Quoted-printable passes servers that take only seven bits, and stays readable for whoever debugs one."""
    lines = b"".join(line + b"\r\n" for line in text.encode().splitlines())
    return _Letter.of(f'text/{subtype}; charset="utf-8"', "quoted-printable", b2a_qp(lines))


def _attached(deadline: str) -> _Letter:
    """An iCalendar to attach; its method stands in the Content-Type as well (RFC 6047, 2.4)."""
    in_base64 = encodebytes(deadline.encode()).replace(b"\n", b"\r\n")
    part = _Letter.of('text/calendar; charset="utf-8"; method="PUBLISH"', "base64", in_base64)
    part["Content-Disposition"] = 'attachment; filename="deadline.ics"'
    return part


def _sender(mail_from: str) -> Address:
    name, email = parseaddr(mail_from)
    try:
        _check("From", mail_from)
        return _address("From", name, email if "@" in email else "")
    except UnsafeHeader as problem:
        raise UnusableSender from problem


@lru_cache(REMEMBERED)
def _address(header: str, name: str, email: str) -> Address:
    _check(header, name)
    _check(header, email)
    if not email:
        raise UnsafeHeader(header)
    try:
        return Address(display_name=name, addr_spec=email)
    except (ValueError, IndexError) as problem:
        raise UnsafeHeader(header) from problem


def _check(header: str, value: str) -> None:
    """Refuse what an encoder or a parser could read as more than text (CVE-2024-6923; RFC 2047, 2)."""
    if value.isascii() and value.isprintable() and "=?" not in value:
        return
    if "=?" in value or any(unicodedata.category(character) in _FORBIDDEN_CATEGORIES for character in value):
        raise UnsafeHeader(header)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:40]
