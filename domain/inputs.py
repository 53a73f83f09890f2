"""What a rollout is started with besides its budget: each value in one form that can be stored, or a sentence why not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from domain.errors import InvalidInput
from domain.plan import InputKind
from domain.typed_text import clean_text, plain_number, read_number

_LONGEST_TEXT = 20_000
_YES_NO = {"yes": True, "true": True, "ja": True, "no": False, "false": False, "nein": False}


def read_input(name: str, kind: InputKind, value: Any) -> Any:
    """Return a value as it is stored: text, "12.5", "2026-03-02" or a bool; None when nothing was given.

    Raises InvalidInput, naming the input, for what is not of its kind.
    """
    if value is None or value == "":
        return None
    try:
        return _READERS[kind](value)
    except InvalidInput as refusal:
        raise InvalidInput(f"The input “{name}” cannot be used: {refusal.sentence}") from refusal


def _text(value: Any) -> str | None:
    if not isinstance(value, str):
        raise InvalidInput("it must be a text.")
    return clean_text(value, _LONGEST_TEXT) or None


def _number(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        raise InvalidInput("it must be a number.")
    number = read_number(value) if isinstance(value, str) else Decimal(str(value))
    if not number.is_finite():
        raise InvalidInput("it must be a number.")
    return plain_number(number)


def _date(value: Any) -> str:
    if isinstance(value, date):
        return value.isoformat()[:10]
    try:
        return date.fromisoformat(str(value)).isoformat()
    except ValueError:
        raise InvalidInput("it must be a date, such as 2026-03-31.") from None


def _yes_no(value: Any) -> bool:
    said = value if isinstance(value, bool) else _YES_NO.get(str(value).strip().lower())
    if said is None:
        raise InvalidInput("it must be yes or no.")
    return said


def _budget(value: Any) -> Any:
    raise InvalidInput("give the lines of the budget as budget lines, each with item and amount.")


_READERS: Mapping[InputKind, Callable[[Any], Any]] = {
    InputKind.TEXT: _text,
    InputKind.NUMBER: _number,
    InputKind.DATE: _date,
    InputKind.YES_NO: _yes_no,
    InputKind.BUDGET: _budget,
}
