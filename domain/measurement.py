"""Whether measured values meet their gate's target: pass, fail, or not enough data to say."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from itertools import chain

from domain.deadlines import due_at
from domain.durations import Duration
from domain.plan import Calendar, MeasurementGate
from domain.reasons import Reason
from domain.typed_text import plain_number


class Verdict(StrEnum):
    """What measurements say about their target."""

    PASS = "pass"  # noqa: S105  # no password; the target is met, exactly or better
    FAIL = "fail"
    NOT_ENOUGH_DATA = "not-enough-data"  # no value, too small a sample, too old, or not for long enough yet


@dataclass(frozen=True)
class Value:
    """One measured value; `sample` is how many observations it rests on, `measured_at` aware."""

    value: Decimal
    sample: int | None
    measured_at: datetime


@dataclass(frozen=True)
class Judgement:
    """A verdict and why. `again_at`: when the same values come to another one, if nothing is measured until then."""

    verdict: Verdict
    reason: Reason
    again_at: datetime | None = None


_ALONE = {
    "at_least": "{value} was measured; the target is at least {target}.",
    "at_most": "{value} was measured; the target is at most {target}.",
}
_MISSED = {
    "at_least": "{value} was measured within the last {holds_for}; the target is at least {target}.",
    "at_most": "{value} was measured within the last {holds_for}; the target is at most {target}.",
}
_HELD = {
    "at_least": "{value} was measured, and every value of the last {holds_for} was at least {target}.",
    "at_most": "{value} was measured, and every value of the last {holds_for} was at most {target}.",
}


def judge(gate: MeasurementGate, newest_first: Iterable[Value], now: datetime, calendar: Calendar) -> Judgement:
    """Return what these values come to at `now` (aware); they are read only as far back as they matter.

    The newest value must meet the target; it is too old once `maximum_age` is over. With `holds_for`, every value that
    was measured since must meet it as well, and so must the one that held when that time began.
    """
    values = (value for value in newest_first if value.value.is_finite())
    newest = next(values, None)
    if newest is None:
        return _unknown(Reason("No value has been measured yet."))
    if lack := _sample_problem(gate, newest) or _age_problem(gate, newest, now, calendar):
        return _unknown(lack)
    if gate.holds_for is None or not _meets(gate, newest):
        verdict = Verdict.PASS if _meets(gate, newest) else Verdict.FAIL
        return Judgement(verdict, Reason(_ALONE[_target(gate)[0]], _facts(gate, newest)))
    enough = (value for value in values if _sample_problem(gate, value) is None)
    return _over_time(gate, gate.holds_for, newest, enough, now, calendar)


def _unknown(reason: Reason, again_at: datetime | None = None) -> Judgement:
    return Judgement(Verdict.NOT_ENOUGH_DATA, reason, again_at)


def _sample_problem(gate: MeasurementGate, value: Value) -> Reason | None:
    if gate.minimum_sample is None:
        return None
    if value.sample is None:
        text = "It is not known how large the sample was; it must be at least {minimum}."
        return Reason(text, {"minimum": gate.minimum_sample})
    if value.sample < gate.minimum_sample:
        text = "The sample is {sample}; it must be at least {minimum}."
        return Reason(text, {"sample": value.sample, "minimum": gate.minimum_sample})
    return None


def _age_problem(gate: MeasurementGate, value: Value, now: datetime, calendar: Calendar) -> Reason | None:
    if value.measured_at > now:
        return Reason("The value is dated in the future.")
    if gate.maximum_age is not None and due_at(value.measured_at, gate.maximum_age, calendar) < now:
        return Reason("The value is older than {maximum_age}.", {"maximum_age": str(gate.maximum_age)})
    return None


def _target(gate: MeasurementGate) -> tuple[str, Decimal]:
    for side, target in (("at_least", gate.at_least), ("at_most", gate.at_most)):
        if isinstance(target, Decimal):
            return side, target
    raise ValueError(f"the measurement “{gate.id}” has no target; one from an input is resolved first")


def _meets(gate: MeasurementGate, value: Value) -> bool:
    side, target = _target(gate)
    return value.value >= target if side == "at_least" else value.value <= target


def _facts(gate: MeasurementGate, value: Value) -> dict[str, str]:
    return {"value": plain_number(value.value), "target": plain_number(_target(gate)[1])}


def _over_time(
    gate: MeasurementGate,
    holds_for: Duration,
    newest: Value,
    older: Iterable[Value],
    now: datetime,
    calendar: Calendar,
) -> Judgement:
    """Judge a newest value that meets the target by those before it, back to the one that held when the window began.

    The window reaches from its beginning to now, both included. A value from before it that missed the target is not
    held against the gate; but then the target is only known to be met since the value after that one.
    """
    full_at = now
    span = {"holds_for": str(holds_for)}
    for value in chain([newest], older):
        over_at = due_at(value.measured_at, holds_for, calendar)
        if not _meets(gate, value):
            if over_at >= now:
                return Judgement(Verdict.FAIL, Reason(_MISSED[_target(gate)[0]], {**_facts(gate, value), **span}))
            break
        if over_at <= now:
            return Judgement(Verdict.PASS, Reason(_HELD[_target(gate)[0]], {**_facts(gate, newest), **span}))
        full_at = over_at
    text = "The target is met, and must go on being met until {moment}."
    return _unknown(Reason(text, {"moment": full_at.isoformat()}), full_at)
