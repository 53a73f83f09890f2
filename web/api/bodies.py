"""What is sent to the API. Unknown fields are refused, and nothing is taken for what it is not."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from domain.attachments import MOST as MOST_ATTACHMENTS
from domain.budget import BudgetLine
from domain.conditions import MOST
from domain.plan import Language, Slug

Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Address = Annotated[str, StringConstraints(max_length=254)]
Reasons = Annotated[str, StringConstraints(min_length=1, max_length=2000)]
Words = Annotated[str, StringConstraints(max_length=5000)]
Url = Annotated[str, StringConstraints(max_length=2000)]
FileName = Annotated[str, StringConstraints(max_length=200)]
DecisionWord = Literal[
    "approve", "approve-with-conditions", "reject", "request-changes", "abstain", "hold", "recycle", "kill"
]
Scalar = str | bool | int | float
_LARGEST = Decimal(10) ** 15
Day = Annotated[date, Field(strict=False, ge=date(1970, 1, 1), le=date(2999, 12, 31))]
Moment = Annotated[
    AwareDatetime,
    Field(strict=False, ge=datetime(1970, 1, 1, tzinfo=UTC), le=datetime(2999, 12, 31, tzinfo=UTC)),
]
"""With an offset, and within what databases and calendars can hold."""


class Body(BaseModel):
    """What every body has in common."""

    model_config = ConfigDict(extra="forbid", strict=True)


class ConditionBody(Body):
    """A promise that goes with an approval. In a refusal its fields are called condition-1-what, -who, -due, -stage."""

    what: Words = Field(description="What has to be done")
    who: Address = Field(description="Who does it: an address")
    due_on: Annotated[str, StringConstraints(max_length=20)] = Field(description="By when, such as 2026-03-31")
    stage: Annotated[str, StringConstraints(max_length=60)] = Field(
        default="",
        description="The later stage that holds to it: one of `condition_stages`; default: the first of them",
    )


class DecisionBody(Body):
    """One person's word at a gate."""

    decision: DecisionWord = Field(description="One of the `choices` of the question")
    digest: Digest = Field(description="The `digest` of the question, as it was shown")
    comment: Words = Field(default="", description="Why; needed for everything but a plain yes")
    conditions: list[ConditionBody] = Field(
        default=[], max_length=MOST, description="What has to be done; with approve-with-conditions"
    )
    lessons: Words = Field(default="", description="What was learned; where `lessons_required`")
    on_behalf_of: Address | None = Field(default=None, description="Whose voice it is, if not one's own")


class AnswersBody(Body):
    """A list that is filled in."""

    answers: dict[str, Scalar | list[str] | dict[str, str | int | float]] = Field(
        description="By the ids of the `items` of the question"
    )
    digest: Digest = Field(description="The `digest` of the question, as it was shown")
    on_behalf_of: Address | None = Field(default=None, description="In whose place, if not for oneself")


class ReasonBody(Body):
    """Why something is done."""

    reason: Reasons = Field(description="Why; whoever is concerned is told")


class MeasurementBody(Body):
    """A measured value."""

    metric: Slug = Field(description="The metric's name in the plan")
    value: Decimal = Field(
        strict=False, gt=-_LARGEST, lt=_LARGEST, decimal_places=9, allow_inf_nan=False,
        description="A number, or its digits as a string",
    )  # fmt: skip
    sample: int | None = Field(default=None, ge=0, lt=10**9, description="How many observations it rests on")
    measured_at: Moment | None = Field(default=None, description="With its offset; default: now")


class StartBody(Body):
    """What a rollout is started with. Its requester is the person the token acts for."""

    plan: Slug = Field(description="The plan's name")
    title: Annotated[str, StringConstraints(max_length=200)] = Field(default="", description="Default: the plan's")
    owner: Address = Field(default="", description="Who looks after it; default: the requester")
    language: Language = Field(default="en", description="The rollout's language")
    start_on: Day | None = Field(default=None, description="The day on which it begins")
    people: dict[Slug, list[Address]] = Field(default={}, description="Roles to addresses, over the directory's")
    budget: list[BudgetLine] = Field(default=[], description="The lines of the budget")
    inputs: dict[Slug, Scalar] = Field(default={}, description="Whatever else the plan asks for")


class InputsBody(Body):
    """What a rollout is to be about instead."""

    inputs: dict[Slug, Scalar | list[BudgetLine]] = Field(min_length=1, description="By name; a budget as its lines")
    reason: Reasons = Field(description="Why; whoever approved something else is told")


class ResponseBody(Body):
    """The answer to a request for changes, with what is changed by it; files are attached before."""

    reply: Words = Field(min_length=1, description="What is said to those who asked for changes")
    inputs: dict[Slug, Scalar | list[BudgetLine]] = Field(default={}, description="By name; a budget as its lines")
    links: list[Url] = Field(default=[], max_length=MOST_ATTACHMENTS, description="https addresses to attach")
    removed: list[FileName] = Field(
        default=[], max_length=MOST_ATTACHMENTS, description="Names of attachments to take off"
    )


class ApproverBody(Body):
    """Somebody whose approval is needed as well."""

    person: Address = Field(description="Who is asked: an address")
    reason: Reasons = Field(description="Why; they are told")


class ReassignBody(Body):
    """Somebody who is asked instead of another one."""

    from_: Address = Field(alias="from", description="Who is asked now: an address")
    to: Address = Field(description="Who is asked instead: an address")
    reason: Reasons = Field(description="Why; both are told")


class LinkBody(Body):
    """A link that belongs to what a rollout is about."""

    url: Url = Field(description="An https address")
    name: FileName = Field(default="", description="What it is called; default: its last part")


class DaysBody(Body):
    """Some whole days of somebody, reckoned where they live."""

    person: Address = Field(default="", description="Whose days; default: one's own")
    from_: Day = Field(alias="from", description="The first day")
    until: Day = Field(description="The last day")


class DelegationBody(DaysBody):
    """A voice that is lent for some days, reckoned where its owner lives."""

    to: Address = Field(description="Who answers in their place: an address")


class AbsenceBody(DaysBody):
    """Days on which somebody is away, reckoned where they live."""

    delegate: Address = Field(default="", description="Who answers in their place; default: nobody")
