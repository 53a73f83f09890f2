"""What pydantic found wrong, said so that whoever wrote the file can mend it.

One sentence for each mistake: what is wrong and what to write instead, at the place where it stands.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from domain.nearest import one_of, suggestion
from plans.shapes import shape_at, value_at
from plans.yaml_source import Document, Path

LATER_KEYS = frozenset({"assurance"})
"""Keys (and kinds of gate) that are foreseen; guessing a near name for them would mislead."""

FORMS: Mapping[str, str] = {
    "quorum": "any, all, majority, a number such as 2, a percentage such as “60 %”, or {each: 1} (one of every role)",
    "on_reject": "hold, kill, or {recycle: a-stage}",
    "outcome": "hold, reject, or {recycle: a-stage}; with silence_is_consent also pass",
    "at_least": "a number such as 70, or {input: name}",
    "at_most": "a number such as 24, or {input: name}",
    "renew": "every 90 days, or {every: every 90 days, within: 10 business days}",
    "parameter": "a text, or {input: name} for what the rollout was given",
}
"""Keys whose value has several forms; whatever fits none of them is one mistake, not one for each form.

“parameter” is whatever stands under “parameters”.
"""

_TEXT = "{de: ..., en: ...}"
_EXAMPLES: Mapping[str, str] = {
    "title": _TEXT,
    "question": _TEXT,
    "text": _TEXT,
    "plan": "name-of-the-plan",
    "id": "a-short-name",
    "stages": "a list of stages",
    "gates": "a list of gates",
    "items": "a list of items",
    "people": "a list of people",
    "approvers": "[a-role, somebody@example.com]",
    "audience": "[a-role, somebody@example.com]",
    "to": "a role or an address",
    "after": "5 business days",
    "above": "25000",
    "share": "80 %",
    "metric": "name-of-the-metric",
    "email": "somebody@example.com",
    "name": "the name of the person",
    "recycle": "a-stage",
    "each": "1",
    "deployment": "the-flow/the-deployment",
    "parameters": "{name: a text}",
}
_PATTERNS: tuple[tuple[str, str], ...] = (
    ("^[a-z]", "cannot be a name here; write small letters, digits and single hyphens, such as “pilot-review”"),
    ("^(100", "is not a share; write a percentage from 1 to 100, such as “80 %”"),
    ("^([01]", "is not a span of hours; write two times of the day, such as “09:00-17:00” or “22:00-04:00”"),
    ("^https://", "is not an https address; write it like https://ci.example.com/status"),
    ("^[A-Z]", "is not a currency; write its three capital letters, such as CHF"),
    ("^[^/]", "is not a deployment; write its flow, a slash and its name, such as “shift-traffic/sample”"),
)


_GATES = ("stages", "gates")


def report(document: Document, error: ValidationError, model: type[BaseModel]) -> None:
    """Add a sentence to `document` for each mistake that pydantic found in its data."""
    for detail in error.errors(include_url=False):
        path, mistake = path_of(detail), _mistake(detail)
        at_key = mistake == "extra_forbidden" or detail["loc"][-1:] == ("[key]",)
        sentence = _sentence(mistake, detail, document, model)
        document.report(path[:-1] if mistake == "missing" else path, sentence, at_key)


def path_of(detail: ErrorDetails) -> Path:
    """Return the way to the mistake in the file: without pydantic's names for the members of unions."""
    path = [part for part in detail["loc"] if part != "[key]"]
    if len(path) > 4 and (path[0], path[2]) == _GATES:
        del path[4]  # the kind of gate
    if detail["type"] == "union_tag_invalid":
        path.append("kind")
    forms = [place for place in range(len(path)) if _form_at(path, place)]
    return tuple(path[: forms[0] + 1] if forms else path)


def _form_at(path: Sequence[str | int], place: int) -> str:
    """Return the key of FORMS that a part of a path stands for, "" for none; a name of one's own is no key."""
    if path[0] in ("roles", "inputs"):
        return ""
    if place and path[place - 1] == "parameters":
        return "parameter"
    return str(path[place]) if path[place] in FORMS and "parameters" not in path[:place] else ""


def _mistake(detail: ErrorDetails) -> str:
    """Return pydantic's type of error, or “form” for a value that fits none of a key's several forms."""
    path = path_of(detail)
    is_form = bool(path) and bool(_form_at(path, len(path) - 1)) and detail["loc"][-1] != path[-1]
    return "form" if is_form else detail["type"]


def _sentence(mistake: str, detail: ErrorDetails, document: Document, model: type[BaseModel]) -> str:
    path = path_of(detail)
    key = next((part for part in reversed(path) if isinstance(part, str)), "")
    if mistake == "extra_forbidden":
        return _unknown_key(path, shape_at(model, path[:-1], document.data))
    if mistake == "missing":
        return _missing(path, document)
    if mistake == "form":
        form = _form_at(path, len(path) - 1)
        return f"{_quoted(value_at(document.data, path))} is no {form.replace('_', ' ')}; write {FORMS[form]}"
    if detail["input"] is None and mistake not in ("value_error", "union_tag_not_found"):
        return f"nothing is written here; write “{key}: {_EXAMPLES.get(key, '...')}”, or leave the key out"
    return _SENTENCES.get(mistake, _other)(detail)


def _unknown_key(path: Path, shape: type[BaseModel] | None) -> str:
    key = str(path[-1])
    if key in LATER_KEYS:
        return f"this version of Etappe does not know “{key}” yet; leave it out"
    known = [field.alias or name for name, field in shape.model_fields.items()] if shape else []
    return f"“{_short(key)}” is not a key here{suggestion(key, known)}"


def _missing(path: Path, document: Document) -> str:
    key, around = str(path[-1]), value_at(document.data, path[:-1])
    name = around.get("id") if isinstance(around, dict) else None
    of = f" of “{_short(name)}”" if isinstance(name, str) and name else ""
    return f"the key “{key}”{of} is missing; write “{key}: {_EXAMPLES.get(key, '...')}”"


def _kind(detail: ErrorDetails) -> str:
    context = detail.get("ctx", {})
    kinds = [kind.strip(" '") for kind in str(context.get("expected_tags", "")).split(",")]
    tag = str(context.get("tag", ""))
    if tag in LATER_KEYS:
        return f"this version of Etappe does not know gates of the kind “{tag}” yet; write {one_of(kinds)}"
    guess = suggestion(tag, kinds)
    also = "" if guess.startswith("; write") else f" The kinds are {', '.join(kinds)}"
    return f"“{_short(tag)}” is not a kind of gate{guess}{also}"


def _kind_missing(detail: ErrorDetails) -> str:
    if not isinstance(detail["input"], dict):
        return _mapping(detail)
    name = detail["input"].get("id")
    of = f" of “{_short(name)}”" if isinstance(name, str) and name else ""
    kinds = "sign-off, budget, review, checklist, measurement, acknowledgement, window, check, run"
    return f"the key “kind”{of} is missing; write “kind:” and one of {kinds}"


def _choice(detail: ErrorDetails) -> str:
    expected = str(detail.get("ctx", {}).get("expected", "")).replace(" or ", ", ")
    known = [word.strip(" '") for word in expected.split(",")]
    return f"{_quoted(detail['input'])} is not possible here; write {one_of(known)}"


def _pattern(detail: ErrorDetails) -> str:
    pattern = str(detail.get("ctx", {}).get("pattern", ""))
    sentence = next((words for start, words in _PATTERNS if pattern.startswith(start)), "does not have the right form")
    return f"{_quoted(detail['input'])} {sentence}"


def _text(detail: ErrorDetails) -> str:
    return f"a text is expected here, not {_quoted(detail['input'])}"


def _text_or_languages(detail: ErrorDetails) -> str:
    if detail.get("ctx", {}).get("class_name") == "Text":
        return f"a text is expected here, not {_quoted(detail['input'])}; write it in quotes, or as {_TEXT}"
    return _mapping(detail)


def _mapping(detail: ErrorDetails) -> str:
    return f"a mapping is expected here, not {_quoted(detail['input'])}; write “key: value” lines"


def _list(detail: ErrorDetails) -> str:
    one = detail["input"]
    example = f"[{_short(one)}]" if isinstance(one, str) else "[one, two]"
    return f"a list is expected here, not {_quoted(one)}; write {example}, or lines that begin with “- ”"


def _number(detail: ErrorDetails) -> str:
    whole = "whole number, such as 2" if detail["type"].startswith("int") else "number, such as 25000.50"
    return f"{_quoted(detail['input'])} is not a number; write a {whole}, without unit or separators"


def _too_small(detail: ErrorDetails) -> str:
    return f"{_quoted(detail['input'])} is too small; write {detail.get('ctx', {}).get('ge')} or more"


def _yes_no(detail: ErrorDetails) -> str:
    return f"{_quoted(detail['input'])} is neither true nor false; write true or false"


def _too_short(detail: ErrorDetails) -> str:
    least = detail.get("ctx", {}).get("min_length", 1)
    return "the list is empty; name at least one" if least == 1 else f"the list is too short; name at least {least}"


def _too_long(detail: ErrorDetails) -> str:
    return f"{_quoted(detail['input'])} is too long; write at most {detail.get('ctx', {}).get('max_length')} characters"


def _too_many(detail: ErrorDetails) -> str:
    return f"the list is too long; name at most {detail.get('ctx', {}).get('max_length')}"


def _own_words(detail: ErrorDetails) -> str:
    return detail["msg"].removeprefix("Value error, ")


def _other(detail: ErrorDetails) -> str:
    return f"{_quoted(detail['input'])} cannot be used here: {detail['msg'][:1].lower()}{detail['msg'][1:]}"


_SENTENCES: Mapping[str, Callable[[ErrorDetails], str]] = {
    "union_tag_invalid": _kind,
    "union_tag_not_found": _kind_missing,
    "literal_error": _choice,
    "enum": _choice,
    "string_pattern_mismatch": _pattern,
    "string_type": _text,
    "string_too_long": _too_long,
    "model_type": _text_or_languages,
    "model_attributes_type": _mapping,
    "dict_type": _mapping,
    "list_type": _list,
    "too_short": _too_short,
    "too_long": _too_many,
    "int_parsing": _number,
    "int_type": _number,
    "int_parsing_size": _number,
    "int_from_float": _number,
    "decimal_parsing": _number,
    "decimal_type": _number,
    "finite_number": _number,
    "greater_than_equal": _too_small,
    "bool_parsing": _yes_no,
    "bool_type": _yes_no,
    "value_error": _own_words,
}


def _short(text: object) -> str:
    words = " ".join(str(text).split())
    return words if len(words) <= 60 else f"{words[:57]}..."


def _quoted(value: object) -> str:
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    return "nothing" if value is None else f"“{_short(value)}”"
