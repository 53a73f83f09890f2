"""A form that was not taken, and what its page says about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from web.shown import Change


@dataclass(frozen=True)
class Problems:
    """What is wrong with what was typed: beside fields, in the page's order, and in general."""

    fields: Mapping[str, str] = field(default_factory=dict)
    general: Sequence[str] = ()

    @property
    def in_fields(self) -> bool:
        """Whether a field is to be corrected."""
        return bool(self.fields)

    @property
    def first(self) -> str | None:
        """The field that gets the focus."""
        return next(iter(self.fields), None)


@dataclass(frozen=True)
class Refused:
    """A form that was not taken, and what the page says about it."""

    status: int
    alert: str
    typed: Mapping[str, str]
    problems: Problems = Problems()
    differences: Sequence[Change] = ()
