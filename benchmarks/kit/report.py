"""What a benchmark found, in one form for all of them: on the terminal as it comes, and for the docs when asked.

With `--write` among its arguments a script leaves docs/measured/NAME.md behind, and NAME.svg where a plot says more.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.kit.plot import whiskers
from benchmarks.kit.spread import Spread, duration, spread, times

FOLDER = Path(__file__).parents[2] / "docs" / "measured"
WRITE = "--write"
FIRST_COLUMN, OTHER_COLUMNS = 59, 11
SPAN_TITLES = ("times", "median", "min", "99 %", "max", "× limit")


class Report:
    """What one script prints. Use `reporting`, which writes it down in the end."""

    def __init__(self, name: str, what: str) -> None:
        """`what` is the script's docstring: its first line becomes the title."""
        self.name = name
        self._title = what.strip().splitlines()[0].rstrip(".:")
        self._began = circumstances(name)
        self._paragraphs: list[str | Table] = []
        self._spans: dict[str, Spread] = {}
        self._picture = ""

    @property
    def tables(self) -> list[Table]:
        """Its tables, in their order."""
        return [one for one in self._paragraphs if isinstance(one, Table)]

    def say(self, sentence: str) -> None:
        """Print a sentence."""
        print(sentence, flush=True)
        self._paragraphs.append(f"{sentence}\n")

    def table(self, first: str, *titles: str, width: int = 0) -> Table:
        """Begin a table: the title of the first column, which holds names, and of those that hold figures.

        `width` is how many letters those have at least on the terminal.
        """
        table = Table(first, titles, width)
        self._paragraphs.append(table)
        return table

    def spans(self, first: str = "what") -> Spans:
        """Begin a table of how long things took. They are drawn as well."""
        return Spans(self.table(first, *SPAN_TITLES), self._spans)

    def draw(self, picture: str) -> None:
        """Take this SVG as the plot, instead of one of all that `spans` holds."""
        self._picture = picture

    def write(self, folder: Path) -> Path:
        """Write all of it to NAME.md in this folder, and the plot to NAME.svg; return the first."""
        folder.mkdir(parents=True, exist_ok=True)
        picture = self._picture or (whiskers(self._spans) if self._spans else "")
        drawn = [f"![{self._title}]({self.name}.svg)\n"] if picture else []
        if picture:
            (folder / f"{self.name}.svg").write_text(picture, "utf-8")
        written = folder / f"{self.name}.md"
        head = f"# {self._title}\n\n{self._began} At the end: {_load()}.\n"
        found = [one.markdown() if isinstance(one, Table) else one for one in self._paragraphs]
        written.write_text("\n".join([head, *found, *drawn]).rstrip() + "\n", "utf-8")
        return written


class Table:
    """Rows of cells, printed as they come."""

    def __init__(self, first: str, titles: Sequence[str], width: int = 0) -> None:
        self._titles, self._rows = (first, *titles), list[tuple[str, ...]]()
        self._widths = [max(width, OTHER_COLUMNS, len(title) + 2) for title in titles]
        print(f"\n{self._line(self._titles)}", flush=True)

    def row(self, first: str, *cells: object) -> None:
        """Add a row and print it. Raises ValueError when it has not as many cells as the table has titles."""
        row = (first, *map(str, cells))
        if len(row) != len(self._titles):
            raise ValueError(f"{len(row)} cells below {len(self._titles)} titles: {row}")
        self._rows.append(row)
        print(self._line(row), flush=True)

    def markdown(self) -> str:
        """The table as Markdown, figures to the right."""
        rules = ("---", *("---:" for _ in self._widths))
        lines = [self._titles, rules, *self._rows]
        return "".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |\n" for line in lines)

    def _line(self, row: Sequence[str]) -> str:
        return f"{row[0]:<{FIRST_COLUMN}}" + "".join(
            f"{cell:>{width}}" for cell, width in zip(row[1:], self._widths, strict=True)
        )


class Spans:
    """A table of how long things took: medians with minimum, 99th percentile and maximum."""

    def __init__(self, table: Table, drawn: dict[str, Spread]) -> None:
        self._table, self._drawn = table, drawn

    def row(self, what: str, seconds: Sequence[float], limit: Spread | None = None) -> Spread:
        """Add what took so many seconds each time, with its ratio to the raw limit of the same run, and return it."""
        found = spread(seconds)
        spans = (found.median, found.least, found.late, found.most)
        self._table.row(what, found.count, *map(duration, spans), times(found.median / limit.median) if limit else "–")
        self._drawn[what] = found
        return found


@contextmanager
def reporting(file: str, what: str | None) -> Iterator[Report]:
    """Give the report of the script in this file; at the end write it down, if `--write` was said, and nothing failed.

    What the machine had to do beside it is said first and last: figures of a busy machine say little. For `--help` it
    prints what the script is, and ends it.
    """
    if "--help" in sys.argv:
        print(what)
        raise SystemExit(0)
    report = Report(Path(file).stem, what or "")
    print(circumstances(report.name), flush=True)
    yield report
    print(f"\nAt the end: {_load()}", flush=True)
    if WRITE in sys.argv:
        print(f"Written to {report.write(FOLDER)}")


def numbers(*usual: int) -> list[int]:
    """Return the numbers among the script's arguments, and what is usual for those that were left out."""
    given = [int(word) for word in sys.argv[1:] if word.isdigit()]
    return [*given[: len(usual)], *usual[len(given) :]]


def circumstances(name: str) -> str:
    """Return in a sentence with which arguments a script ran, when, and on what."""
    arguments = " ".join(word for word in sys.argv[1:] if word != WRITE)
    command = f"benchmarks/{name}.py {arguments}".strip()
    machine = f"Python {platform.python_version()}, {os.cpu_count()} cores"
    return f"`{command}`, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {machine}, {_load()}."


def _load() -> str:
    return f"load {os.getloadavg()[0]:.1f}"
