"""Spans of time are read as people write them, and refused with what to write instead."""

from __future__ import annotations

from datetime import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from domain.durations import Duration, Every, Rhythm, Unit, WeekMoment, read_deadline

AMOUNTS = st.integers(1, 9999)
UNITS = st.sampled_from(Unit)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5 business days", Duration(5, Unit.BUSINESS_DAY)),
        ("1 business day", Duration(1, Unit.BUSINESS_DAY)),
        ("48 hours", Duration(48, Unit.HOUR)),
        ("30 minutes", Duration(30, Unit.MINUTE)),
        ("2 days", Duration(2, Unit.DAY)),
        ("3 weeks", Duration(3, Unit.WEEK)),
        ("  3   weeks ", Duration(3, Unit.WEEK)),
    ],
)
def test_a_whole_number_and_a_unit_are_read(text: str, expected: Duration) -> None:
    assert Duration.parse(text) == expected


@pytest.mark.parametrize(
    "text", ["", "0 days", "-1 days", "1.5 days", "days", "5", "5 fortnights", "5days", "12345 days", "every 2 days"]
)
def test_anything_else_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(ValueError, match="is not a span of time; write a whole number and a unit"):
        Duration.parse(text)


@pytest.mark.parametrize("text", ["2 days", "every", "every day", "every 0 days", "everyday"])
def test_a_repetition_begins_with_every_and_is_not_nought(text: str) -> None:
    with pytest.raises(ValueError, match="write"):
        Every.parse(text)


@given(AMOUNTS, UNITS)
def test_what_is_written_is_read_again(amount: int, unit: Unit) -> None:
    assert Duration.parse(str(Duration(amount, unit))) == Duration(amount, unit)
    assert Every.parse(str(Every(amount, unit))) == Every(amount, unit)


def test_one_is_written_in_the_singular() -> None:
    assert str(Duration(1, Unit.BUSINESS_DAY)) == "1 business day"
    assert str(Every(2, Unit.HOUR)) == "every 2 hours"


class Shape(BaseModel):
    after: Duration
    remind: Every


def test_a_model_reads_and_writes_them_as_text() -> None:
    shape = Shape.model_validate({"after": "5 business days", "remind": "every 48 hours"})
    assert (shape.after, shape.remind) == (Duration(5, Unit.BUSINESS_DAY), Every(48, Unit.HOUR))
    assert shape.model_dump(mode="json") == {"after": "5 business days", "remind": "every 48 hours"}


def test_a_model_refuses_a_span_where_a_repetition_belongs() -> None:
    with pytest.raises(ValidationError, match="not a repetition"):
        Shape.model_validate({"after": "5 days", "remind": "48 hours"})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Friday 12:00", WeekMoment(4, time(12))),
        ("  friday   9:05 ", WeekMoment(4, time(9, 5))),
        ("SUNDAY 23:59", WeekMoment(6, time(23, 59))),
        ("5 business days", Duration(5, Unit.BUSINESS_DAY)),
    ],
)
def test_a_deadline_is_a_span_of_time_or_a_moment_of_the_week(text: str, expected: Duration | WeekMoment) -> None:
    assert read_deadline(text) == expected
    assert read_deadline(str(expected)) == expected


@pytest.mark.parametrize("text", ["Friday", "Friday 24:00", "Friday 12:60", "Fri 12:00", "Freitag 12:00", "12:00", ""])
def test_any_other_deadline_is_refused_with_both_forms(text: str) -> None:
    with pytest.raises(ValueError, match=r"“5 business days”.* or a moment of the week, such as “Friday 12:00”"):
        read_deadline(text)


@pytest.mark.parametrize("written", ["every 2 business days", ["3 business days", "1 day"]])
def test_a_rhythm_is_written_as_it_was_read(written: str | list[str]) -> None:
    assert Rhythm.parse(written).written() == written


@pytest.mark.parametrize("written", ["2 days", [], ["1 day"] * 21, ["every 2 days"], {"every": "2 days"}, None])
def test_any_other_rhythm_is_refused_with_what_to_write(written: object) -> None:
    with pytest.raises(ValueError, match="write"):
        Rhythm.parse(written)  # type: ignore[arg-type]
