"""Who may decide a gate: the members of its groups, less those who are excluded (the requester, by default).

Owns how addresses are compared and what counts as one.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from domain.errors import InvalidInput
from domain.reasons import Reason

_ATOM = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_ADDRESS = re.compile(rf"(?=.{{1,64}}@){_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})+")
_LONGEST = 254


def normalise_address(text: str) -> str:
    """Return an e-mail address without blanks around it and in small letters.

    An address is a dot-atom and a domain of at least two labels in ASCII, at most 254 characters (RFC 5321, 4.5.3.1).
    Raises InvalidInput for anything else; control characters and encoded words cannot be part of one.
    """
    stripped = text.strip(" ")
    # Checked before lowering: “K” (the Kelvin sign) would turn into a plain “k”, and into somebody else.
    if not stripped.isascii():
        raise InvalidInput("An e-mail address can hold only ASCII characters; write a domain in its xn-- form.")
    address = stripped.lower()
    if len(address) > _LONGEST or "=?" in address or not _ADDRESS.fullmatch(address):
        raise InvalidInput(f"{_shown(stripped)} is not an e-mail address; write it like anna.keller@example.com.")
    return address


def eligible(groups: Mapping[str, Sequence[str]], excluded: Collection[str]) -> dict[str, frozenset[str]]:
    """Return for each group, in order, the people who may decide, in small letters."""
    out = {_folded(person) for person in excluded}
    return {name: frozenset(map(_folded, members)) - out for name, members in groups.items()}


def why_not(person: str, groups: Mapping[str, Sequence[str]], excluded: Collection[str]) -> Reason | None:
    """Return why a person may not decide for these groups, or None when they may."""
    if _folded(person) in {_folded(other) for other in excluded}:
        return Reason("{person} may not decide here: the plan excludes them.", {"person": person})
    if not any(_folded(person) in members for members in eligible(groups, excluded).values()):
        return Reason("{person} is not among those who decide here.", {"person": person})
    return None


def _folded(address: str) -> str:
    return address.strip().lower()


def _shown(text: str) -> str:
    printable = "".join(character for character in text if character.isprintable())
    return f"“{printable[:60]}…”" if len(printable) > 60 else f"“{printable}”"
