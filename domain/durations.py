"""Spans of time as people write them: “5 business days”, “48 hours”, “2 weeks”."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

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
