"""What the API answers of rollouts: the facts of operations/describe_rollout.py, with their shapes."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import BaseModel, ConfigDict, Field


class Facts(BaseModel):
    """What every answer has in common: nothing that the operations tell is left out."""

    model_config = ConfigDict(extra="allow")


class ConditionFacts(Facts):
    """What a gate was promised as that came from the condition of an approval."""

    what: str
    who: str
    due_on: date
    made_by: str
    made_at: str = Field(description="The gate at which it was made")


class RunFacts(Facts):
    """The flow run of a gate that starts one."""

    flow_run_id: str
    name: str | None
    state: str


class Word(Facts):
    """One person's word at a gate, as the record of a rollout has it."""

    by: str
    on_behalf_of: str | None
    decision: str
    choice: str | None = Field(description="Reviews: hold, recycle or kill")
    comment: str
    conditions: str
    lessons: str
    channel: str
    assurance: str
    decided_at: datetime
    lapsed: str | None = Field(description="Why it no longer counts")


class DelegateFacts(Facts):
    """Somebody who is asked in the place of another one."""

    by: str
    on_behalf_of: str


class AwayFacts(Facts):
    """Somebody who is waited for and is away."""

    person: str
    until: date = Field(description="Their last day, where they live")


class GateFacts(Facts):
    """A gate in its newest round."""

    id: str
    kind: str
    state: str
    outcome: str | None
    round: int
    because: str | None = Field(description="Why it came to its outcome")
    waived_by: str | None
    due_at: datetime | None
    urgent: bool = Field(description="Whether its mails say so, and keep no quiet hours")
    problem: str | None = Field(description="Why nobody can be asked")
    waiting_for: list[str]
    away: list[AwayFacts] = Field(description="Who of those waited for is away")
    chased: list[str] = Field(description="Who was asked as well or instead, since when and why, and who was reminded")
    delegates: list[DelegateFacts]
    waits: list[str] = Field(description="What a gate waits for that nobody is asked about")
    renewal: bool = Field(description="Whether it asks again what has passed, which holds on meanwhile")
    renew_at: datetime | None = Field(description="When what has passed is asked again")
    overdue_at: datetime | None = Field(description="Since when a renewal is not answered in time")
    condition: ConditionFacts | None
    paused_at: datetime | None = Field(description="Since when it stands still, because changes were asked for")
    silent: list[str] = Field(description="Whose silence counted as consent")
    run: RunFacts | None
    decisions: list[Word]


class RolloutName(Facts):
    """Another rollout, by its id and title."""

    id: str
    title: str


class UsedBy(RolloutName):
    """The rollout that uses a resource now."""

    since: datetime | None


class WaitsFor(Facts):
    """A stage that waits for its turn at a resource."""

    resource: str
    used_by: UsedBy | None
    place: int


class Uses(Facts):
    """A stage that has a resource for itself, and who waits for it."""

    resource: str
    since: datetime
    waiting: list[RolloutName]


class StageFacts(Facts):
    """A stage in its newest round."""

    id: str
    state: str
    round: int
    stalled_since: datetime | None = Field(description="Since when it takes longer than the plan allows")
    waits_for: WaitsFor | None
    uses: Uses | None
    gates: list[GateFacts]


class RolloutHead(Facts):
    """A rollout in short."""

    id: str
    plan: str
    version: int
    title: str
    state: str
    stalled: list[str] = Field(description="The stages that take longer than the plan allows")
    requester: str
    owner: str
    created_at: datetime


class RolloutFacts(RolloutHead):
    """A rollout with its stages and gates."""

    language: str
    ended_because: str | None
    no_stage_opens_before: list[str] = Field(description="The overdue renewals that keep further stages closed")
    stages: list[StageFacts]
    flow_run_id: str | None
