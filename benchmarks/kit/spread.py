"""Several measurements of one thing: their median, and how far they lie apart."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

LATE = 0.99


@dataclass(frozen=True)
class Spread:
    """How often something was measured, the median, the least, the 99th percentile and the most, in one unit."""

    count: int
    median: float
    least: float
    late: float
    most: float


def spread(values: Sequence[float]) -> Spread:
    """Sum up what was measured. Raises ValueError when that is nothing."""
    if not values:
        raise ValueError("nothing was measured")
    return Spread(len(values), statistics.median(values), min(values), percentile(values, LATE), max(values))


def percentile(values: Sequence[float], share: float) -> float:
    """Return the least of the values that this share of them, above 0 and at most 1, does not exceed: nearest rank."""
    return sorted(values)[math.ceil(share * len(values) - 1e-9) - 1]


def duration(seconds: float) -> str:
    """Write down a span with its unit, to a tenth of a millisecond, or to a hundredth of a second."""
    return f"{seconds * 1000:.1f} ms" if seconds < 1 else f"{seconds:.2f} s"


def times(ratio: float) -> str:
    """Write down a ratio, to a hundredth where it is small."""
    return f"{ratio:.1f}" if ratio >= 10 else f"{ratio:.2f}"
