"""The known name nearest to one that is not known, for “did you mean”."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def suggestion(name: str, known: Iterable[str], likeness: float = 0.6) -> str:
    """Return “; did you mean “x”?” for the nearest known name, else the known names, to end a sentence with.

    `likeness` is how much of the two must agree, from 0 to 1.
    """
    names = sorted(set(known))
    if near := get_close_matches(name.casefold()[:80], names, n=1, cutoff=likeness):
        return f"; did you mean “{near[0]}”?"
    return f"; write {one_of(names)}" if names else ""


def one_of(names: Iterable[str]) -> str:
    """Return “a”, “a or b”, or “one of a, b, c”."""
    listed = list(names)
    return " or ".join(listed) if len(listed) <= 2 else f"one of {', '.join(listed)}"


def instead_of(name: str, known: Iterable[str], otherwise: str) -> str:
    """Return “write NAME” with the nearest known name, whatever its capitals, else “write for instance” another one."""
    by_small = {other.lower(): other for other in sorted(known)}
    near = get_close_matches(name.lower()[:80], by_small, n=1)
    return f"write {by_small[near[0]]}" if near else f"write for instance {otherwise}"
