"""A measured value passes at its target or better; too little or too old data says nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from domain.measurement import Verdict, judge
from domain.plan import Calendar, MeasurementGate

NOW = datetime(2026, 7, 6, 8, tzinfo=UTC)
CALENDAR = Calendar(holidays="CH-ZH", time_zone="Europe/Zurich")


def verdict(
    rules: dict[str, Any], value: str | None, sample: int | None = None, measured_at: datetime | None = NOW
) -> Verdict:
    gate = MeasurementGate.model_validate(
        {"id": "visits", "title": "Visits", "kind": "measurement", "metric": "visits", **rules}
    )
    return judge(gate, None if value is None else Decimal(value), sample, measured_at, NOW, CALENDAR).verdict


@pytest.mark.parametrize(
    ("rules", "value", "expected"),
    [
        ({"at_least": 100}, "100", Verdict.PASS),
        ({"at_least": 100}, "100.000", Verdict.PASS),
        ({"at_least": 100}, "99.999999", Verdict.FAIL),
        ({"at_least": 100}, "101", Verdict.PASS),
        ({"at_most": 5}, "5", Verdict.PASS),
        ({"at_most": 5}, "5.000001", Verdict.FAIL),
        ({"at_most": 5}, "-1", Verdict.PASS),
        ({"at_least": 0}, "0", Verdict.PASS),
        ({"at_most": 0}, "0", Verdict.PASS),
        ({"at_most": 0}, "0.1", Verdict.FAIL),
        ({"at_least": 100}, None, Verdict.NOT_ENOUGH_DATA),
        ({"at_least": 0}, None, Verdict.NOT_ENOUGH_DATA),
        ({"at_least": 100}, "NaN", Verdict.NOT_ENOUGH_DATA),
        ({"at_least": 100}, "Infinity", Verdict.NOT_ENOUGH_DATA),
    ],
)
def test_exactly_at_the_target_passes(rules: dict[str, Any], value: str | None, expected: Verdict) -> None:
    assert verdict(rules, value) is expected


@pytest.mark.parametrize(
    ("sample", "expected"),
    [(None, Verdict.NOT_ENOUGH_DATA), (0, Verdict.NOT_ENOUGH_DATA), (29, Verdict.NOT_ENOUGH_DATA), (30, Verdict.PASS)],
)
def test_a_sample_that_is_too_small_or_unknown_says_nothing(sample: int | None, expected: Verdict) -> None:
    assert verdict({"at_least": 1, "minimum_sample": 30}, "1", sample) is expected


def test_too_small_a_sample_does_not_fail_either() -> None:
    assert verdict({"at_least": 100, "minimum_sample": 30}, "1", 29) is Verdict.NOT_ENOUGH_DATA


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        (timedelta(), Verdict.PASS),
        (timedelta(hours=48), Verdict.PASS),
        (timedelta(hours=48, microseconds=1), Verdict.NOT_ENOUGH_DATA),
        (timedelta(microseconds=-1), Verdict.NOT_ENOUGH_DATA),
    ],
)
def test_a_value_counts_up_to_its_maximum_age(age: timedelta, expected: Verdict) -> None:
    assert verdict({"at_least": 1, "maximum_age": "48 hours"}, "1", measured_at=NOW - age) is expected


def test_a_maximum_age_in_business_days_spares_the_weekend() -> None:
    """It is Monday, 10:00 in Zurich; a value of Friday at that hour is one business day old."""
    rules = {"at_least": 1, "maximum_age": "1 business day"}
    assert verdict(rules, "1", measured_at=NOW - timedelta(days=3)) is Verdict.PASS
    assert verdict(rules, "1", measured_at=NOW - timedelta(days=3, seconds=1)) is Verdict.NOT_ENOUGH_DATA


def test_when_it_was_measured_matters_only_where_age_does() -> None:
    assert verdict({"at_least": 1}, "1", measured_at=None) is Verdict.PASS
    assert verdict({"at_least": 1, "maximum_age": "2 days"}, "1", measured_at=None) is Verdict.NOT_ENOUGH_DATA


def test_the_reason_holds_value_and_target() -> None:
    gate = MeasurementGate.model_validate(
        {"id": "visits", "title": "Visits", "kind": "measurement", "metric": "visits", "at_least": "1200.50"}
    )
    judgement = judge(gate, Decimal("12.500000"), None, None, NOW, CALENDAR)
    assert str(judgement.reason) == "12.5 was measured; the target is at least 1200.5."
