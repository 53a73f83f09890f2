"""Why a rule says what it says, in words: an English sentence with placeholders, and the facts that fill it.

The sentence is the gettext msgid; whoever shows it to people puts it into their language.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Fact = str | int | datetime
"""What fills a placeholder. A moment is aware, is shown in the reader's zone and language, and stored as ISO 8601."""


@dataclass(frozen=True)
class Reason:
    """A sentence such as “{count} people must be named.” and its facts. Two are equal when both are."""

    text: str
    facts: Mapping[str, Fact] = field(default_factory=dict, hash=False)

    def __str__(self) -> str:
        return self.text.format_map(self.facts)

    def to_json(self) -> dict[str, Any]:
        """Return {text, facts}; moments as texts in ISO 8601, which are shown as moments again."""
        stored = {name: fact.isoformat() if isinstance(fact, datetime) else fact for name, fact in self.facts.items()}
        return {"text": self.text, "facts": stored}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Reason:
        """Read what `to_json` wrote."""
        return cls(stored["text"], dict(stored["facts"]))
