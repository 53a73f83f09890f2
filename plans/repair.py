"""Takes mistakes of shape out of a plan's data, so that the rest of it can be checked in the same go.

What is left is never used for anything but finding further problems; so only what other parts of a plan do not lean on
is taken out, and nothing is taken out that would make a new problem.
"""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
from typing import Any

from domain.plan import OWNER
from domain.shared_times import SHARED
from plans.yaml_source import Path

_CAN_DO_WITHOUT = frozenset(
    {
        "bands",
        "binding",
        "calendar",
        "currency",
        "description",
        "details",
        "escalate",
        "expires",
        "invite_comment",
        "lessons",
        "maximum_age",
        "minimum",
        "minimum_sample",
        "on_reject",
        "order",
        "quorum",
        "remind",
        "required",
        "stalled_after",
        "unit",
    }
)
_TEXTS = frozenset({"title", "question", "text"})
_STAND_IN = "…"
_GATE = {"kind": "acknowledgement", "title": _STAND_IN, "text": _STAND_IN, "audience": [OWNER], "share": "1 %"}
"""Stands in for a gate that cannot be mended; nothing else in a plan leans on a gate."""


def without(data: Any, broken: Iterable[tuple[str, Path]]) -> Any:
    """Return a copy of `data` without what is broken: pairs of pydantic's type of error and the way to it."""
    mended = deepcopy(data)
    beyond_repair = [path for kind, path in broken if not _mend(mended, kind, path)]
    for path in beyond_repair:
        if len(path) >= 4 and (path[0], path[2]) == ("stages", "gates"):
            _put(mended, path[:4], {**_GATE, "id": f"broken-{path[1]}-{path[3]}"})
        elif path == ("plan",):
            _put(mended, path, "broken")
    return mended


def _mend(data: Any, kind: str, path: Path) -> bool:
    spare = next((place for place, part in enumerate(path) if part in _CAN_DO_WITHOUT), None)
    text = next((place for place, part in enumerate(path) if part in _TEXTS), None)
    if kind == "extra_forbidden":
        _take_out(data, path)
    elif spare is not None and path[spare] in SHARED:
        _put(data, path[: spare + 1], None)  # left out, it would be handed down
    elif spare is not None:
        _take_out(data, path[: spare + 1])
    elif text is not None:
        _put(data, path[: text + 1], _STAND_IN)
    return kind == "extra_forbidden" or spare is not None or text is not None


def _take_out(data: Any, path: Path) -> None:
    around = _around(data, path)
    if isinstance(around, dict):
        around.pop(path[-1], None)


def _put(data: Any, path: Path, value: Any) -> None:
    around, last = _around(data, path), path[-1]
    if isinstance(around, dict) or (isinstance(around, list) and isinstance(last, int)):
        around[last] = value  # type: ignore[index]  # the line above has made sure of it


def _around(data: Any, path: Path) -> Any:
    for part in path[:-1]:
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            return None
    return data
