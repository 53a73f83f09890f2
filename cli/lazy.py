"""A group of commands that imports a command only when it is called, so that `etappe --help` answers at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import click


@dataclass(frozen=True)
class Lazy:
    """Where a command is (`module:name`), and the line that the overview shows."""

    place: str
    summary: str


class ReaderGone(Exception):
    """Whoever read what is printed has gone, as with `| head`."""


class LazyGroup(click.Group):
    """Knows its commands by name and place; the overview is written without importing any."""

    def __init__(self, *args: Any, lazy: Mapping[str, Lazy], **options: Any) -> None:
        super().__init__(*args, **options)
        self._lazy = dict(lazy)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands, in the order in which they were given."""
        return list(self._lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command. An unknown name gives None, of which click makes wrong usage."""
        lazy = self._lazy.get(cmd_name)
        if lazy is None:
            return None
        module, name = lazy.place.split(":")
        command = getattr(import_module(module), name)
        assert isinstance(command, click.Command)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command. Raises ReaderGone instead of BrokenPipeError, of which click would make a failure."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError as gone:
            raise ReaderGone from gone

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the overview from the summaries."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, lazy.summary) for name, lazy in self._lazy.items()])
