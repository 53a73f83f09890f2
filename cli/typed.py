"""What people type as options: pairs like item=amount or role=address,address, and moments; else it is wrong usage."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import click

from domain.delegation import read_day


class Pair(click.ParamType[tuple[str, str]]):
    """Two things with an equals sign between them."""

    def __init__(self, left: str, right: str, *, last_sign: bool = False) -> None:
        """`last_sign`: split at the last equals sign instead of the first."""
        self.name = f"{left}={right}"
        self._split = str.rpartition if last_sign else str.partition

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """Return both sides without blanks around them."""
        if isinstance(value, tuple):
            return value
        left, sign, right = self._split(str(value), "=")
        if not (left.strip() and sign and right.strip()):
            self.fail(f"“{value}” must be written as {self.name}.", param, ctx)
        return left.strip(), right.strip()


class Day(click.ParamType[date]):
    """A day as an ISO date."""

    name = "DATE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Return the day."""
        if isinstance(value, date):
            return value
        day = read_day(str(value))
        if day is None:
            self.fail(f"“{value}” is no date; write it like 2026-03-31.", param, ctx)
        return day


class Moment(click.ParamType[datetime]):
    """A moment in ISO 8601; without an offset it is in the zone of this machine."""

    name = "ISO 8601"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Return the moment, aware."""
        if isinstance(value, datetime):
            return value
        try:
            return datetime.fromisoformat(str(value)).astimezone()
        except (ValueError, OverflowError):
            self.fail(f"“{value}” is no moment; write it like 2026-03-02T10:00 or 2026-03-02T10:00+01:00.", param, ctx)
