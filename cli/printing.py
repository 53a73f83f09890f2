"""How facts are printed: JSON for programs; for people, tables, and moments in the zone of this machine."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import click

_F = TypeVar("_F", bound=Callable[..., Any])


def json_option(command: _F) -> _F:
    """Add `--json` to a command, as its argument `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print the facts as JSON, moments in UTC.")(command)


def print_json(facts: Any) -> None:
    """Print facts as JSON."""
    click.echo(json.dumps(facts, ensure_ascii=False, indent=2))


def now_utc() -> datetime:
    """Return the moment, aware."""
    return datetime.now(UTC)


def moment(at: datetime | str) -> str:
    """Return a moment as people here read it, with its zone: “2026-03-02 10:00 CET”."""
    aware = datetime.fromisoformat(at) if isinstance(at, str) else at
    return aware.astimezone().strftime("%Y-%m-%d %H:%M %Z")


def span(length: timedelta) -> str:
    """Return a length of time in its largest unit: “3 days”, “1 hour”, “12 seconds”."""
    seconds = max(0, int(length.total_seconds()))
    for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= size:
            return plural(seconds // size, unit)
    return plural(seconds, "second")


def plural(count: int, noun: str, nouns: str = "") -> str:
    """Return a count with its noun: “1 gate”, “2 gates”, or with the plural given: “2 people”."""
    return f"{count} {noun if count == 1 else nouns or noun + 's'}"


def print_table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows in columns below their titles."""
    widths = [max(len(row[column]) for row in (titles, *rows)) for column in range(len(titles))]
    for row in (titles, *rows):
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
