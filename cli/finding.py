"""What one check of `etappe doctor` found: how bad it is, and one sentence that says what to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True)
class Finding:
    """What one check found."""

    check: str
    level: Level
    sentence: str


def ok(check: str, sentence: str) -> Finding:
    """All is well."""
    return Finding(check, Level.OK, sentence)


def warning(check: str, sentence: str) -> Finding:
    """It works, and should be looked at."""
    return Finding(check, Level.WARNING, sentence)


def problem(check: str, sentence: str) -> Finding:
    """Something does not work."""
    return Finding(check, Level.PROBLEM, sentence)
