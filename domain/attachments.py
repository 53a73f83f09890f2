"""What may be attached to a rollout: files and https links, their names, and how large and how many they may be."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection
from urllib.parse import SplitResult, unquote, urlsplit

from domain.errors import InvalidInput
from domain.reasons import Reason
from domain.typed_text import clean_line

LARGEST = 10 * 1024 * 1024
"""Bytes of one file."""
MOST = 20
"""Attachments of one rollout."""
_LONGEST_NAME = 200
_LONGEST_ADDRESS = 2000
_UNITS = ("bytes", "KB", "MB")


def clean_name(text: str) -> str:
    """Return what a file is called, without the folders it came from.

    Raises InvalidInput for nothing, “.” and “..”, and what `clean_line` refuses.
    """
    name = clean_line(text.replace("\\", "/").rpartition("/")[2], _LONGEST_NAME)
    if name in ("", ".", ".."):
        raise InvalidInput(Reason("The attachment needs a name, such as “Offer.pdf”."))
    return name


def refuse_size(name: str, size: int) -> None:
    """Raise InvalidInput for a file of nothing or of more than LARGEST bytes."""
    if size == 0:
        raise InvalidInput(Reason("“{name}” is empty; choose another file.", {"name": name}))
    if size > LARGEST:
        facts: dict[str, str | int] = {"name": name, "size": size_in_words(size)}
        raise InvalidInput(
            Reason("“{name}” has {size}, and a file may have at most 10 MB; put it elsewhere and add a link.", facts)
        )


def refuse_one_more(names: Collection[str], name: str) -> None:
    """Raise InvalidInput when `name` would be one more than MOST; it takes the place of one of the same name."""
    if name not in names and len(names) >= MOST:
        raise InvalidInput(Reason("A rollout has at most {count} attachments; remove one first.", {"count": MOST}))


def clean_address(text: str) -> str:
    """Return the address of a link. Raises InvalidInput for anything but an https address without a password."""
    address = text.strip()
    if len(address) > _LONGEST_ADDRESS:
        raise InvalidInput(Reason("The address is longer than {count} characters.", {"count": _LONGEST_ADDRESS}))
    if not _is_plain(address) or (parts := _split(address)) is None:
        raise InvalidInput(Reason("This is not an address; write it like https://intranet.example.com/offer."))
    if parts.scheme != "https":
        raise InvalidInput(Reason("Only https addresses can be attached; this one begins otherwise."))
    if parts.username is not None or parts.password is not None:
        raise InvalidInput(Reason("The address holds a user name or a password; leave them out."))
    return address


def name_of(address: str, taken: Collection[str] = ()) -> str:
    """Return what a link is called when nobody says: its last part, or its host, and a number if that is `taken`."""
    parts = urlsplit(address)
    last = unquote(parts.path.rstrip("/").rpartition("/")[2])
    name = _as_name(last) or _as_name(parts.hostname or "") or "link"
    numbered = (f"{name} ({number})" for number in range(2, MOST + 3))
    return name if name not in taken else next(other for other in numbered if other not in taken)


def size_in_words(size: int) -> str:
    """Return a size in bytes, as “12.1 KB”; never less than it is."""
    amount, unit = float(size), 0
    while amount >= 1024 and unit < len(_UNITS) - 1:
        amount, unit = amount / 1024, unit + 1
    if unit == 0:
        return f"{size} {_UNITS[0]}"
    tenths = -int(-amount * 10 // 1)
    return f"{tenths / 10:.1f} {_UNITS[unit]}"


def _split(address: str) -> SplitResult | None:
    try:
        parts = urlsplit(address)
        known = bool(parts.scheme and parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return None
    return parts if known else None


def _is_plain(address: str) -> bool:
    """Nothing that ends an address in a mail or a page, and nothing that cannot be seen."""
    return not any(unicodedata.category(character)[0] in "CZ" or character in '<>"\\' for character in address)


def _as_name(text: str) -> str:
    try:
        return clean_name(text[: _LONGEST_NAME - 10])
    except InvalidInput:
        return ""
