"""YAML read safely, every node with its place: what plans and directories are read from.

Every scalar stays the text that was written (so “no” is a word, 25000.10 exact and 010 ten); the shapes in domain/ say
what it becomes. What a file means is left to plans/reading.py and plans/directory.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from domain.errors import Problem

MAXIMUM_BYTES = 1_000_000
MAXIMUM_DEPTH = 20
MAXIMUM_NODES = 50_000

Path = tuple[str | int, ...]
"""The way to a node: keys and places in lists, from the top."""

Position = tuple[int, int]
"""Line and column, both counted from 1."""

_INVISIBLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]")
_NOWHERE = "\0"
"""Stands in the path of what is passed over; no key can be that."""
_NOTHING = frozenset({"", "~", "null", "Null", "NULL"})
_SYNTAX: tuple[tuple[str, str], ...] = (
    ("found character '\\t'", "a tab stands here; indent with spaces"),
    ("found character", "a text cannot begin with this character; put the text in quotes"),
    (
        "mapping values are not allowed",
        "no colon belongs here; put the text in quotes, or check the indentation",
    ),
    ("could not find expected ':'", "the line before has no colon after its key; write “key: value”"),
    ("expected <block end>", "this does not fit the lines above; check the indentation, or put the text in quotes"),
    (
        "expected ',' or",
        "between brackets, a text with “?”, “,” or “:” must be in quotes; or a closing bracket is missing",
    ),
    ("found unexpected end of stream", "a quotation mark is never closed; write the closing one"),
    ("found unknown escape character", "a backslash stands in double quotes; write it twice, or use single quotes"),
    ("found undefined tag handle", "tags (words that begin with “!”) are not used here; leave it out"),
    ("found undefined alias", "aliases (words that begin with “*”) are not used here; write the value out"),
)


@dataclass
class Document:
    """A file as data, with the place of every value and key, and what was wrong with its YAML."""

    data: Any = None
    values: dict[Path, Position] = field(default_factory=dict)
    keys: dict[Path, Position] = field(default_factory=dict)
    unreadable: set[Path] = field(default_factory=set)
    complete: bool = True
    """Whether the whole file could be read, so that more can be said about it."""
    found: set[Problem] = field(default_factory=set)

    def report(self, path: Path, sentence: str, at_key: bool = False) -> None:
        """Add a problem at the place of `path`, or of the nearest thing around it that is written in the file."""
        if not any(path[:length] in self.unreadable for length in range(len(path) + 1)):
            self.report_at(self.position(path, at_key), path, sentence)

    def report_at(self, position: Position, path: Path, sentence: str) -> None:
        """Add a problem at a place."""
        self.found.add(Problem(*position, written(path), sentence))

    @property
    def problems(self) -> list[Problem]:
        """What is wrong, in the order of the lines."""
        return sorted(self.found)

    def position(self, path: Path, at_key: bool = False) -> Position:
        """Return where the value (or key) of `path` is written, or the nearest thing around it."""
        if at_key and path in self.keys:
            return self.keys[path]
        while path and path not in self.values:
            path = path[:-1]
        return self.values.get(path, (1, 1))


def written(path: Path) -> str:
    """Return a path as people read it: stages[0].gates[1].quorum."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in path if part != _NOWHERE)
    return "".join(parts).removeprefix(".")


def read(content: str | bytes) -> Document:
    """Read one YAML document that is a mapping. Never raises: what is wrong stands in `problems`."""
    document = Document()
    try:
        text = _decoded(content)
        _Builder(document, text).build()
        if not isinstance(document.data, dict):
            raise _CannotGoOn(document.position(()), "the file must be a mapping; begin it with “key: value” lines")
    except _CannotGoOn as reason:
        document.report_at(reason.position, (), reason.sentence)
        document.complete = False
    return document


class _CannotGoOn(Exception):
    def __init__(self, position: Position, sentence: str) -> None:
        self.position, self.sentence = position, sentence


def _decoded(content: str | bytes) -> str:
    size = len(content) if isinstance(content, bytes) else len(content.encode("utf-8", "surrogatepass"))
    if size > MAXIMUM_BYTES:
        raise _CannotGoOn((1, 1), "the file is larger than 1 MB; split it up, or shorten its texts")
    if isinstance(content, str):
        return content.removeprefix("\ufeff")
    try:
        return content.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8").removeprefix("\ufeff")
        raise _CannotGoOn(_end_of(before), "this is not UTF-8; save the file in the encoding UTF-8") from None


def _end_of(text: str) -> Position:
    return text.count("\n") + 1, len(text) - text.rfind("\n")


def _place(mark: Any) -> Position:
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)


class _Builder:
    """Turns YAML events into data and keeps the place of each node. Lazy, so that limits hold before work is done."""

    def __init__(self, document: Document, text: str) -> None:
        self.document, self.text = document, text
        self.events = self._events()
        self.nodes = 0
        self.last: Position = (1, 1)

    def _events(self) -> Iterator[Any]:
        try:
            for event in yaml.parse(self.text, Loader=yaml.SafeLoader):
                self.last = _place(event.start_mark)
                yield event
        except yaml.MarkedYAMLError as error:
            raise _CannotGoOn(_place(error.problem_mark or error.context_mark), _syntax(error)) from None
        except yaml.reader.ReaderError as error:
            sentence = f"the character U+{ord(self.text[error.position]):04X} is not allowed in YAML; delete it"
            raise _CannotGoOn(_end_of(self.text[: error.position]), sentence) from None
        except (yaml.YAMLError, ValueError, OverflowError):  # PyYAML lets "\UFFFFFFFF" and the like through to chr()
            raise _CannotGoOn(self.last, "a number in an escape or directive after here is too large") from None

    def build(self) -> None:
        """Read the first document. Raises _CannotGoOn when there is none, or when its YAML is broken."""
        next(self.events)  # the stream begins
        if isinstance(next(self.events), yaml.StreamEndEvent):
            raise _CannotGoOn((1, 1), "the file is empty; begin it with “key: value” lines")
        self.document.data = self._value(next(self.events), ())
        next(self.events)  # the document ends
        following = next(self.events)
        if not isinstance(following, yaml.StreamEndEvent):
            sentence = "a second document begins here; write one document to a file, without “---” between"
            self.document.report_at(_place(following.start_mark), (), sentence)

    def _value(self, event: Any, path: Path) -> Any:
        self.nodes += 1
        self.document.values[path] = _place(event.start_mark)
        if self.nodes > MAXIMUM_NODES:
            raise _CannotGoOn(_place(event.start_mark), f"the file has more than {MAXIMUM_NODES} values; split it up")
        if len(path) > MAXIMUM_DEPTH:
            raise _CannotGoOn(_place(event.start_mark), f"this is nested deeper than {MAXIMUM_DEPTH} levels")
        self._refuse_marks(event, path)
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(path)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._list(path)
        return self._text(event, path) if isinstance(event, yaml.ScalarEvent) else None

    def _refuse_marks(self, event: Any, path: Path) -> None:
        if isinstance(event, yaml.AliasEvent):
            self._refuse(path, f"the alias “*{event.anchor}” is not used here; write the value out")
            return
        if event.anchor is not None:
            self.document.report(path, f"the anchor “&{event.anchor}” is not used here; leave it out")
        if event.tag is not None:
            self._refuse(path, f"the tag “{event.tag}” is not used here; leave it out")

    def _refuse(self, path: Path, sentence: str) -> None:
        self.document.report(path, sentence)
        self.document.unreadable.add(path)

    def _text(self, event: yaml.ScalarEvent, path: Path) -> str | None:
        if found := _INVISIBLE.search(event.value):
            self._refuse(path, f"the invisible character U+{ord(found[0]):04X} is not allowed in a text; delete it")
            return ""
        return None if event.implicit[0] and event.value in _NOTHING else event.value

    def _list(self, path: Path) -> list[Any]:
        items: list[Any] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            items.append(self._value(event, (*path, len(items))))
        return items

    def _mapping(self, path: Path) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            key = self._key(event, path)
            if key is None:
                self._pass_over(path)
            elif key in mapping:
                self._refuse_second(key, event, path)
            else:
                self.document.keys[*path, key] = _place(event.start_mark)
                mapping[key] = self._value(next(self.events), (*path, key))
        return mapping

    def _refuse_second(self, key: str, event: Any, path: Path) -> None:
        line, _ = self.document.keys[*path, key]
        sentence = f"“{key}” stands here twice (first in line {line}); keep one"
        self.document.report_at(_place(event.start_mark), (*path, key), sentence)
        self._pass_over(path)

    def _key(self, event: Any, path: Path) -> str | None:
        plain = isinstance(event, yaml.ScalarEvent) and event.tag is None and event.anchor is None
        if plain and not _INVISIBLE.search(event.value):
            return str(event.value)
        sentence = "a key must be plain text; put texts that begin with “{”, “[”, “*”, “&” or “!” in quotes"
        self.document.report_at(_place(event.start_mark), path, sentence)
        self.document.unreadable.add(path)
        self._pass_over(path, event)
        return None

    def _pass_over(self, path: Path, event: Any = None) -> None:
        """Read a value that is of no use."""
        self._value(event or next(self.events), (*path, _NOWHERE))


def _syntax(error: yaml.MarkedYAMLError) -> str:
    problem = error.problem or error.context or "it cannot be read"
    for beginning, sentence in _SYNTAX:
        if problem.startswith(beginning):
            return sentence
    return f"this is not YAML: {problem}; check quotes, brackets and indentation"
