"""The small words a plan is made of: texts, names, the calendar, roles, and what a rollout is started with."""

from __future__ import annotations

from datetime import date, timedelta
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    StringConstraints,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=60)]
"""A name for machines: small letters, digits and single hyphens."""

Language = Literal["de", "en"]
REQUESTER = "requester"
OWNER = "owner"
BUILT_IN_ROLES = frozenset({REQUESTER, OWNER})
"""Roles every rollout has without the plan naming them."""
ADMINISTRATOR = "administrator"
"""The role of the directory whose holders may act for others: delegate for them, and reassign what they are asked."""
SPONSOR = "sponsor"
"""The role, in the directory or among a rollout's own people, whose holders hear of every stage that stalls."""

_LONGEST_CLOSURE = timedelta(days=365)


class Shape(BaseModel):
    """What every part of a plan has in common: unknown keys are refused, and nothing changes once it was read."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, str_strip_whitespace=True)


class Text(Shape):
    """A text for people, in at least one language. A plain string counts for both."""

    de: str | None = Field(default=None, description="The text in German")
    en: str | None = Field(default=None, description="The text in English")

    @model_validator(mode="before")
    @classmethod
    def _plain_string(cls, value: Any) -> Any:
        return {"de": value, "en": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _says_something(self) -> Text:
        if not (self.de or self.en):
            raise ValueError("a text needs at least one language: write {de: ..., en: ...}")
        return self

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        shape = handler.resolve_ref_schema(handler(schema))
        return {"description": shape.pop("description"), "anyOf": [{"type": "string"}, shape]}

    def in_language(self, language: str) -> str:
        """Return the text in `language`, or in the other one when it is missing."""
        first, second = (self.de, self.en) if language == "de" else (self.en, self.de)
        return first or second or ""


BUILT_IN_TITLES = {
    REQUESTER: Text(de="wer das Vorhaben beantragt hat", en="whoever asked for the rollout"),
    OWNER: Text(de="wer für das Vorhaben verantwortlich ist", en="whoever looks after the rollout"),
}
"""What the built-in roles are called where a plan's own roles are named."""


class Days(Shape):
    """Days from one date to another, both included."""

    first: date = Field(description="The first day")
    last: date = Field(description="The last day")

    @model_validator(mode="after")
    def _in_order(self) -> Days:
        if self.last < self.first:
            raise ValueError("the last day comes before the first one; change the order")
        return self


class Closure(Days):
    """Days on which the company is closed."""

    title: str = Field(default="", max_length=200, description="What they are called, such as Betriebsferien")

    @model_validator(mode="after")
    def _not_for_ever(self) -> Closure:
        if self.last - self.first > _LONGEST_CLOSURE:
            raise ValueError("a company is not closed for more than a year; change the first day or the last one")
        return self


Closures = Annotated[tuple[Closure, ...], Field(max_length=100)]


class Recycle(Shape):
    """Back to an earlier stage; it and everything after it is asked again in a new round."""

    recycle: Slug = Field(description="The id of the stage to go back to: this one or one before it")


class Choice(StrEnum):
    """What a review may come to."""

    GO = "go"
    HOLD = "hold"
    RECYCLE = "recycle"
    KILL = "kill"


class Calendar(Shape):
    """Which days are business days, and in which zone a day begins."""

    holidays: str | None = Field(
        default=None, max_length=60, description="Country, its part, further categories: CH, CH-ZH, DE-BY+catholic"
    )
    time_zone: str = Field(default="Europe/Zurich", description="An IANA zone, such as Europe/Zurich")
    closures: Closures = Field(default=(), description="Days on which the company is closed; no business days")


class Role(Shape):
    """A role that people hold, named for readers."""

    title: Text = Field(description="What readers call the role")


class InputKind(StrEnum):
    """What a rollout is started with."""

    BUDGET = "budget"  # a list of {item, amount}
    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    YES_NO = "yes-no"


class Input(Shape):
    """Something the plan asks for when a rollout is started."""

    kind: InputKind = Field(description="What is asked for; a budget is a list of lines, each an item and an amount")
    title: Text | None = Field(default=None, description="What the form calls it")
    currency: str | None = Field(default=None, pattern=r"^[A-Z]{3}$", description="Budgets only: ISO 4217, such as CHF")
    required: bool = Field(default=False, description="true: a rollout cannot be started without it")
    default: str | None = Field(default=None, description="What holds when nothing is given; not for budgets")
