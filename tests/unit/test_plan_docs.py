"""docs/plans.md explains every key there is, and its examples are what it says they are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from plans.directory import Directory, PersonEntry, read_directory
from plans.reading import read_plan
from plans.schema import plan_schema
from plans.sentences import LATER_KEYS

PAGE = (Path(__file__).parents[2] / "docs" / "plans.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


def keys_of_the_schema() -> list[str]:
    """Return every key that may stand in a plan file."""
    schema = plan_schema()
    shapes = [schema, *schema["$defs"].values()]
    shapes += [one for shape in shapes for one in shape.get("anyOf", [])]
    return sorted({key for shape in shapes for key in shape.get("properties", {})} - {"de", "en", "recycle"})


@pytest.mark.parametrize("key", [*keys_of_the_schema(), *PersonEntry.model_fields, *sorted(LATER_KEYS)])
def test_every_key_is_explained(key: str) -> None:
    assert f"`{key}`" in PAGE


@pytest.mark.parametrize("key", [*Directory.model_fields, "de", "en", "recycle"])
def test_every_other_key_is_shown(key: str) -> None:
    assert f"{key}:" in PAGE


def test_every_key_of_a_table_is_a_key() -> None:
    explained = set(re.findall(r"^\| `([a-z_]+)` \|", PAGE, re.MULTILINE))
    assert explained <= {*keys_of_the_schema(), *PersonEntry.model_fields}


def test_the_example_is_a_plan() -> None:
    assert read_plan(EXAMPLES[0], "docs/plans.md").name == "new-tool"


def test_the_time_box_is_the_bundled_one() -> None:
    bundled = (Path(__file__).parents[2] / "plans" / "social-media-introduction.yaml").read_text(encoding="utf-8")
    for line in EXAMPLES[1].splitlines():
        assert f"        {line}\n" in bundled


def test_the_example_is_a_directory() -> None:
    assert len(read_directory(EXAMPLES[2], "docs/plans.md").people) == 2
