"""Budget lines hold exact amounts, and a band counts above its amount and not at it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.budget import BudgetLine, as_typed, bands_above, lines_given, read_lines, total
from domain.errors import InvalidInput
from domain.plan import Band

AMOUNTS = st.decimals("0.01", "999999999", places=2)


def line(amount: Any, item: str = "Monitoring") -> BudgetLine:
    return BudgetLine.model_validate({"item": item, "amount": amount})


@pytest.mark.parametrize(
    ("given", "amount"),
    [
        ("0.01", "0.01"),
        (1200, "1200"),
        (0.1, "0.1"),
        (1200.55, "1200.55"),
        ("12,50", "12.50"),
        ("1'200", "1200"),
        ("999999999999.99", "999999999999.99"),
        (Decimal("1.500"), "1.5"),
    ],
)
def test_an_amount_is_exact_whatever_way_it_comes(given: Any, amount: str) -> None:
    assert line(given).amount == Decimal(amount)
    assert line(given).amount.as_tuple().exponent == -2


@pytest.mark.parametrize(
    "given",
    [0, "0.00", -1, "-0.01", "0.001", 0.001, "1e3", "NaN", float("inf"), "", "much", None, True, "1,000", 10**12],
)
def test_an_amount_is_above_nought_with_at_most_two_decimals(given: Any) -> None:
    with pytest.raises(ValidationError):
        line(given)


@pytest.mark.parametrize("item", ["", "  ", "\u200b", "a\nb", "x" * 201, "=?utf-8?q?x?=", "a\u202eb", None, 5])
def test_an_item_is_one_clean_line(item: Any) -> None:
    with pytest.raises(ValidationError):
        line(1, item)


def test_an_item_of_200_characters_fits_and_is_trimmed() -> None:
    assert line(1, f" {'x' * 200} ").item == "x" * 200


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(ValidationError):
        BudgetLine.model_validate({"item": "Pages", "amount": 1, "currency": "CHF"})


@given(AMOUNTS)
def test_a_stored_line_is_read_again(amount: Decimal) -> None:
    assert BudgetLine.model_validate(line(amount).model_dump(mode="json")) == line(amount)


@given(st.lists(AMOUNTS))
def test_the_total_is_exact_to_the_cent(amounts: list[Decimal]) -> None:
    cents = sum(int(amount * 100) for amount in amounts)
    assert total([line(amount) for amount in amounts]) == Decimal(cents) / 100


def test_no_lines_add_up_to_nought() -> None:
    assert total([]) == Decimal(0)


BANDS = [
    Band(above=Decimal(50000), approvers=["finance-head", "chair"]),
    Band(above=Decimal(100000), approvers=["chair", "board"]),
]


@pytest.mark.parametrize(
    ("amount", "roles"),
    [
        ("0", []),
        ("50000", []),
        ("50000.01", ["finance-head", "chair"]),
        ("100000", ["finance-head", "chair"]),
        ("100000.01", ["finance-head", "chair", "board"]),
    ],
)
def test_a_band_counts_above_its_amount_and_each_role_once(amount: str, roles: list[str]) -> None:
    assert bands_above(BANDS, Decimal(amount)) == roles


def test_without_bands_nobody_further_is_asked() -> None:
    assert bands_above([], Decimal(10**9)) == []


LINES = st.lists(
    st.builds(
        lambda item, cents: BudgetLine(item=item, amount=Decimal(cents) / 100),
        st.text("abcÄö :'1", min_size=1, max_size=20).filter(lambda item: item.strip()),
        st.integers(1, 10**11),
    ),
    max_size=5,
)


@given(LINES)
def test_lines_read_back_as_they_were_written(lines: list[BudgetLine]) -> None:
    assert read_lines(as_typed(lines)) == lines


def test_lines_are_read_as_people_type_them() -> None:
    typed = "\r\n  Agency: concept: 12'500.50 \r\n\nVideo:1200\n"
    assert as_typed(read_lines(typed)) == "Agency: concept: 12500.50\nVideo: 1200.00"


@pytest.mark.parametrize("line", ["Video", "Video:", ": 100", "Video: free", "Video: 0", "Video: -3", "Video: 1.234"])
def test_a_line_that_cannot_be_read_is_named(line: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_lines(f"Agency: 100\n{line}")
    assert refused.value.explanation is not None
    assert refused.value.explanation.facts["line"] == line


def test_a_budget_of_too_many_lines_is_refused() -> None:
    with pytest.raises(InvalidInput, match="at most 200 lines"):
        read_lines("a: 1\n" * 201)


@pytest.mark.parametrize("typed", [[{"item": "Video", "amount": "1200"}], [line("1200", "Video")], "Video: 1200"])
def test_lines_are_taken_as_lines_or_as_they_are_typed(typed: object) -> None:
    assert lines_given(typed) == [line("1200", "Video")]


@pytest.mark.parametrize("typed", [None, 7, True, ["x"], [{"item": "Video"}], [{"item": "Video", "amount": -1}], "x"])
def test_what_is_no_budget_is_refused(typed: object) -> None:
    with pytest.raises(InvalidInput):
        lines_given(typed)
