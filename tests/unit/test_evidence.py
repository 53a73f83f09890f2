"""Equal facts have equal digests on every machine, and what differs can be named."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.evidence import canonical_json, difference, digest
from domain.states import Outcome

LEAVES = st.one_of(st.none(), st.booleans(), st.integers(-3, 3), st.sampled_from(["", "1", "true", "ü"]))
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner), max_leaves=8
)
MAPPINGS = st.dictionaries(st.sampled_from("abc"), VALUES)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"b": 1, "a": [True, None]}, '{"a":[true,null],"b":1}'),
        ({"a": ("x", 2)}, '{"a":["x",2]}'),
        (Decimal("12.50"), '"12.5"'),
        (Decimal("1E+3"), '"1000"'),
        (Decimal("-0.00"), '"0"'),
        (Outcome.RECYCLE, '"recycle"'),
        ({Outcome.GO: 1}, '{"go":1}'),
        (date(2026, 7, 6), '"2026-07-06"'),
        (datetime(2026, 7, 6, 8, tzinfo=UTC), '"2026-07-06T08:00:00+00:00"'),
        ("Zürich “quoted”", '"Zürich “quoted”"'),
        ({}, "{}"),
    ],
)
def test_the_canonical_form_is_sorted_and_without_spaces(value: Any, expected: str) -> None:
    assert canonical_json(value) == expected


def test_a_moment_is_the_same_in_every_zone() -> None:
    moment = datetime(2026, 7, 6, 8, tzinfo=UTC)
    assert digest(moment) == digest(moment.astimezone(timezone(timedelta(hours=2))))


def test_an_amount_is_the_same_with_more_noughts() -> None:
    assert digest({"amount": Decimal("12.5")}) == digest({"amount": Decimal("12.500000")})


@pytest.mark.parametrize("value", [1.0, {"a": [0.5]}, {1: "a"}, {None: 1}, {"a", "b"}, b"bytes", object()])
def test_what_has_no_canonical_form_is_refused(value: Any) -> None:
    with pytest.raises(TypeError):
        canonical_json(value)


@pytest.mark.parametrize("value", [datetime(2026, 7, 6, 8), Decimal("NaN"), Decimal("Infinity")])
def test_a_time_without_a_zone_and_a_number_without_end_are_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r"zone|recorded"):
        canonical_json(value)


def test_the_digest_can_be_checked_with_nothing_but_a_standard_library() -> None:
    value = {"question": "Führen wir es ein?", "lines": [1, 2]}
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    assert digest(value) == hashlib.sha256(text.encode("utf-8")).hexdigest()


@given(MAPPINGS)
def test_the_order_of_keys_does_not_matter(value: dict[str, Any]) -> None:
    assert digest(dict(reversed(value.items()))) == digest(value)


@given(VALUES)
def test_nothing_is_lost(value: Any) -> None:
    assert json.loads(canonical_json(value)) == value


@given(MAPPINGS, MAPPINGS)
def test_there_is_a_difference_exactly_when_the_digests_differ(before: dict[str, Any], after: dict[str, Any]) -> None:
    assert (difference(before, after) == []) is (digest(before) == digest(after))


def test_a_difference_names_the_path_and_both_sides() -> None:
    before = {"title": "A", "budget": [{"item": "Ads", "amount": Decimal(100)}], "gone": 1}
    after = {"title": "A", "budget": [{"item": "Ads", "amount": Decimal(120)}, {"item": "Tool"}], "new": "x"}
    assert difference(before, after) == [
        ("budget[0].amount", "100", "120"),
        ("budget[1]", None, {"item": "Tool"}),
        ("gone", 1, None),
        ("new", None, "x"),
    ]


def test_one_and_true_are_not_the_same() -> None:
    assert difference({"a": 1}, {"a": True}) == [("a", 1, True)]
