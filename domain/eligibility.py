"""Who may decide a gate: the members of its groups, less those who are kept from it.

Kept from it are those whom the plan excludes (the requester, by default), those who decided at a gate that other people
must decide, and, where only those who approved elsewhere may decide, everybody else. Who lends a voice and who gives it
are both looked at, and nobody is two voices at one gate. Owns how addresses are compared and what counts as one.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

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


@dataclass(frozen=True)
class Voice:
    """Whose voice it is, and who gives it: the same person, unless it was lent."""

    principal: str
    person: str

    @property
    def people(self) -> frozenset[str]:
        """Everybody who has a part in it."""
        return frozenset({self.principal, self.person})


@dataclass(frozen=True)
class Separation:
    """What keeps people from a gate beside its groups. All addresses in small letters.

    `only` is None where anybody in the groups may decide; else those who approved at the gate that it follows.
    """

    excluded: frozenset[str] = frozenset()
    decided_elsewhere: frozenset[str] = frozenset()
    only: frozenset[str] | None = None

    def allows(self, person: str) -> bool:
        """Whether a person may decide for themselves, if they belong to the groups."""
        return person not in self.excluded | self.decided_elsewhere and (self.only is None or person in self.only)


def why_may_not_speak(
    voice: Voice, members: Collection[str], separation: Separation, spoken: Iterable[Voice] = ()
) -> Reason | None:
    """Return why this voice cannot be heard at a gate, or None when it can.

    `members` are those whose voice the quorum takes; `spoken` are the voices heard so far. One person is one voice:
    neither who gives it nor whose it is may have a part in another one.
    """
    for person in sorted(voice.people):
        if person in separation.excluded:
            return Reason("{person} may not decide here: the plan excludes them.", {"person": person})
        if person in separation.decided_elsewhere:
            return Reason("{person} has decided at a gate that other people must decide.", {"person": person})
    if voice.principal not in members:
        return Reason("{person} is not among those who decide here.", {"person": voice.principal})
    if voice.person != voice.principal and voice.person in members:
        return Reason("One person is one voice, and {person} has their own here.", {"person": voice.person})
    if separation.only is not None and voice.principal not in separation.only:
        return Reason("Only those who approved at the gate before may decide here.")
    others = [other.people for other in spoken if other.principal != voice.principal]
    if twice := sorted(voice.people & frozenset[str]().union(*others)):
        return Reason("One person is one voice, and {person} has spoken here already.", {"person": twice[0]})
    return None


def _folded(address: str) -> str:
    return address.strip().lower()


def _shown(text: str) -> str:
    printable = "".join(character for character in text if character.isprintable())
    return f"“{printable[:60]}…”" if len(printable) > 60 else f"“{printable}”"
