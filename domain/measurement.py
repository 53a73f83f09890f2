"""Whether a measured value meets its gate's target: pass, fail, or not enough data to say."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from domain.deadlines import due_at
from domain.plan import Calendar, MeasurementGate
from domain.reasons import Reason
from domain.typed_text import plain_number


class Verdict(StrEnum):
    """What a measurement says about its target."""

    PASS = "pass"  # noqa: S105  # no password; the target is met, exactly or better
    FAIL = "fail"
    NOT_ENOUGH_DATA = "not-enough-data"  # no value, too small a sample, or too old


@dataclass(frozen=True)
class Judgement:
    """A verdict and why."""

    verdict: Verdict
    reason: Reason


def judge(
    gate: MeasurementGate,
    value: Decimal | None,
    sample: int | None,
    measured_at: datetime | None,
    now: datetime,
    calendar: Calendar,
) -> Judgement:
    """Return whether `value` meets the gate's target at `now` (times aware).

    `sample` is how many observations the value rests on; a value is too old once `maximum_age` is over.
    """
    if value is None or not value.is_finite():
        return _unknown(Reason("No value has been measured yet."))
    lack = _sample_problem(gate, sample) or _age_problem(gate, measured_at, now, calendar)
    return _unknown(lack) if lack else _against_target(gate, value)


def _unknown(reason: Reason) -> Judgement:
    return Judgement(Verdict.NOT_ENOUGH_DATA, reason)


def _sample_problem(gate: MeasurementGate, sample: int | None) -> Reason | None:
    if gate.minimum_sample is None:
        return None
    if sample is None:
        text = "It is not known how large the sample was; it must be at least {minimum}."
        return Reason(text, {"minimum": gate.minimum_sample})
    if sample < gate.minimum_sample:
        text = "The sample is {sample}; it must be at least {minimum}."
        return Reason(text, {"sample": sample, "minimum": gate.minimum_sample})
    return None


def _age_problem(
    gate: MeasurementGate, measured_at: datetime | None, now: datetime, calendar: Calendar
) -> Reason | None:
    if measured_at is not None and measured_at > now:
        return Reason("The value is dated in the future.")
    if gate.maximum_age is None:
        return None
    if measured_at is None:
        return Reason("It is not known when the value was measured.")
    if due_at(measured_at, gate.maximum_age, calendar) < now:
        return Reason("The value is older than {maximum_age}.", {"maximum_age": str(gate.maximum_age)})
    return None


def _against_target(gate: MeasurementGate, value: Decimal) -> Judgement:
    if isinstance(gate.at_least, Decimal):
        text = "{value} was measured; the target is at least {target}."
        return _judgement(value >= gate.at_least, text, value, gate.at_least)
    if isinstance(gate.at_most, Decimal):
        text = "{value} was measured; the target is at most {target}."
        return _judgement(value <= gate.at_most, text, value, gate.at_most)
    raise ValueError(f"the measurement “{gate.id}” has no target; one from an input is resolved first")


def _judgement(met: bool, text: str, value: Decimal, target: Decimal) -> Judgement:
    facts = {"value": plain_number(value), "target": plain_number(target)}
    return Judgement(Verdict.PASS if met else Verdict.FAIL, Reason(text, facts))
