"""A plan: the stages and gates of a kind of rollout, as data.

This module owns the shape of a plan. What a plan must hold beyond its shape (no cycles, no role that nobody defined)
is checked in domain/plan_check.py; reading YAML is plans/reading.py.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    StringConstraints,
    field_validator,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from domain.durations import Duration, Every
from domain.states import Outcome

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=60)]
"""A name for machines: small letters, digits and single hyphens."""

Language = Literal["de", "en"]
REQUESTER = "requester"
OWNER = "owner"
BUILT_IN_ROLES = frozenset({REQUESTER, OWNER})
"""Roles every rollout has without the plan naming them."""


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, str_strip_whitespace=True)


class Text(_Shape):
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


class Calendar(_Shape):
    """Which days are business days, and in which zone a day begins."""

    holidays: str | None = Field(default=None, description="Country or country-subdivision, such as CH-ZH or DE-BY")
    time_zone: str = Field(default="Europe/Zurich", description="An IANA zone, such as Europe/Zurich")


class Role(_Shape):
    """A role that people hold, named for readers."""

    title: Text = Field(description="What readers call the role")


class InputKind(StrEnum):
    """What a rollout is started with."""

    BUDGET = "budget"  # a list of {item, amount}
    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    YES_NO = "yes-no"


class Input(_Shape):
    """Something the plan asks for when a rollout is started."""

    kind: InputKind = Field(description="What is asked for; a budget is a list of lines, each an item and an amount")
    title: Text | None = Field(default=None, description="What the form calls it")
    currency: str | None = Field(default=None, pattern=r"^[A-Z]{3}$", description="Budgets only: ISO 4217, such as CHF")
    required: bool = Field(default=False, description="true: a rollout cannot be started without it")


class Each(_Shape):
    """A quorum of so many from every role named under `approvers`."""

    each: int = Field(ge=1, description="How many of every role")


Share = Annotated[str, StringConstraints(pattern=r"^(100|[1-9][0-9]?) ?%$")]
Quorum = Literal["any", "all", "majority"] | Annotated[int, Field(ge=1)] | Share | Each
QUORUM = "How many must approve: any, all, majority, a number, “60 %”, or {each: 1} (one of every role)"
ORDER = "together: all are asked at once; in turn: one after the other"


class Recycle(_Shape):
    """Back to an earlier stage; it and everything after it is asked again in a new round."""

    recycle: Slug = Field(description="The id of the stage to go back to: this one or one before it")


Consequence = Literal["hold", "kill"] | Recycle


class Choice(StrEnum):
    """What a review may come to."""

    GO = "go"
    HOLD = "hold"
    RECYCLE = "recycle"
    KILL = "kill"


class Escalation(_Shape):
    """After so long without a settled gate, others are asked as well, or instead."""

    after: Duration = Field(description="Counted from the opening of the gate")
    to: str = Field(description="A role or an address")
    replace: bool = Field(default=False, description="true: they are asked instead of those asked before")
    choices: list[Choice] | None = Field(default=None, description="Reviews only: what they may choose", min_length=2)


class Expiry(_Shape):
    """When time is up, and what follows. Silence never approves."""

    after: Duration = Field(description="Counted from the opening of the gate")
    outcome: Literal["hold", "reject"] | Recycle = Field(
        default="hold", description="hold, reject (what on_reject says follows), or {recycle: a-stage}"
    )


class Band(_Shape):
    """Above an amount, further roles must approve as well."""

    above: Decimal = Field(ge=0, description="An amount in the budget's currency; the band begins above it")
    approvers: list[str] = Field(min_length=1, description="Roles or addresses that must approve as well")


class _Gate(_Shape):
    id: Slug = Field(description="The gate's name for machines, once in the plan")
    title: Text = Field(description="The gate's name for people")
    details: Text | None = Field(default=None, description="More than the question says, shown below it")
    remind: Every | None = Field(default=None, description="How often those who have not answered are asked again")
    escalate: list[Escalation] = Field(default=[], description="Who is asked as well, or instead, after how long")
    expires: Expiry | None = Field(
        default=None, description="When time is up, and what follows; silence never approves"
    )
    on_reject: Consequence = Field(default="hold", description="What a no leads to: hold, kill, or {recycle: a-stage}")


class _DecidedGate(_Gate):
    question: Text = Field(description="What the approvers are asked")
    approvers: list[str] = Field(min_length=1, description="Roles or addresses; an address needs no account")
    quorum: Quorum = Field(default="all", description=QUORUM)
    order: Literal["together", "in turn"] = Field(default="together", description=ORDER)
    exclude: list[str] = Field(default=[REQUESTER], description="Roles or addresses that may not decide")
    binding: bool = Field(default=True, description="false: those asked are heard, but a no does not stop the stage")


class SignOffGate(_DecidedGate):
    """People say yes or no."""

    kind: Literal["sign-off"] = Field(description="What kind of gate this is")


class BudgetGate(_DecidedGate):
    """People approve budget lines; above an amount, further roles must approve as well."""

    kind: Literal["budget"] = Field(description="What kind of gate this is")
    input: Slug = Field(default="budget", description="The input that holds the lines")
    bands: list[Band] = Field(default=[], description="Above which amounts others must approve as well, ascending")


class ReviewGate(_DecidedGate):
    """People look at a result and choose: go, hold, recycle, kill. What was learned is written down."""

    kind: Literal["review"] = Field(description="What kind of gate this is")
    choices: list[Choice] = Field(
        default=[Choice.GO, Choice.HOLD, Choice.RECYCLE, Choice.KILL],
        min_length=2,
        description="What the reviewers may choose",
    )
    recycle_to: Slug | None = Field(
        default=None, description="The stage that “recycle” goes back to; default: this stage"
    )
    lessons: bool = Field(default=False, description="true: a review without lessons learned is refused")


class Item(_Shape):
    """One line of a checklist."""

    id: Slug = Field(description="The item's name for machines, once in the list")
    title: Text = Field(description="What is to be filled in")
    kind: Literal["people", "number", "text", "yes-no"] = Field(description="What is filled in")
    minimum: Decimal | None = Field(default=None, ge=0, description="people: how many; number: how much")
    unit: Text | None = Field(default=None, description="number: what is counted")
    each: bool = Field(default=False, description="number: asked for each of the people named under `people_from`")
    people_from: Slug | None = Field(default=None, description="The item that names the people, for `each`")
    required: bool = Field(default=True, description="false: may be left empty")


class ChecklistGate(_Gate):
    """Somebody fills in a list; minimums are enforced; whoever stands under `approvers` approves what was filled in."""

    kind: Literal["checklist"] = Field(description="What kind of gate this is")
    question: Text = Field(description="What is to be filled in, and why")
    filled_by: str = Field(default=OWNER, description="A role or an address")
    items: list[Item] = Field(min_length=1, description="The lines of the list")
    approvers: list[str] = Field(
        default=[], description="Roles or addresses that approve what was filled in; may be nobody"
    )
    quorum: Quorum = Field(default="all", description=QUORUM)
    order: Literal["together", "in turn"] = Field(default="together", description=ORDER)
    exclude: list[str] = Field(default=[REQUESTER], description="Roles or addresses that may not decide")
    binding: Literal[True] = Field(default=True, description="A checklist is always binding")


class MeasurementGate(_Gate):
    """A measured value meets a target, or does not, or there is not enough data to say."""

    kind: Literal["measurement"] = Field(description="What kind of gate this is")
    metric: Slug = Field(description="The name under which values arrive: etappe measure ROLLOUT METRIC VALUE")
    at_least: Decimal | None = Field(default=None, description="The target: the value is this or more")
    at_most: Decimal | None = Field(default=None, description="The target: the value is this or less")
    unit: Text | None = Field(default=None, description="What is counted")
    minimum_sample: int | None = Field(
        default=None, ge=1, description="A value from fewer observations is not enough data"
    )
    maximum_age: Duration | None = Field(default=None, description="A value older than this is not enough data")
    measured_by: str = Field(default=OWNER, description="Who is asked to bring the value: a role or an address")

    @model_validator(mode="after")
    def _one_target(self) -> MeasurementGate:
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError("a measurement needs a target: write either at_least or at_most")
        return self


class AcknowledgementGate(_Gate):
    """A share of a named audience has confirmed having read a text."""

    kind: Literal["acknowledgement"] = Field(description="What kind of gate this is")
    text: Text = Field(description="What is to be read")
    audience: list[str] = Field(min_length=1, description="Roles or addresses")
    share: Share = Field(description="How much of the audience must have confirmed, such as “80 %”")
    invite_comment: Text | None = Field(
        default=None, description="A question that the audience may answer on the same page"
    )


Gate = Annotated[
    SignOffGate | BudgetGate | ReviewGate | ChecklistGate | MeasurementGate | AcknowledgementGate,
    Field(discriminator="kind"),
]
DecidedGate = SignOffGate | BudgetGate | ReviewGate | ChecklistGate
"""Gates that approvers decide (a checklist when it names approvers)."""


class Stage(_Shape):
    """A step of a rollout."""

    id: Slug = Field(description="The stage's name for machines, once in the plan")
    title: Text = Field(description="The stage's name for people")
    description: Text | None = Field(default=None, description="What the stage is for")
    needs: list[Slug] | None = Field(
        default=None, description="Stages that must have passed; default: the one before it"
    )
    owner: str = Field(default=OWNER, description="Who looks after the stage: a role or an address")
    stalled_after: Duration | None = Field(
        default=None, description="When the stage's owner is told that it takes too long"
    )
    gates: list[Gate] = Field(
        min_length=1, max_length=50, description="The stage passes when all its gates have passed"
    )


class Plan(_Shape):
    """A plan as it stands in its file. `name` is the key `plan` there."""

    name: Slug = Field(alias="plan", description="The plan's name, the same as its file's: NAME.yaml")
    title: Text = Field(description="The plan's name for people")
    description: Text | None = Field(default=None, description="What the plan is for")
    calendar: Calendar = Field(default=Calendar(), description="Which days are business days")
    roles: dict[Slug, Role] = Field(
        default={}, description="The roles that people hold; requester and owner are always there"
    )
    inputs: dict[Slug, Input] = Field(default={}, description="What is asked for when a rollout is started")
    stages: list[Stage] = Field(
        min_length=1, max_length=200, description="In order; each needs the one before it unless it says so"
    )

    @field_validator("roles", mode="after")
    @classmethod
    def _no_built_in_roles(cls, roles: dict[str, Role]) -> dict[str, Role]:
        if taken := BUILT_IN_ROLES & roles.keys():
            raise ValueError(f"every rollout has {' and '.join(sorted(taken))}; a plan cannot define it")
        return roles

    def stage(self, stage_id: str) -> Stage:
        """Return the stage of this id. Raises KeyError when there is none."""
        return next(stage for stage in self.stages if stage.id == stage_id)

    def needs(self) -> dict[str, list[str]]:
        """Return for each stage the ids of the stages that must pass before it opens."""
        before: list[str] = []
        needs: dict[str, list[str]] = {}
        for stage in self.stages:
            needs[stage.id] = before if stage.needs is None else list(stage.needs)
            before = [stage.id]
        return needs


def outcome_of(consequence: Consequence) -> Outcome:
    """Return what a consequence as written in a plan comes to."""
    if isinstance(consequence, Recycle):
        return Outcome.RECYCLE
    return Outcome.KILL if consequence == "kill" else Outcome.HOLD
