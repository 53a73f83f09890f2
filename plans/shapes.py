"""What stands at a path of a file that was read: the value, and the model that it is read as."""

from __future__ import annotations

from collections.abc import Iterator
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel

from plans.yaml_source import Path


def value_at(data: Any, path: Path) -> Any:
    """Return the value at a path, None when there is none."""
    for part in path:
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            return None
    return data


def shape_at(shape: Any, path: Path, data: Any) -> type[BaseModel] | None:
    """Return the model that the mapping at `path` is read as."""
    for part in path:
        data = value_at(data, (part,))
        shapes = list(_inside(shape, part))
        kind = data.get("kind") if isinstance(data, dict) else None
        shape = next((one for one in shapes if len(shapes) == 1 or kind in _kinds_of(one)), None)
    return shape if isinstance(shape, type) and issubclass(shape, BaseModel) else None


def _inside(shape: Any, part: str | int) -> Iterator[Any]:
    if isinstance(shape, type) and issubclass(shape, BaseModel):
        fields = {field.alias or name: field.annotation for name, field in shape.model_fields.items()}
        yield from _members(fields.get(str(part)))
    elif get_origin(shape) in (list, dict):
        yield from _members(get_args(shape)[-1])
    elif get_origin(shape) is tuple:
        yield from _members(get_args(shape)[0])


def _members(annotation: Any) -> Iterator[Any]:
    """Return what an annotation may be, without None and without what pydantic is told besides."""
    if get_origin(annotation) in (Union, UnionType):
        for member in get_args(annotation):
            yield from _members(member)
    elif hasattr(annotation, "__metadata__"):
        yield from _members(annotation.__origin__)
    elif annotation not in (None, type(None)):
        yield annotation


def _kinds_of(shape: Any) -> tuple[Any, ...]:
    field = getattr(shape, "model_fields", {}).get("kind")
    return get_args(field.annotation) if field else ()
