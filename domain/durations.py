"""Times as people write them: “5 business days”, “48 hours”, “Friday 12:00”, and how often: “every 2 business days”."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import time
from enum import StrEnum
from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema


class Unit(StrEnum):
    """What is counted. Minutes and hours are elapsed time; days and weeks are wall time."""

    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    BUSINESS_DAY = "business day"


_PATTERN = re.compile(r"(\d{1,4}) +(minute|hour|day|week|business day)s?")
_SENTENCE = "write a whole number and a unit, such as “5 business days”, “48 hours”, “2 days” or “3 weeks”"
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MOMENT = re.compile(rf"({'|'.join(WEEKDAYS)}) +([01]?\d|2[0-3]):([0-5]\d)", re.ASCII | re.IGNORECASE)
_MOST_PAUSES = 20


@dataclass(frozen=True)
class Duration:
    """A span of time and the unit it is counted in."""

    amount: int
    unit: Unit

    @classmethod
    def parse(cls, text: str) -> Duration:
        """Read “5 business days”. Raises ValueError with what to write instead."""
        match = _PATTERN.fullmatch(" ".join(str(text).split()))
        if match is None or int(match[1]) == 0:
            raise ValueError(f"“{text}” is not a span of time; {_SENTENCE}")
        return cls(int(match[1]), Unit(match[2]))

    def __str__(self) -> str:
        return f"{self.amount} {self.unit}{'' if self.amount == 1 else 's'}"

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            lambda value: value if isinstance(value, cls) else cls.parse(value),
            serialization=core_schema.plain_serializer_function_ser_schema(str),
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"type": "string", "pattern": f"^{_PATTERN.pattern}$", "examples": ["5 business days", "48 hours"]}


@dataclass(frozen=True)
class Every(Duration):
    """A repeated span: “every 2 business days”."""

    @classmethod
    def parse(cls, text: str) -> Every:
        """Read “every 2 business days”. Raises ValueError with what to write instead."""
        words = " ".join(str(text).split())
        if not words.startswith("every "):
            raise ValueError(f"“{text}” is not a repetition; write “every 2 business days” or “every 48 hours”")
        span = Duration.parse(words.removeprefix("every "))
        return cls(span.amount, span.unit)

    def __str__(self) -> str:
        return f"every {super().__str__()}"

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"type": "string", "pattern": f"^every {_PATTERN.pattern}$", "examples": ["every 2 business days"]}


@dataclass(frozen=True)
class WeekMoment:
    """A moment of the week by the clock on the wall: “Friday 12:00”. `weekday` counts from Monday, 0."""

    weekday: int
    at: time

    def __str__(self) -> str:
        return f"{WEEKDAYS[self.weekday]} {self.at:%H:%M}"


def read_deadline(text: str) -> Duration | WeekMoment:
    """Read “5 business days” or “Friday 12:00”. Raises ValueError with what to write instead."""
    if match := _MOMENT.fullmatch(" ".join(str(text).split())):
        return WeekMoment(WEEKDAYS.index(match[1].capitalize()), time(int(match[2]), int(match[3])))
    try:
        return Duration.parse(text)
    except ValueError as error:
        raise ValueError(f"{error}, or a moment of the week, such as “Friday 12:00”") from None


class _Deadline:
    """How pydantic reads, writes and describes a deadline."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            lambda value: value if isinstance(value, Duration | WeekMoment) else read_deadline(value),
            serialization=core_schema.plain_serializer_function_ser_schema(str),
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        moment = rf"({'|'.join(WEEKDAYS)}) +([01]?\d|2[0-3]):[0-5]\d"
        examples = ["5 business days", "48 hours", "Friday 12:00"]
        return {"type": "string", "pattern": f"^({_PATTERN.pattern}|{moment})$", "examples": examples}


Deadline = Annotated[Duration | WeekMoment, _Deadline]
"""When something is due after a clock began: a span of time, or a moment of the week."""


@dataclass(frozen=True)
class Rhythm:
    """How often somebody is reminded: after each of these pauses in turn, the last of which comes again and again."""

    pauses: tuple[Duration, ...]

    @classmethod
    def parse(cls, written: str | Sequence[str]) -> Rhythm:
        """Read “every 2 business days”, or a list of spans of time. Raises ValueError with what to write instead."""
        if isinstance(written, str):
            every = Every.parse(written)
            return cls((Duration(every.amount, every.unit),))
        if not isinstance(written, list | tuple) or not 1 <= len(written) <= _MOST_PAUSES:
            raise ValueError(
                "this is not a rhythm; write “every 2 business days”, or up to 20 pauses, "
                "such as [3 business days, 2 business days, 1 business day]"
            )
        return cls(tuple(Duration.parse(pause) for pause in written))

    def written(self) -> str | list[str]:
        """Return it as it may stand in a plan."""
        return str(self) if len(self.pauses) == 1 else [str(pause) for pause in self.pauses]

    def __str__(self) -> str:
        *first, last = map(str, self.pauses)
        return "".join(f"after {pause}, " for pause in first) + (f"then every {last}" if first else f"every {last}")

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            lambda value: value if isinstance(value, cls) else cls.parse(value),
            serialization=core_schema.plain_serializer_function_ser_schema(cls.written),
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        every = {"type": "string", "pattern": f"^every {_PATTERN.pattern}$", "examples": ["every 2 business days"]}
        pause = {"type": "string", "pattern": f"^{_PATTERN.pattern}$"}
        return {"anyOf": [every, {"type": "array", "items": pause, "minItems": 1, "maxItems": _MOST_PAUSES}]}
