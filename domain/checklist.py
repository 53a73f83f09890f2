"""Checklists: what was filled in, in one form that can be stored, and what is still wrong with it.

Numbers are strings without exponent, never floats. What a form looks like is the pages' own matter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from domain.errors import InvalidInput
from domain.plan import Item
from domain.reasons import Reason
from domain.typed_text import clean_line, clean_text, plain_number, read_number

_LONGEST_NAME = 200
_LONGEST_TEXT = 4000
_YES = frozenset({"yes", "true", "on", "1", "ja"})


def normalise(items: Sequence[Item], form: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answers that a form holds: one per item, fields of no item left out.

    people: a list of names; number: "12.5"; number for each: {name: number}; text: a string; yes-no: a bool. What is
    not a number stays as typed, for `check` to name. Raises InvalidInput, with a sentence per field, for what cannot
    be stored.
    """
    answers: dict[str, Any] = {}
    refused: dict[str, Reason] = {}
    for item in items:
        try:
            answers[item.id] = _answer(item, form.get(item.id))
        except InvalidInput as refusal:
            refused[item.id] = refusal.explanation or Reason(refusal.sentence)
    if refused:
        raise InvalidInput("Something in the list cannot be stored as it was typed.", refused)
    return answers


def check(items: Sequence[Item], answers: Mapping[str, Any]) -> dict[str, Reason]:
    """Return for each item that is not met the reason why; nothing when all is well.

    `answers` are as `normalise` makes them. What is not required may be left empty; what is filled in must be right.
    """
    found = {item.id: _problem(item, answers) for item in items}
    return {item_id: reason for item_id, reason in found.items() if reason is not None}


def _answer(item: Item, typed: Any) -> Any:
    if item.kind == "people":
        return _people(typed)
    if item.kind == "number":
        return _numbers_for_each(typed) if item.each else _number(typed)
    if item.kind == "yes-no":
        return str(typed).strip().lower() in _YES
    return clean_text(_as_text(typed), _LONGEST_TEXT)


def _as_text(typed: Any) -> str:
    if isinstance(typed, list | tuple):
        return "\n".join(map(str, typed))
    return "" if typed is None else str(typed)


def _lines(typed: Any) -> list[str]:
    cleaned = (clean_line(line, _LONGEST_NAME) for line in clean_text(_as_text(typed), _LONGEST_TEXT).split("\n"))
    return [line for line in cleaned if line]


def _people(typed: Any) -> list[str]:
    by_small: dict[str, str] = {}
    for name in _lines(typed):
        by_small.setdefault(name.casefold(), name)
    return list(by_small.values())


def _number(typed: Any) -> str:
    text = clean_line(_as_text(typed), _LONGEST_NAME)
    number = _read(text)
    written = text if number is None else plain_number(number)
    # “1,2550” has one reading, “1.255” has two: what is stored must read as it was typed.
    return written if _read(written) == number else text


def _numbers_for_each(typed: Any) -> dict[str, str]:
    numbers: dict[str, str] = {}
    for name, number in _pairs(typed):
        if not name:
            raise InvalidInput(f"“{number.strip()}” stands without a name; write “Name: number”.")
        if name.casefold() in map(str.casefold, numbers):
            raise InvalidInput(f"“{name}” is written twice.")
        numbers[name] = _number(number)
    return numbers


def _pairs(typed: Any) -> Iterable[tuple[str, str]]:
    """Return name and number of each line “Name: number”; a line without a colon is a name without a number."""
    if isinstance(typed, Mapping):
        return [(clean_line(str(name), _LONGEST_NAME), str(number)) for name, number in typed.items()]
    split = (line.rpartition(":") if ":" in line else (line, "", "") for line in _lines(typed))
    return [(name.strip(), number) for name, _, number in split]


def _problem(item: Item, answers: Mapping[str, Any]) -> Reason | None:
    answer = answers.get(item.id)
    if item.kind == "number" and item.each:
        return _each_problem(item, answer or {}, answers.get(item.people_from or "") or [])
    if answer in (None, "", [], False):
        return _empty(item) if item.required else None
    return _PROBLEMS[item.kind](item, answer)


def _empty(item: Item) -> Reason:
    if item.kind == "people":
        return _too_few(item, 0)
    sentences = {"number": "Please write a number.", "yes-no": "This needs a yes."}
    return Reason(sentences.get(item.kind, "Please fill this in."))


def _people_problem(item: Item, people: list[str]) -> Reason | None:
    return _too_few(item, len(people)) if len(people) < _fewest(item) else None


def _fewest(item: Item) -> Decimal:
    return max(item.minimum or Decimal(0), Decimal(1))


def _too_few(item: Item, named: int) -> Reason:
    facts: dict[str, str | int] = {"minimum": plain_number(_fewest(item)), "count": named}
    return Reason("At least {minimum} must be named; so far there are {count}.", facts)


def _number_problem(item: Item, typed: str) -> Reason | None:
    number = _read(typed)
    if number is None:
        return Reason("“{value}” is not a number that can be read in one way only.", {"value": typed})
    if item.minimum is not None and number < item.minimum:
        facts = {"value": plain_number(number), "minimum": plain_number(item.minimum)}
        return Reason("{value} is too little; at least {minimum} is needed.", facts)
    return None


def _each_problem(item: Item, typed: Mapping[str, str], people: Sequence[str]) -> Reason | None:
    numbers = {name.casefold(): number for name, number in typed.items() if number}
    if not numbers and not item.required:
        return None
    if not people:
        return Reason("Please name the people first.")
    if missing := [name for name in people if name.casefold() not in numbers]:
        return Reason("A number is missing for {names}; write a line “Name: number” for each.", _names(missing))
    if strangers := [name for name in typed if name.casefold() not in map(str.casefold, people)]:
        return Reason("{names} is not among the people named.", _names(strangers))
    return _first_wrong_number(item, people, numbers)


def _first_wrong_number(item: Item, people: Sequence[str], numbers: Mapping[str, str]) -> Reason | None:
    for name in people:
        if reason := _number_problem(item, numbers[name.casefold()]):
            return Reason(f"{{name}}: {reason.text}", {"name": name, **reason.facts})
    return None


def _names(people: Iterable[str]) -> dict[str, str | int]:
    return {"names": ", ".join(people)}


def _read(typed: str) -> Decimal | None:
    try:
        return read_number(typed)
    except InvalidInput:
        return None


_PROBLEMS: Mapping[str, Callable[[Item, Any], Reason | None]] = {
    "people": _people_problem,
    "number": _number_problem,
    "text": lambda item, answer: None,
    "yes-no": lambda item, answer: None,
}
