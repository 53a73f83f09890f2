"""What a flow run is given: the plan's texts and the rollout's inputs, in the types that the deployment asks for.

A deployment says what it takes by a JSON Schema, as Prefect makes it from the flow's signature. Only what a text can be
read as is converted; whether a number lies within its bounds, Prefect itself looks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from domain.errors import InvalidInput
from domain.inputs import YES_NO
from domain.plan import FromInput, RunGate
from domain.reasons import Reason

_WHOLE = re.compile(r"[-+]?\d{1,18}(?:\.0+)?", re.ASCII)
_NUMBER = re.compile(r"[-+]?\d{1,18}(?:\.\d{1,18})?", re.ASCII)
_LONGEST_SHOWN = 60


class _Misfit(ValueError):
    """A value that cannot be read as what is asked for. `kind` is one of the keys of _SENTENCES."""

    def __init__(self, kind: str, value: object, choices: Iterable[object] = ()) -> None:
        self.kind, self.value, self.choices = kind, value, list(choices)
        super().__init__(kind)


def given(gate: RunGate, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a gate gives its flow run: texts, and the rollout's inputs as they are kept.

    A parameter whose input was not given is left out, so that the deployment's own default holds.
    """
    values = {
        name: inputs.get(value.input) if isinstance(value, FromInput) else value
        for name, value in gate.parameters.items()
    }
    return {name: value for name, value in values.items() if value is not None and value != ""}


def fitted(schema: Mapping[str, Any], values: Mapping[str, Any], defaults: Collection[str] = ()) -> dict[str, Any]:
    """Return `values` in the types of the deployment's parameters; `defaults` are those it has a value for anyhow.

    Raises InvalidInput for a parameter that it does not have or that is missing, and for a text that does not fit.
    """
    properties = schema.get("properties")
    if properties is None:
        return dict(values)
    for name in values:
        if name not in properties:
            facts = {"name": name, "known": ", ".join(sorted(properties)) or "–"}
            raise InvalidInput(Reason("The deployment has no parameter “{name}”; those it has: {known}", facts))
    for name in schema.get("required", ()):
        if name not in values and name not in defaults:
            text = "The deployment needs the parameter “{name}”, and nothing was given for it."
            raise InvalidInput(Reason(text, {"name": name}))
    definitions = {**schema.get("definitions", {}), **schema.get("$defs", {})}
    return {name: _fitted(name, properties[name], value, definitions) for name, value in values.items()}


def _fitted(name: str, shape: Mapping[str, Any], value: Any, definitions: Mapping[str, Any]) -> Any:
    try:
        return _read(shape, value, definitions)
    except _Misfit as misfit:
        facts = {
            "name": name,
            "value": _shown(misfit.value),
            "choices": ", ".join(str(choice) for choice in misfit.choices),
        }
        raise InvalidInput(Reason(_SENTENCES[misfit.kind], facts)) from misfit


def _read(shape: Any, value: Any, definitions: Mapping[str, Any]) -> Any:
    if not isinstance(shape, Mapping):  # true: whatever it is will do
        return value
    shape = _resolved(shape, definitions)
    if "enum" in shape or "const" in shape:
        return _one_of(shape.get("enum", [shape.get("const")]), value)
    kind = shape.get("type")
    alternatives = shape.get("anyOf") or shape.get("oneOf")
    if isinstance(kind, list):
        alternatives = [{**shape, "type": each} for each in kind]
    if alternatives:
        return _first_that_fits(alternatives, value, definitions)
    if kind == "array":
        items = shape.get("items", {})
        return [_read(items, item, definitions) for item in _items(value)]
    if kind == "object":
        return _object(shape.get("properties", {}), value, definitions)
    reader = _READERS.get(str(kind))
    return reader(value) if reader else value


def _resolved(shape: Mapping[str, Any], definitions: Mapping[str, Any]) -> Mapping[str, Any]:
    """Follow references; Prefect writes one to a definition of its own either alone or under allOf."""
    referred = [shape, *shape.get("allOf", [])]
    names = [str(part["$ref"]).rpartition("/")[2] for part in referred if "$ref" in part]
    if not names:
        return shape
    rest = {key: part for key, part in shape.items() if key not in ("$ref", "allOf")}
    return _resolved({**definitions.get(names[0], {}), **rest}, {k: v for k, v in definitions.items() if k != names[0]})


def _one_of(choices: list[Any], value: Any) -> Any:
    for choice in choices:
        if value == choice or _as_text(value) == _as_text(choice):
            return choice
    raise _Misfit("enum", value, choices)


def _first_that_fits(alternatives: Iterable[Mapping[str, Any]], value: Any, definitions: Mapping[str, Any]) -> Any:
    misfits: list[_Misfit] = []
    for shape in alternatives:
        if shape.get("type") == "null":
            continue
        try:
            return _read(shape, value, definitions)
        except _Misfit as misfit:
            misfits.append(misfit)
    raise misfits[0] if misfits else _Misfit("other", value)


def _items(value: Any) -> list[Any]:
    """Return a list as it is, and the parts of a text that commas or line breaks divide."""
    if isinstance(value, list):
        return value
    return [part.strip() for part in re.split(r"[,\n]", _as_text(value)) if part.strip()]


def _whole_number(value: Any) -> int:
    text = _as_text(value)
    if isinstance(value, bool) or not _WHOLE.fullmatch(text):
        raise _Misfit("integer", value)
    return int(text.partition(".")[0])


def _number(value: Any) -> int | float:
    text = _as_text(value)
    if isinstance(value, bool) or not _NUMBER.fullmatch(text):
        raise _Misfit("number", value)
    return float(text) if "." in text else int(text)


def _yes_no(value: Any) -> bool:
    try:
        return value if isinstance(value, bool) else YES_NO[_as_text(value).lower()]
    except KeyError:
        raise _Misfit("boolean", value) from None


def _text(value: Any) -> str:
    if isinstance(value, list):
        raise _Misfit("string", value)
    return _as_text(value)


def _nothing(value: Any) -> None:
    raise _Misfit("other", value)


def _object(properties: Mapping[str, Any], value: Any, definitions: Mapping[str, Any]) -> dict[str, Any]:
    """A budget's line fits. A text is never read as an object: Prefect would fill in variables of its own there."""
    if not isinstance(value, dict):
        raise _Misfit("object", value)
    return {name: _read(properties.get(name, {}), part, definitions) for name, part in value.items()}


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.strip() if isinstance(value, str) else str(value)


def _shown(value: object) -> str:
    words = " ".join(_as_text(value).split())
    return words if len(words) <= _LONGEST_SHOWN else f"{words[:_LONGEST_SHOWN]}…"


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "integer": _whole_number,
    "number": _number,
    "boolean": _yes_no,
    "string": _text,
    "null": _nothing,
}
_SENTENCES: Mapping[str, str] = {
    "integer": "The parameter “{name}” takes a whole number; “{value}” is none.",
    "number": "The parameter “{name}” takes a number; “{value}” is none.",
    "boolean": "The parameter “{name}” takes true or false; “{value}” is neither.",
    "string": "The parameter “{name}” takes a text, not a list.",
    "enum": "The parameter “{name}” takes one of {choices}; “{value}” is none of them.",
    "object": "The parameter “{name}” takes an object, which a plan cannot give; let the flow take a text.",
    "other": "“{value}” does not fit the parameter “{name}”.",
}
