"""A CSV file of measured values: each row read, or named by its line with what is wrong with it."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from domain.errors import InvalidFile, Problem
from domain.measurement import Value
from operations.record_measurements import Row

COLUMNS = ("rollout", "metric", "value", "sample", "measured_at")
_NEEDED = COLUMNS[:3]
_MOST_BYTES, _MOST_ROWS = 5_000_000, 10_000
_NUMBER = re.compile(r"-?\d{1,30}(\.\d{1,30})?", re.ASCII)
_COUNT = re.compile(r"\d{1,9}", re.ASCII)


def read_values(content: bytes, source: str, now: datetime) -> list[Row]:
    """Return the values of a CSV file in UTF-8, separated by commas or semicolons, with its columns named in line 1.

    `now` (aware) is when a value was measured that has no measured_at; a time without an offset is in the zone of this
    machine. Raises InvalidFile with every row that cannot be read; `source` names the file in it.
    """
    if len(content) > _MOST_BYTES:
        raise InvalidFile(source, [_at(1, "the file is larger than 5 MB; split it up")])
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise InvalidFile(source, [_at(line, "this is not UTF-8; save the file in the encoding UTF-8")]) from None
    return _rows(text, source, now)


def _rows(text: str, source: str, now: datetime) -> list[Row]:
    first = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=";" if ";" in first else ",", strict=True)
    rows: list[Row] = []
    problems: list[Problem] = []
    try:
        columns = [name.strip().lower() for name in next(reader, [])]
        problems += (_at(1, sentence) for sentence in _column_problems(columns))
        for cells in reader if not problems else ():
            if any(cell.strip() for cell in cells):
                found, wrong = _row(columns, cells, reader.line_num, now)
                rows += found
                problems += wrong
    except csv.Error as error:
        problems.append(_at(reader.line_num, f"this is not CSV: {error}"))
    if not rows and not problems:
        problems.append(_at(1, "the file holds no values"))
    if len(rows) > _MOST_ROWS:
        problems.append(_at(rows[_MOST_ROWS].line, f"the file holds more than {_MOST_ROWS} values; split it up"))
    if problems:
        raise InvalidFile(source, problems)
    return rows


def _column_problems(columns: Sequence[str]) -> Iterator[str]:
    for name in _NEEDED:
        if name not in columns:
            yield f"the column “{name}” is missing; the first line names the columns: {', '.join(COLUMNS)}"
    for name in dict.fromkeys(columns):
        if name not in COLUMNS:
            yield f"“{name[:60]}” is not a column; the first line names the columns: {', '.join(COLUMNS)}"
        elif columns.count(name) > 1:
            yield f"the column “{name}” is there twice; keep one"


def _row(columns: Sequence[str], cells: Sequence[str], line: int, now: datetime) -> tuple[list[Row], list[Problem]]:
    if len(cells) != len(columns):
        return [], [_at(line, f"here are {len(cells)} cells, and the first line names {len(columns)} columns")]
    given = {name: cell.strip() for name, cell in zip(columns, cells, strict=True)}
    problems = [_at(line, sentence) for sentence in _cell_problems(given)]
    if problems:
        return [], problems
    moment = _moment(given["measured_at"]) if given.get("measured_at") else now
    sample = int(given["sample"]) if given.get("sample") else None
    value = Value(Decimal(given["value"]), sample, moment or now)
    return [Row(line, given["rollout"], given["metric"], value)], []


def _cell_problems(given: Mapping[str, str]) -> Iterator[str]:
    for name in ("rollout", "metric"):
        if not given[name]:
            yield f"the column “{name}” is empty"
    if not _NUMBER.fullmatch(given["value"]):
        yield f"“{given['value'][:60]}” is not a value; write it like 1200 or 12.5, without separators"
    if given.get("sample") and not _COUNT.fullmatch(given["sample"]):
        yield f"“{given['sample'][:60]}” is not a sample; write a whole number"
    if given.get("measured_at") and _moment(given["measured_at"]) is None:
        yield f"“{given['measured_at'][:60]}” is no moment; write it like 2026-03-02T10:00+01:00"


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError):
        return None


def _at(line: int, sentence: str) -> Problem:
    return Problem(line, 1, "", sentence)
