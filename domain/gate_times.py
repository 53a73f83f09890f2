"""The times of a gate: when others are asked, when time is up, when it is asked again. What they mean: deadlines.py."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from domain.durations import Deadline, Duration, Every
from domain.plan_words import Choice, Recycle, Shape


class Escalation(Shape):
    """After so long without a settled gate, others are asked as well, or instead."""

    after: Deadline = Field(description="Counted from when the gate's clock began")
    to: str = Field(description="A role or an address")
    replace: bool = Field(default=False, description="true: they are asked instead of those asked before")
    choices: list[Choice] | None = Field(default=None, description="Reviews only: what they may choose", min_length=2)
    restart_clock: bool = Field(
        default=False, description="true: what comes after, and when time is up, is counted from this escalation"
    )


class Expiry(Shape):
    """When time is up, and what follows. Silence never approves, unless the gate says that it is consent."""

    after: Deadline = Field(description="Counted from when the gate's clock began")
    outcome: Literal["hold", "reject", "pass"] | Recycle = Field(
        default="hold",
        description="hold, reject (what on_reject says follows), {recycle: a-stage}, or pass (silence_is_consent only)",
    )


Escalations = Annotated[list[Escalation], BeforeValidator(lambda value: [] if value is None else value)]
"""The levels of an escalation; written with nothing, there are none."""
REMIND = "How often those who have not answered are asked again: a repetition, or a list of pauses"
ESCALATE = "Who is asked as well, or instead, after how long"
EXPIRES = "When time is up, and what follows; silence never approves"


class Renewal(Shape):
    """How often a gate that has passed is asked again while the rollout runs."""

    every: Every = Field(description="Counted from the approval, or from the renewal before")
    within: Deadline = Field(
        default=Duration.parse("10 business days"), description="How long there is to answer before it escalates"
    )
    blocks_new_stages: bool = Field(
        default=False, description="true: once it is overdue, no further stage opens; those that are open go on"
    )

    @model_validator(mode="before")
    @classmethod
    def _how_often_alone(cls, value: Any) -> Any:
        return {"every": value} if isinstance(value, str) else value
