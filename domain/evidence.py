"""What was shown to somebody, in one canonical form: its digest, and how two of them differ.

The form is JSON with sorted keys and no spaces, in UTF-8. Equal facts give equal digests on every machine: numbers
with decimals, times (UTC) and dates are strings, and there are no floats.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from domain.typed_text import plain_number

_ABSENT = object()
_PLAIN = (str, int, bool)
"""Types, not what inherits from them, whose values are JSON already: nearly all that facts are made of."""


def canonical_json(value: Any) -> str:
    """Return the canonical JSON of mappings (with string keys), lists, tuples, strings and the like.

    Raises TypeError for floats and anything else without a canonical form, ValueError for a time without a zone and
    for a Decimal that is not finite.
    """
    return json.dumps(_plain(value), ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def digest(value: Any) -> str:
    """Return the SHA-256 of the canonical JSON, in hex (64 characters). Raises what `canonical_json` raises."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    """Return (path, before, after) of everything that differs, such as ("budget[0].amount", "100", "120").

    What is missing on one side is None there. Empty exactly when both have the same digest.
    """
    return [(path, _shown(old), _shown(new)) for path, old, new in _differences("", _plain(before), _plain(after))]


def _plain(value: Any) -> Any:
    if value is None or type(value) in _PLAIN:
        return value
    if isinstance(value, Mapping):
        return {key if type(key) is str else _key(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return _plain_leaf(value)


def _key(key: Any) -> str:
    if not isinstance(key, str):
        raise TypeError(f"a key must be a string, not {type(key).__name__}")
    return str(key)


def _plain_leaf(value: Any) -> Any:
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, Decimal):
        return _decimal(value)
    if isinstance(value, datetime):
        return _moment(value)
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no canonical form")


def _decimal(value: Decimal) -> str:
    """12.5 and 12.50 are the same amount; databases give back either."""
    if not value.is_finite():
        raise ValueError(f"{value} is not a number that can be recorded")
    return plain_number(value)


def _moment(value: datetime) -> str:
    if value.tzinfo is None:
        raise ValueError(f"{value.isoformat()} has no time zone")
    return value.astimezone(UTC).isoformat()


def _differences(path: str, old: Any, new: Any) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            inner = f"{path}.{key}" if path else key
            yield from _differences(inner, old.get(key, _ABSENT), new.get(key, _ABSENT))
    elif isinstance(old, list) and isinstance(new, list):
        for index in range(max(len(old), len(new))):
            yield from _differences(f"{path}[{index}]", _at(old, index), _at(new, index))
    elif type(old) is not type(new) or old != new:
        yield path, old, new


def _at(values: list[Any], index: int) -> Any:
    return values[index] if index < len(values) else _ABSENT


def _shown(value: Any) -> Any:
    return None if value is _ABSENT else value
