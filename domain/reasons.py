"""Why a rule says what it says, in words: an English sentence with placeholders, and the facts that fill it.

The sentence is the gettext msgid; whoever shows it to people puts it into their language.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Fact = str | int | datetime
"""What fills a placeholder. A moment is aware, and shown in the reader's zone and language; it is not stored."""


@dataclass(frozen=True)
class Reason:
    """A sentence such as “{count} people must be named.” and its facts. Two are equal when both are."""

    text: str
    facts: Mapping[str, Fact] = field(default_factory=dict, hash=False)

    def __str__(self) -> str:
        return self.text.format_map(self.facts)

    def to_json(self) -> dict[str, Any]:
        """Return {text, facts}."""
        return {"text": self.text, "facts": dict(self.facts)}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Reason:
        """Read what `to_json` wrote."""
        return cls(stored["text"], dict(stored["facts"]))
