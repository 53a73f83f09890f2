"""A measured value passes at its target or better; too little or too old data says nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.measurement import Value, Verdict, judge
from domain.plan import Calendar, MeasurementGate

NOW = datetime(2026, 7, 6, 8, tzinfo=UTC)
CALENDAR = Calendar(holidays="CH-ZH", time_zone="Europe/Zurich")


def measured(**rules: Any) -> MeasurementGate:
    return MeasurementGate.model_validate(
        {"id": "visits", "title": "Visits", "kind": "measurement", "metric": "visits", **rules}
    )


def verdict(
    rules: dict[str, Any], value: str | None, sample: int | None = None, measured_at: datetime = NOW
) -> Verdict:
    values = [] if value is None else [Value(Decimal(value), sample, measured_at)]
    return judge(measured(**rules), values, NOW, CALENDAR).verdict


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


def test_the_reason_holds_value_and_target() -> None:
    judgement = judge(measured(at_least="1200.50"), [Value(Decimal("12.500000"), None, NOW)], NOW, CALENDAR)
    assert str(judgement.reason) == "12.5 was measured; the target is at least 1200.5."


def test_a_target_that_no_input_has_given_is_not_judged() -> None:
    with pytest.raises(ValueError, match="no target"):
        verdict({"at_least": {"input": "goal"}}, "1")


DAY = timedelta(days=1)


class TestHoldsFor:
    """At least 70 for 7 days of 24 hours (written in hours, so that no clock changes within)."""

    GATE = measured(at_least=70, holds_for="168 hours")

    def judged(self, *values: tuple[float, float], gate: MeasurementGate = GATE) -> tuple[Verdict, timedelta | None]:
        """Judge values given as (days ago, value); also in how much time they come to something else by themselves."""
        rows = [Value(Decimal(str(value)), None, NOW - ago * DAY) for ago, value in sorted(values)]
        judgement = judge(gate, rows, NOW, CALENDAR)
        return judgement.verdict, judgement.again_at - NOW if judgement.again_at else None

    def test_no_value_and_values_since_yesterday_are_not_enough(self) -> None:
        assert self.judged() == (Verdict.NOT_ENOUGH_DATA, None)
        assert self.judged((0, 80), (1, 80)) == (Verdict.NOT_ENOUGH_DATA, 6 * DAY)

    def test_a_value_exactly_at_its_beginning_covers_it(self) -> None:
        assert self.judged((0, 80), (7, 70)) == (Verdict.PASS, None)

    def test_one_from_before_it_covers_it_and_one_a_moment_after_does_not(self) -> None:
        assert self.judged((0, 80), (9, 70)) == (Verdict.PASS, None)
        assert self.judged((0, 80), (6.5, 70)) == (Verdict.NOT_ENOUGH_DATA, DAY / 2)

    def test_a_single_value_that_is_old_enough_holds_until_the_next_one(self) -> None:
        assert self.judged((8, 70)) == (Verdict.PASS, None)

    @pytest.mark.parametrize("ago", [0, 3, 7])
    def test_any_value_within_it_that_misses_fails(self, ago: float) -> None:
        assert self.judged((0, 80) if ago else (1, 80), (ago, 69.9), (8, 80)) == (Verdict.FAIL, None)

    def test_a_miss_before_it_is_not_held_against_it_but_does_not_cover_it_either(self) -> None:
        assert self.judged((0, 80), (6, 80), (7.5, 60), (20, 80)) == (Verdict.NOT_ENOUGH_DATA, DAY)
        assert self.judged((0, 80), (7, 80), (7.5, 60), (20, 80)) == (Verdict.PASS, None)

    def test_a_value_that_says_nothing_is_passed_over(self) -> None:
        gate = measured(at_least=70, holds_for="168 hours", minimum_sample=30)
        rows = [Value(Decimal(80), 30, NOW), Value(Decimal(1), 29, NOW - DAY), Value(Decimal(80), 30, NOW - 7 * DAY)]
        assert judge(gate, rows, NOW, CALENDAR).verdict is Verdict.PASS

    def test_the_newest_may_be_too_old_all_the_same(self) -> None:
        gate = measured(at_least=70, holds_for="168 hours", maximum_age="24 hours")
        assert self.judged((2, 80), (9, 80), gate=gate) == (Verdict.NOT_ENOUGH_DATA, None)

    def test_business_days_spare_the_weekend(self) -> None:
        """It is Monday, 10:00 in Zurich: three business days ago was Wednesday at that hour."""
        gate = measured(at_least=70, holds_for="3 business days")
        assert self.judged((0, 80), (5, 80), gate=gate) == (Verdict.PASS, None)
        assert self.judged((0, 80), (4.9, 80), gate=gate)[0] is Verdict.NOT_ENOUGH_DATA
        assert self.judged((0, 80), (4.9, 60), gate=gate)[0] is Verdict.FAIL
        assert self.judged((0, 80), (5.1, 60), gate=gate)[0] is Verdict.NOT_ENOUGH_DATA

    def test_no_more_values_are_read_than_matter(self) -> None:
        def endless() -> Iterator[Value]:
            for ago in count():
                yield Value(Decimal(80), None, NOW - ago * DAY)

        assert judge(self.GATE, endless(), NOW, CALENDAR).verdict is Verdict.PASS


AGES = st.lists(st.tuples(st.integers(0, 12), st.sampled_from([60, 70, 80])), max_size=8, unique_by=lambda one: one[0])


@given(AGES)
def test_it_holds_exactly_when_it_held_at_every_moment_of_the_window(values: list[tuple[int, int]]) -> None:
    """Brute force: at each moment of the seven days, the value before it holds; and no other one was measured."""
    judgement = judge(
        TestHoldsFor.GATE,
        [Value(Decimal(value), None, NOW - ago * DAY) for ago, value in sorted(values)],
        NOW,
        CALENDAR,
    )
    moments = [quarter / 4 for quarter in range(29)]
    held = [[value for ago, value in sorted(values) if ago >= moment][:1] for moment in moments]
    within = [value for ago, value in values if ago <= 7]
    if any(value < 70 for value in within) or (values and min(values)[1] < 70):
        assert judgement.verdict is Verdict.FAIL
    elif all(value and value[0] >= 70 for value in held):
        assert judgement.verdict is Verdict.PASS
    else:
        assert judgement.verdict is Verdict.NOT_ENOUGH_DATA
    if judgement.again_at:
        rows = [Value(Decimal(value), None, NOW - ago * DAY) for ago, value in sorted(values)]
        assert judge(TestHoldsFor.GATE, rows, judgement.again_at, CALENDAR).verdict is Verdict.PASS
        before = judgement.again_at - timedelta(microseconds=1)
        assert judge(TestHoldsFor.GATE, rows, before, CALENDAR).verdict is Verdict.NOT_ENOUGH_DATA
