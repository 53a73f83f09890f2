"""What a rollout is started with, beside its budget: read as the plan's kinds say, and kept as plain JSON."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from domain.errors import InvalidInput
from domain.nearest import suggestion
from domain.plan import Input, InputKind
from domain.typed_text import clean_text, plain_number, read_number

LONGEST_TEXT = 20_000  # characters
YES_NO = {"yes": True, "true": True, "ja": True, "no": False, "false": False, "nein": False}


def read(asked: Mapping[str, Input], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of all inputs but budgets: texts and ISO dates and numbers as strings, yes and no as a bool.

    What is not given is what the plan says holds then. Raises InvalidInput for a name that the plan does not ask for, a
    value of the wrong kind, and one that is missing.
    """
    for name in given:
        if name not in asked:
            raise InvalidInput(f"“{name}” is not an input of the plan{suggestion(name, asked)}")
    defaults = {name: one.default for name, one in asked.items() if one.default is not None}
    found = {**defaults, **{name: value for name, value in given.items() if not _is_empty(value)}}
    values = {name: _read(name, asked[name].kind, value) for name, value in found.items()}
    for name, one in asked.items():
        if one.required and one.kind is not InputKind.BUDGET and name not in values:
            raise InvalidInput(f"The plan needs “{name}” to start; nothing was given under inputs.")
    return values


def carried_over(asked: Mapping[str, Input], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a rollout was started with as a newer version of its plan takes it; what that leaves out is kept.

    `given` is as stored, budgets as lists of lines. Raises InvalidInput for what is missing or of another kind now.
    """
    known = {name: given[name] for name in asked if given.get(name) not in (None, "", [])}
    budgets = {name: value for name, value in known.items() if asked[name].kind is InputKind.BUDGET}
    for name, one in asked.items():
        if one.required and one.default is None and name not in known:
            raise InvalidInput(
                f"The newer version needs “{name}”, which this rollout was started without; give it a default."
            )
        if name in known and isinstance(known[name], list) is not (name in budgets):
            raise InvalidInput(f"The input “{name}” is of another kind in the newer version; give it another name.")
    plain = {name: value for name, value in known.items() if name not in budgets}
    return {**given, **read(asked, plain), **budgets}


def as_typed(answer: Any) -> str:
    """Return a stored value the way somebody would type it."""
    if isinstance(answer, dict):
        return "\n".join(f"{name}: {value}" for name, value in answer.items())
    if isinstance(answer, list):
        return "\n".join(str(value) for value in answer)
    if isinstance(answer, bool):
        return "yes" if answer else "no"
    return "" if answer is None else str(answer)


def in_words(name: str, asked: Input) -> str:
    """Return what a plan asks for, for whoever starts a rollout: “goal (number, 70 unless given)” (English)."""
    kept = f", {asked.default} unless given" if asked.default is not None else ""
    return f"{name} ({asked.kind}{', required' if asked.required else kept})"


def default_problem(asked: Input) -> str | None:
    """Return what is wrong with what holds when nothing is given, or None when nothing is."""
    if asked.default is None:
        return None
    if asked.kind is InputKind.BUDGET:
        return "a budget has no default; leave it out"
    if asked.required:
        return "what has a default is never missing; leave out “required”, or the default"
    try:
        _READERS[asked.kind](asked.default)
    except (InvalidInput, ValueError, TypeError, KeyError):
        return f"“{asked.default[:60]}” is not {_WANTED[asked.kind]}"
    return None


def _is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _read(name: str, kind: InputKind, value: Any) -> Any:
    if kind is InputKind.BUDGET:
        raise InvalidInput(f"“{name}” is a budget: give its lines under budget, not under inputs.")
    try:
        return _READERS[kind](value)
    except (InvalidInput, ValueError, TypeError, KeyError) as wrong:
        raise InvalidInput(f"The input “{name}” is not {_WANTED[kind]}: {str(value)[:60]!r}.") from wrong


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return clean_text(value, LONGEST_TEXT)


def _number(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        raise TypeError
    number = read_number(value) if isinstance(value, str) else Decimal(str(value))
    if not number.is_finite():
        raise ValueError
    return plain_number(number)


def _date(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return date.fromisoformat(value.strip()).isoformat()


def _yes_no(value: Any) -> bool:
    return value if isinstance(value, bool) else YES_NO[str(value).strip().lower()]


_READERS = {
    InputKind.TEXT: _text,
    InputKind.NUMBER: _number,
    InputKind.DATE: _date,
    InputKind.YES_NO: _yes_no,
}
_WANTED = {
    InputKind.TEXT: "a plain text",
    InputKind.NUMBER: "a number",
    InputKind.DATE: "a date such as 2026-03-02",
    InputKind.YES_NO: "yes or no",
}
