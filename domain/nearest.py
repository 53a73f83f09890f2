"""The known name nearest to one that is not known, for “did you mean”."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return “; did you mean “x”?” for the nearest known name, else the known names, to end a sentence with."""
    names = sorted(set(known))
    if near := get_close_matches(name.casefold()[:80], names, n=1, cutoff=0.6):
        return f"; did you mean “{near[0]}”?"
    return f"; write {one_of(names)}" if names else ""


def one_of(names: Iterable[str]) -> str:
    """Return “a”, “a or b”, or “one of a, b, c”."""
    listed = list(names)
    return " or ".join(listed) if len(listed) <= 2 else f"one of {', '.join(listed)}"
