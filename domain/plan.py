"""A plan: the stages and gates of a kind of rollout, as data.

This module owns the shape of a plan. What a plan must hold beyond its shape (no cycles, no role that nobody defined)
is checked in domain/plan_check.py; reading YAML is plans/reading.py.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

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
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Text(_Shape):
    """A text for people, in at least one language. A plain string counts for both."""

    de: str | None = None
    en: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _plain_string(cls, value: Any) -> Any:
        return {"de": value, "en": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _says_something(self) -> Text:
        if not (self.de or self.en):
            raise ValueError("a text needs at least one language: write {de: ..., en: ...}")
        return self

    def in_language(self, language: str) -> str:
        """Return the text in `language`, or in the other one when it is missing."""
        first, second = (self.de, self.en) if language == "de" else (self.en, self.de)
        return first or second or ""


class Calendar(_Shape):
    """Which days are business days, and in which zone a day begins."""

    holidays: str | None = Field(None, description="Country or country-subdivision, such as CH-ZH or DE-BY")
    time_zone: str = Field("Europe/Zurich", description="An IANA zone, such as Europe/Zurich")


class Role(_Shape):
    """A role that people hold, named for readers."""

    title: Text


class InputKind(StrEnum):
    """What a rollout is started with."""

    BUDGET = "budget"  # a list of {item, amount}
    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    YES_NO = "yes-no"


class Input(_Shape):
    """Something the plan asks for when a rollout is started."""

    kind: InputKind
    title: Text | None = None
    currency: str | None = Field(None, pattern=r"^[A-Z]{3}$", description="Budgets only: ISO 4217, such as CHF")
    required: bool = False


class Each(_Shape):
    """A quorum of so many from every role named under `approvers`."""

    each: int = Field(ge=1)


Share = Annotated[str, StringConstraints(pattern=r"^(100|[1-9]?[0-9]) ?%$")]
Quorum = Literal["any", "all", "majority"] | Annotated[int, Field(ge=1)] | Share | Each
"""any, all, majority, a number, a percentage such as “60 %”, or {each: 1} (one of every role)."""


class Recycle(_Shape):
    """Back to an earlier stage; it and everything after it is asked again in a new round."""

    recycle: Slug


Consequence = Literal["hold", "kill"] | Recycle


class Choice(StrEnum):
    """What a review may come to."""

    GO = "go"
    HOLD = "hold"
    RECYCLE = "recycle"
    KILL = "kill"


class Escalation(_Shape):
    """After so long without a settled gate, others are asked as well, or instead."""

    after: Duration
    to: str = Field(description="A role or an address")
    replace: bool = Field(False, description="true: they are asked instead of those asked before")
    choices: list[Choice] | None = Field(None, description="Reviews only: what they may choose", min_length=2)


class Expiry(_Shape):
    """When time is up, and what follows. Silence never approves."""

    after: Duration
    outcome: Literal["hold", "reject"] | Recycle = "hold"


class Band(_Shape):
    """Above an amount, further roles must approve as well."""

    above: Decimal = Field(ge=0)
    approvers: list[str] = Field(min_length=1)


class _Gate(_Shape):
    id: Slug
    title: Text
    details: Text | None = Field(None, description="More than the question says, shown below it")
    remind: Every | None = None
    escalate: list[Escalation] = []
    expires: Expiry | None = None
    on_reject: Consequence = "hold"


class _DecidedGate(_Gate):
    question: Text
    approvers: list[str] = Field(min_length=1, description="Roles or addresses")
    quorum: Quorum = "all"
    order: Literal["together", "in turn"] = "together"
    exclude: list[str] = Field([REQUESTER], description="Roles or addresses that may not decide")
    binding: bool = Field(True, description="false: those asked are heard, but a no does not stop the stage")


class SignOffGate(_DecidedGate):
    """People say yes or no."""

    kind: Literal["sign-off"]


class BudgetGate(_DecidedGate):
    """People approve budget lines; above an amount, further roles must approve as well."""

    kind: Literal["budget"]
    input: Slug = "budget"
    bands: list[Band] = []


class ReviewGate(_DecidedGate):
    """People look at a result and choose: go, hold, recycle, kill. What was learned is written down."""

    kind: Literal["review"]
    choices: list[Choice] = Field([Choice.GO, Choice.HOLD, Choice.RECYCLE, Choice.KILL], min_length=2)
    recycle_to: Slug | None = Field(None, description="The stage that “recycle” goes back to; default: this stage")
    lessons: bool = Field(False, description="true: a review without lessons learned is refused")


class Item(_Shape):
    """One line of a checklist."""

    id: Slug
    title: Text
    kind: Literal["people", "number", "text", "yes-no"]
    minimum: Decimal | None = Field(None, ge=0, description="people: how many; number: how much")
    unit: Text | None = None
    each: bool = Field(False, description="number: asked for each of the people named under `people_from`")
    people_from: Slug | None = Field(None, description="The item that names the people, for `each`")
    required: bool = True


class ChecklistGate(_Gate):
    """Somebody fills in a list; minimums are enforced; whoever is named under `approvers` approves what was filled in."""

    kind: Literal["checklist"]
    question: Text
    filled_by: str = Field(OWNER, description="A role or an address")
    items: list[Item] = Field(min_length=1)
    approvers: list[str] = []
    quorum: Quorum = "all"
    order: Literal["together", "in turn"] = "together"
    exclude: list[str] = [REQUESTER]
    binding: Literal[True] = True


class MeasurementGate(_Gate):
    """A measured value meets a target, or does not, or there is not enough data to say."""

    kind: Literal["measurement"]
    metric: Slug
    at_least: Decimal | None = None
    at_most: Decimal | None = None
    unit: Text | None = None
    minimum_sample: int | None = Field(None, ge=1)
    maximum_age: Duration | None = None
    measured_by: str = Field(OWNER, description="Who is asked to bring the value: a role or an address")

    @model_validator(mode="after")
    def _one_target(self) -> MeasurementGate:
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError("a measurement needs a target: write either at_least or at_most")
        return self


class AcknowledgementGate(_Gate):
    """A share of a named audience has confirmed having read a text."""

    kind: Literal["acknowledgement"]
    text: Text
    audience: list[str] = Field(min_length=1, description="Roles or addresses")
    share: Share
    invite_comment: Text | None = Field(None, description="A question that the audience may answer on the same page")


Gate = Annotated[
    SignOffGate | BudgetGate | ReviewGate | ChecklistGate | MeasurementGate | AcknowledgementGate,
    Field(discriminator="kind"),
]
DecidedGate = SignOffGate | BudgetGate | ReviewGate | ChecklistGate
"""Gates that approvers decide (a checklist when it names approvers)."""


class Stage(_Shape):
    """A step of a rollout."""

    id: Slug
    title: Text
    description: Text | None = None
    needs: list[Slug] | None = Field(None, description="Stages that must have passed; default: the one before it")
    owner: str = Field(OWNER, description="Who looks after the stage: a role or an address")
    stalled_after: Duration | None = None
    gates: list[Gate] = Field(min_length=1)


class Plan(_Shape):
    """A plan as it stands in its file. `name` is the key `plan` there."""

    name: Slug = Field(alias="plan")
    title: Text
    description: Text | None = None
    calendar: Calendar = Calendar()
    roles: dict[Slug, Role] = {}
    inputs: dict[Slug, Input] = {}
    stages: list[Stage] = Field(min_length=1)

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


def outcome_of(consequence: Consequence | Literal["hold", "reject"]) -> Outcome:
    """Return what a consequence as written in a plan comes to (“reject” is for `Expiry`: see its gate's on_reject)."""
    if isinstance(consequence, Recycle):
        return Outcome.RECYCLE
    return Outcome.KILL if consequence == "kill" else Outcome.HOLD
