"""The kinds of gates a plan may hold, and the keys of each. What a plan must hold beyond that: domain/plan_check.py."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from domain.durations import Duration, Every, Rhythm
from domain.gate_times import ESCALATE, EXPIRES, REMIND, Escalations, Expiry, Renewal
from domain.plan_words import OWNER, REQUESTER, Choice, Days, Recycle, Shape, Slug, Text


class Each(Shape):
    """A quorum of so many from every role named under `approvers`."""

    each: int = Field(ge=1, description="How many of every role")


Share = Annotated[str, StringConstraints(pattern=r"^(100|[1-9][0-9]?) ?%$")]
Quorum = Literal["any", "all", "majority"] | Annotated[int, Field(ge=1)] | Share | Each
QUORUM = "How many must approve: any, all, majority, a number, “60 %”, or {each: 1} (one of every role)"
ORDER = "together: all are asked at once; in turn: one after the other"


Consequence = Literal["hold", "kill"] | Recycle


class FromInput(Shape):
    """A value that the rollout was started with, or that its owner has set since."""

    input: Slug = Field(description="The name of an input of the plan")


class Band(Shape):
    """Above an amount, further roles must approve as well, or more of those asked."""

    above: Decimal = Field(ge=0, description="An amount in the budget's currency, or a number; it begins above it")
    approvers: list[str] = Field(default=[], description="Roles or addresses that must approve as well")
    quorum: Quorum | None = Field(default=None, description="The quorum from there on, instead of the gate's")

    @model_validator(mode="after")
    def _does_something(self) -> Band:
        if not self.approvers and self.quorum is None:
            raise ValueError("a band changes something: write approvers, a quorum, or both")
        return self


class _Gate(Shape):
    id: Slug = Field(description="The gate's name for machines, once in the plan")
    title: Text = Field(description="The gate's name for people")
    details: Text | None = Field(default=None, description="More than the question says, shown below it")
    ask_after: list[Slug] = Field(
        default=[], description="Gates of the same stage that must have passed before this one is asked"
    )
    remind: Rhythm | None = Field(default=None, description=REMIND)
    escalate: Escalations = Field(default=[], description=ESCALATE)
    expires: Expiry | None = Field(default=None, description=EXPIRES)
    on_reject: Consequence = Field(default="hold", description="What a no leads to: hold, kill, or {recycle: a-stage}")
    waiver: list[str] = Field(
        default=[], description="Roles or addresses that may let the gate pass without its quorum, with a reason"
    )
    urgent: bool = Field(default=False, description="true: its mails say so, and keep no quiet hours")


class _AskingGate(_Gate):
    """What all gates have at which approvers decide."""

    quorum: Quorum = Field(default="all", description=QUORUM)
    order: Literal["together", "in turn"] = Field(default="together", description=ORDER)
    exclude: list[str] = Field(default=[REQUESTER], description="Roles or addresses that may not decide")
    different_people_than: list[Slug] = Field(
        default=[], description="Gates whose deciders may not decide here, and the other way round"
    )
    same_person_as: Slug | None = Field(
        default=None, description="A gate before this one: only those who approved there may decide here"
    )
    delegates: bool = Field(default=True, description="false: nobody can decide here for somebody else")
    pinned_to: list[Slug] = Field(
        default=[], description="Inputs, gates or attachments: a change of one of them makes an approval lapse"
    )
    bands: list[Band] = Field(default=[], description="Above which amounts others must approve as well, ascending")
    bands_on: Slug | None = Field(
        default=None, description="The budget or number that the bands look at; budgets: their own lines"
    )
    conditions_in: Slug | None = Field(
        default=None, description="The later stage in which the conditions of an approval become gates"
    )
    renew: Renewal | None = Field(default=None, description="How often it is asked again while the rollout runs")
    silence_is_consent: bool = Field(
        default=False, description="true: with “expires: {outcome: pass}”, the gate passes when nobody objects in time"
    )


class _DecidedGate(_AskingGate):
    question: Text = Field(description="What the approvers are asked")
    approvers: list[str] = Field(min_length=1, description="Roles or addresses; an address needs no account")
    binding: bool = Field(default=True, description="false: those asked are heard, but a no does not stop the stage")


class SignOffGate(_DecidedGate):
    """People say yes or no."""

    kind: Literal["sign-off"] = Field(description="What kind of gate this is")


class BudgetGate(_DecidedGate):
    """People approve budget lines; above an amount, further roles must approve as well."""

    kind: Literal["budget"] = Field(description="What kind of gate this is")
    input: Slug = Field(default="budget", description="The input that holds the lines")


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


class Item(Shape):
    """One line of a checklist."""

    id: Slug = Field(description="The item's name for machines, once in the list")
    title: Text = Field(description="What is to be filled in")
    kind: Literal["people", "number", "text", "yes-no"] = Field(description="What is filled in")
    minimum: Decimal | None = Field(default=None, ge=0, description="people: how many; number: how much")
    unit: Text | None = Field(default=None, description="number: what is counted")
    each: bool = Field(default=False, description="number: asked for each of the people named under `people_from`")
    people_from: Slug | None = Field(default=None, description="The item that names the people, for `each`")
    required: bool = Field(default=True, description="false: may be left empty")


class ChecklistGate(_AskingGate):
    """Somebody fills in a list; minimums are enforced; whoever stands under `approvers` approves what was filled in."""

    kind: Literal["checklist"] = Field(description="What kind of gate this is")
    question: Text = Field(description="What is to be filled in, and why")
    filled_by: str = Field(default=OWNER, description="A role or an address")
    items: list[Item] = Field(min_length=1, description="The lines of the list")
    approvers: list[str] = Field(
        default=[], description="Roles or addresses that approve what was filled in; may be nobody"
    )
    binding: Literal[True] = Field(default=True, description="A checklist is always binding")


class QueriedMetric(Shape):
    """Values that Etappe asks a database for."""

    database: Slug = Field(description="A name that the operator has configured in ETAPPE_METRIC_DATABASES")
    query: str = Field(
        min_length=1, max_length=4000, description="One SELECT of one row: value, and perhaps sample and measured_at"
    )
    every: Every = Field(default=Every.parse("every 1 hour"), description="How often it is asked")


class MeasurementGate(_Gate):
    """A measured value meets a target, or does not, or there is not enough data to say."""

    kind: Literal["measurement"] = Field(description="What kind of gate this is")
    metric: Slug = Field(description="The name under which values arrive: etappe measure ROLLOUT METRIC VALUE")
    at_least: Decimal | FromInput | None = Field(default=None, description="The target: the value is this or more")
    at_most: Decimal | FromInput | None = Field(default=None, description="The target: the value is this or less")
    unit: Text | None = Field(default=None, description="What is counted")
    minimum_sample: int | None = Field(
        default=None, ge=1, description="A value from fewer observations is not enough data"
    )
    maximum_age: Duration | None = Field(default=None, description="A value older than this is not enough data")
    holds_for: Duration | None = Field(
        default=None, description="The window up to now in which every value must meet the target"
    )
    measured_by: str = Field(default=OWNER, description="Who is asked to bring the value: a role or an address")
    queried: QueriedMetric | None = Field(default=None, description="A database that is asked for the value")
    on_reject: Literal["hold"] | Recycle = Field(
        default="hold", description="What a missed target leads to: hold, or {recycle: a-stage}"
    )

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
    pinned_to: list[Slug] = Field(
        default=[], description="Inputs, gates or attachments: a change of one of them makes a confirmation lapse"
    )


Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


class WindowGate(_Gate):
    """Passes only at certain times: within dates, on weekdays, between hours, outside of freezes and holidays."""

    kind: Literal["window"] = Field(description="What kind of gate this is")
    dates: list[Days] = Field(default=[], description="Passes on these days only; unless written, on any")
    weekdays: list[Weekday] = Field(default=[], description="Passes on these days of the week only")
    hours: Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-4]):[0-5]\d$")] | None = (
        Field(default=None, description="Passes between these times of the day, such as “09:00-17:00”")
    )
    business_days: bool = Field(default=False, description="true: not on weekends and holidays of the calendar")
    freezes: list[Days] = Field(default=[], description="Does not pass on these days")


class CheckGate(_Gate):
    """Another system says pass or fail: it calls Etappe, signed, or Etappe asks it."""

    kind: Literal["check"] = Field(description="What kind of gate this is")
    signed_with: Slug | None = Field(
        default=None, description="The other system calls: the name of its key in ETAPPE_CHECK_KEYS"
    )
    asks: Annotated[str, StringConstraints(pattern=r"^https://", max_length=500)] | None = Field(
        default=None, description="Etappe asks this https address"
    )
    every: Every = Field(default=Every.parse("every 5 minutes"), description="How often it is asked until it answers")
    timeout_seconds: int = Field(default=10, ge=1, le=60, description="How long one answer may take")
    tries: int = Field(
        default=10, ge=1, le=1000, description="How often in a row it may fail to answer before that counts as a fail"
    )

    @model_validator(mode="after")
    def _one_way(self) -> CheckGate:
        if (self.signed_with is None) == (self.asks is None):
            raise ValueError("a check goes one way: write either signed_with or asks")
        return self


class RunGate(_Gate):
    """Starts a Prefect deployment, and passes when that flow run completes."""

    kind: Literal["run"] = Field(description="What kind of gate this is")
    deployment: Annotated[str, StringConstraints(pattern=r"^[^/]+/[^/]+$", max_length=200)] = Field(
        description="The deployment's name in Prefect, such as “shift-traffic/sample”"
    )
    parameters: dict[str, FromInput | str] = Field(
        default={}, description="What the flow run is given: texts, or {input: name} for what the rollout was given"
    )


Gate = Annotated[
    SignOffGate
    | BudgetGate
    | ReviewGate
    | ChecklistGate
    | MeasurementGate
    | AcknowledgementGate
    | WindowGate
    | CheckGate
    | RunGate,
    Field(discriminator="kind"),
]
DecidedGate = SignOffGate | BudgetGate | ReviewGate | ChecklistGate
"""Gates that approvers decide (a checklist when it names approvers)."""
AutomaticGate = MeasurementGate | WindowGate | CheckGate | RunGate
"""Gates that are settled by facts alone; nobody's voice counts there."""


def takes_no_answers(gate: Gate) -> bool:
    """Whether nobody could bring what settles a gate: the calendar, another system or a flow run does."""
    return isinstance(gate, WindowGate | CheckGate | RunGate)


def asks_nobody(gate: Gate) -> bool:
    """Whether facts alone settle a gate, and nobody is asked to bring them before it is escalated."""
    return takes_no_answers(gate) or (isinstance(gate, MeasurementGate) and gate.queried is not None)
