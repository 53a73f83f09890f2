"""Finds every sentence that people may read, and says which of them have no German yet.

`python -m notifications.extract` prints the missing ones in the form of locale/de.po, ready to be filled in.
In Python: the first arguments of Reason(...), InvalidInput(...), _(...), words.text(...) and to_translate(...);
a Reason that is not given its sentence in place is followed to where the sentence stands in the same module.
"""

from __future__ import annotations

import ast
import string
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from notifications.language import catalogue

CHECKOUT = Path(__file__).resolve().parent.parent
FOLDERS = ("domain", "operations", "notifications", "web", "flows", "tasks", "worker")
_CALLS = {"Reason", "InvalidInput", "_", "to_translate"}
_METHODS = {"text", "gettext"}


class NotFollowed(ValueError):
    """A sentence cannot be traced to where it stands; write it in place."""


@dataclass
class Found:
    """The msgids that were found, each with the places it stands at; and the sentences that could not be traced."""

    places: dict[str, list[str]] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)

    def add(self, msgid: str, place: str) -> None:
        """Remember where a msgid stands. The empty one is nobody's sentence."""
        if msgid:
            self.places.setdefault(msgid, []).append(place)


def find(root: Path = CHECKOUT) -> Found:
    """Return every msgid in the modules and templates below `root`."""
    found = Found()
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*.py")):
            _find_in_module(path, path.relative_to(root).as_posix(), found)
        for path in sorted((root / folder).rglob("templates/**/*")):
            if path.suffix in {".html", ".txt"}:
                _find_in_template(path, path.relative_to(root).as_posix(), found)
    return found


def placeholders(text: str) -> set[str]:
    """Return the names in {braces} and in %(parentheses)s, which a translation must repeat."""
    named = {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
    return named | {part.split(")s")[0] for part in text.split("%(")[1:]}


def untranslated(found: Found) -> list[str]:
    """Return the msgids that have no German, in the order in which they were found."""
    known = catalogue("de")
    return [msgid for msgid in found.places if msgid not in known]


def as_po(msgid: str, places: Iterable[str]) -> str:
    """Return an entry of a catalogue with an empty translation."""
    quoted = msgid.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'#: {" ".join(places)}\nmsgid "{quoted}"\nmsgstr ""\n'


def _find_in_module(path: Path, name: str, found: Found) -> None:
    source = path.read_text(encoding="utf-8")
    if not any(mark in source for mark in ("Reason(", "InvalidInput(", "_(", "words", "to_translate(")):
        return
    module = _Module(ast.parse(source))
    for call, scope in module.calls():
        place = f"{name}:{call.lineno}"
        try:
            for msgid in module.sentences(call.args[0], scope):
                found.add(msgid, place)
        except NotFollowed:
            if _called(call) == "Reason":
                found.lost.append(place)


def _find_in_template(path: Path, name: str, found: Found) -> None:
    from jinja2.ext import babel_extract

    options = {"trimmed": "true", "silent": "false", "trim_blocks": "true", "lstrip_blocks": "true"}
    with path.open("rb") as file:
        for line, _, message, _ in babel_extract(file, ("_", "gettext", "ngettext"), (), options):
            for msgid in message if isinstance(message, tuple) else (message,):
                found.add(msgid or "", f"{name}:{line}")


Scope = tuple[ast.AST, ...]
"""The functions and the module around a node, innermost first."""


class _Module:
    """One module's syntax tree, in which a sentence is followed from its use to where it stands."""

    def __init__(self, tree: ast.Module) -> None:
        self._all = list(_nodes(tree, (tree,)))

    def calls(self) -> Iterator[tuple[ast.Call, Scope]]:
        """Yield every call whose first argument is for people to read."""
        for node, scope in self._all:
            if isinstance(node, ast.Call) and node.args and _is_marked(node):
                yield node, scope

    def sentences(self, node: ast.expr, scope: Scope) -> list[str]:
        """Return the sentences an expression can come to. Raises NotFollowed when it cannot be told."""
        match node:
            case ast.Constant(value=str(text)):
                return [text]
            case ast.IfExp(body=yes, orelse=no):
                return [*self.sentences(yes, scope), *self.sentences(no, scope)]
            case ast.Dict(values=values):
                return [text for value in values for text in self.sentences(value, scope)]
            case ast.Subscript(slice=ast.Constant(value="text")) | ast.Attribute(attr="text" | "sentence"):
                return []  # another Reason's or refusal's sentence, found where that one is made
            case ast.Subscript(value=table):
                return self.sentences(table, scope)
            case ast.Call(func=ast.Attribute(value=table, attr="get"), args=[_, *default]):
                return [text for part in (table, *default) for text in self.sentences(part, scope)]
            case ast.Call(func=ast.Name(id="to_translate"), args=[text]):
                return self.sentences(text, scope)
            case ast.JoinedStr(values=[ast.Constant(value="{name}: "), ast.FormattedValue(value=rest)]):
                return self.sentences(rest, scope)
            case ast.Name(id=name):
                return self._named(name, scope)
        raise NotFollowed

    def _named(self, name: str, scope: Scope) -> list[str]:
        for depth, owner in enumerate(scope):
            if values := list(self._assigned(name, owner)):
                return [text for value in values for text in self.sentences(value, scope[depth:])]
            if isinstance(owner, ast.FunctionDef) and name in (names := [arg.arg for arg in owner.args.args]):
                return self._given(owner.name, names.index(name), name)
        raise NotFollowed

    def _assigned(self, name: str, owner: ast.AST) -> Iterator[ast.expr]:
        for node, scope in self._all:
            if scope[0] is owner and isinstance(node, ast.Assign | ast.AnnAssign) and node.value:
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                if any(isinstance(target, ast.Name) and target.id == name for target in targets):
                    yield node.value

    def _given(self, function: str, position: int, name: str) -> list[str]:
        texts = []
        for node, scope in self._all:
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == function:
                by_name = [keyword.value for keyword in node.keywords if keyword.arg == name]
                for value in by_name or node.args[position : position + 1]:
                    texts += self.sentences(value, scope)
        if not texts:
            raise NotFollowed
        return texts


def _nodes(node: ast.AST, scope: Scope) -> Iterator[tuple[ast.AST, Scope]]:
    for child in ast.iter_child_nodes(node):
        yield child, scope
        yield from _nodes(child, (child, *scope) if isinstance(child, ast.FunctionDef) else scope)


def _called(call: ast.Call) -> str:
    match call.func:
        case ast.Name(id=name) if name in _CALLS:
            return name
        case ast.Attribute(value=ast.Name(id="words") | ast.Attribute(attr="words"), attr=name) if name in _METHODS:
            return name
    return ""


def _is_marked(call: ast.Call) -> bool:
    return _called(call) != ""


def main() -> int:
    """Print what is missing. Returns 1 when anything is."""
    found = find()
    missing = untranslated(found)
    for msgid in missing:
        print(as_po(msgid, found.places[msgid]))
    for place in found.lost:
        print(f"# {place}: the sentence of this Reason cannot be traced; write it in place")
    return 1 if missing or found.lost else 0


if __name__ == "__main__":
    sys.exit(main())
