"""What a database answers when it is asked for a metric: one row with a value, and perhaps its sample and its time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from domain.errors import InvalidInput
from domain.measurement import Value

COLUMNS = ("value", "sample", "measured_at")
_MOST_DIGITS = 60
_LARGEST_SAMPLE = 10**9


@dataclass(frozen=True)
class Answer:
    """The rows of an answer, as far as they were read, with the names of their columns."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]


def read_answer(answer: Answer, now: datetime) -> Value | None:
    """Return the value of an answer of exactly one row; None when its value is null.

    Without a column measured_at, the value was measured `now` (aware); a time without a zone is UTC. Raises
    InvalidInput with what is wrong with the answer, in small letters.
    """
    if len(answer.rows) != 1:
        raise InvalidInput(
            f"the query gave {'no' if not answer.rows else 'more than one'} row; exactly one is expected"
        )
    named = _named(answer)
    if named["value"] is None:
        return None
    measured_at = _moment(named["measured_at"]) if named.get("measured_at") is not None else now
    if measured_at > now:
        raise InvalidInput("the value is dated in the future")
    return Value(_number(named["value"]), _sample(named.get("sample")), measured_at)


def _named(answer: Answer) -> Mapping[str, Any]:
    names = [name.lower() for name in answer.columns]
    if "value" not in names:
        raise InvalidInput("the query gave no column called “value”; write “SELECT ... AS value”")
    for name in names:
        if name not in COLUMNS or names.count(name) > 1:
            raise InvalidInput(
                f"the query gave the column “{name[:60]}”; name each of {', '.join(COLUMNS)} at most once"
            )
    return dict(zip(names, answer.rows[0], strict=True))


def _number(given: Any) -> Decimal:
    try:
        number = Decimal(repr(given) if isinstance(given, float) else given)
    except (InvalidOperation, TypeError, ValueError):
        number = Decimal("nan")
    if isinstance(given, bool) or not number.is_finite() or len(f"{number:f}") > _MOST_DIGITS:
        raise InvalidInput(f"the value is not a number that can be kept: {str(given)[:60]!r}")
    return number


def _sample(given: Any) -> int | None:
    if given is None:
        return None
    number = _number(given)
    if number != number.to_integral_value() or not 0 <= number < _LARGEST_SAMPLE:
        raise InvalidInput(f"the sample is not a whole number: {str(given)[:60]!r}")
    return int(number)


def _moment(given: Any) -> datetime:
    try:
        moment = given if isinstance(given, datetime) else datetime.fromisoformat(given)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        raise InvalidInput(f"measured_at is no moment: {str(given)[:60]!r}") from None
