"""What a flow run is given: texts and inputs, in the types that its deployment's schema asks for.

The schemas are those that Prefect makes from a flow's signature, so each example is one.
"""

from __future__ import annotations

from datetime import date
from enum import Enum
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st
from pydantic import BaseModel, Field, TypeAdapter

from domain.errors import InvalidInput
from domain.plan import FromInput, RunGate, Text
from domain.run_parameters import fitted, given


class Region(Enum):
    NORTH = "north"
    SOUTH = "south"


class Line(BaseModel):
    item: str
    amount: float


def schema_of(kind: Any) -> dict[str, Any]:
    """The schema of a flow with one parameter, “it”, of this type; references lead to definitions, as in Prefect's."""
    shape = TypeAdapter(kind).json_schema(ref_template="#/definitions/{model}")
    definitions = shape.pop("$defs", {})
    if "$ref" not in shape and "enum" in shape and "title" in shape:  # a lone enumeration is inlined; Prefect refers
        definitions, shape = {"It": shape}, {"allOf": [{"$ref": "#/definitions/It"}]}
    return {"type": "object", "properties": {"it": shape}, "required": ["it"], "definitions": definitions}


def fit(kind: Any, value: Any) -> Any:
    return fitted(schema_of(kind), {"it": value})["it"]


def refusal(kind: Any, value: Any) -> str:
    with pytest.raises(InvalidInput) as refused:
        fit(kind, value)
    return refused.value.sentence


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        (str, "2.10", "2.10"),
        (str, True, "true"),
        (int, "50", 50),
        (int, "-3", -3),
        (int, "50.0", 50),
        (float, "0.25", 0.25),
        (float, "1", 1),
        (bool, "yes", True),
        (bool, "False", False),
        (bool, True, True),
        (int | None, "7", 7),
        (Annotated[int, Field(ge=0, le=100)], "10", 10),
        (date, "2026-03-02", "2026-03-02"),
        (Literal["blue", "green"], "green", "green"),
        (Literal[1, 2], "2", 2),
        (Region, "south", "south"),
        (list[str], "a, b\nc", ["a", "b", "c"]),
        (list[int], "1,2", [1, 2]),
        (list[int] | None, "1", [1]),
        (list[int], "", []),
        (list[Line], [{"item": "Ads", "amount": "12.50"}], [{"item": "Ads", "amount": 12.5}]),
        (int | list[int], "1,2", [1, 2]),
        (Any, "as it is", "as it is"),
    ],
)
def test_a_text_becomes_what_the_deployment_asks_for(kind: Any, value: Any, expected: Any) -> None:
    got = fit(kind, value)
    assert (got, type(got)) == (expected, type(expected))


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        (int, "ten", "“it” takes a whole number; “ten” is none"),
        (int, "2.5", "whole number; “2.5”"),
        (int, True, "whole number; “true”"),
        (int, "1'000", "whole number"),
        (int, "9" * 80, "whole number; “" + "9" * 60 + "…”"),
        (float, "1,5", "takes a number; “1,5” is none"),
        (float, "inf", "takes a number"),
        (bool, "maybe", "takes true or false; “maybe” is neither"),
        (Literal["blue", "green"], "red", "one of blue, green; “red” is none of them"),
        (Region, "west", "one of north, south"),
        (list[int], "1, two", "whole number; “two”"),
        (int | None, "x", "whole number; “x”"),
        (dict[str, str], '{"a": "b"}', "an object, which a plan cannot give"),
        (dict[str, str], '{"__prefect_kind": "workspace_variable"}', "an object, which a plan cannot give"),
        (str, [{"item": "Ads", "amount": "1"}], "takes a text, not a list"),
        (None, "x", "“x” does not fit the parameter “it”"),
    ],
)
def test_a_text_that_does_not_fit_is_said(kind: Any, value: Any, words: str) -> None:
    assert words in refusal(kind, value)


def test_a_parameter_that_the_deployment_does_not_have() -> None:
    with pytest.raises(InvalidInput) as refused:
        fitted(schema_of(int), {"it": "1", "percnt": "1"})
    assert refused.value.sentence == "The deployment has no parameter “percnt”; those it has: it"


def test_a_parameter_that_is_missing() -> None:
    with pytest.raises(InvalidInput) as refused:
        fitted(schema_of(int), {})
    assert "needs the parameter “it”" in refused.value.sentence


def test_what_the_deployment_has_a_value_for_need_not_be_given() -> None:
    assert fitted(schema_of(int), {}, defaults=["it"]) == {}


def test_without_a_schema_everything_is_given_as_it_is() -> None:
    assert fitted({}, {"it": "1", "others": True}) == {"it": "1", "others": True}


def assert_that_it_fits_or_is_refused(kind: Any, text: str) -> None:
    try:
        fit(kind, text)
    except InvalidInput as refused:
        sentence = refused.sentence
    else:
        return
    assert "“it”" in sentence


@for_all(st.integers(-(10**17), 10**17))
def test_a_whole_number_is_what_was_written(number: int) -> None:
    assert fit(int, str(number)) == number


@for_all(st.text(max_size=20))
def test_whatever_is_typed_either_fits_or_is_refused_in_a_sentence(text: str) -> None:
    for kind in (int, float, bool, list[int], Literal["a"], int | None):
        assert_that_it_fits_or_is_refused(kind, text)


def test_a_schema_that_refers_to_itself_or_to_nothing_takes_the_value_as_it_is() -> None:
    circle = {"A": {"$ref": "#/definitions/B"}, "B": {"$ref": "#/definitions/A"}}
    for shape in ({"$ref": "#/definitions/A"}, {"$ref": "#/definitions/C"}, True, {}):
        assert fitted({"properties": {"it": shape}, "definitions": circle}, {"it": "x"}) == {"it": "x"}


def test_inputs_are_put_in_their_place_and_those_not_given_are_left_out() -> None:
    gate = RunGate(
        id="shift",
        title=Text(en="Shift"),
        kind="run",
        deployment="shift-traffic/sample",
        parameters={"release": FromInput(input="release"), "percent": "10", "note": FromInput(input="note")},
    )
    assert given(gate, {"release": "2.4.0"}) == {"release": "2.4.0", "percent": "10"}
    assert given(gate, {"release": "2.4.0", "note": ""}) == {"release": "2.4.0", "percent": "10"}
    assert given(gate, {"release": False, "note": "x"}) == {"release": False, "percent": "10", "note": "x"}
