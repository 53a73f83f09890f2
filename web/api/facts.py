"""What the API answers: the facts that the command line prints with --json, with their shapes."""

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
    renewal: bool = Field(description="Whether it asks again what has passed, which holds on meanwhile")
    renew_at: datetime | None = Field(description="When what has passed is asked again")
    overdue_at: datetime | None = Field(description="Since when a renewal is not answered in time")
    problem: str | None = Field(description="Why nobody can be asked")
    waiting_for: list[str]
    delegates: list[DelegateFacts]
    waits: list[str] = Field(description="What a gate waits for that nobody is asked about")
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


class SaidFacts(Facts):
    """One person's word, as others who are asked are shown it."""

    by: str
    name: str
    on_behalf_of: str | None
    decision: str
    choice: str | None
    comment: str
    conditions: str
    lessons: str
    decided_at: datetime


class TitledValue(Facts):
    """One thing that the question is about."""

    title: str
    value: str


class AmountFacts(Facts):
    """One line of a budget."""

    item: str
    amount: str


class ItemFacts(Facts):
    """One line of a list to fill in."""

    id: str
    title: str
    kind: str
    unit: str
    required: bool
    minimum: str | None
    each: bool
    people_from: str | None
    value: str = Field(description="What was filled in before")


class SettlementFacts(Facts):
    """What a gate came to."""

    state: str
    outcome: str
    because: str
    at: datetime


class RecordedFacts(Facts):
    """How many values were recorded, in how many rollouts."""

    values: int
    rollouts: int


class DelegationFacts(Facts):
    """Whose voice is lent to whom, and for how long."""

    id: int
    state: str = Field(description="to-come, holds, over, or ended before its time")
    delegator: str
    delegate: str
    starts_at: datetime
    ends_at: datetime
    first_day: date = Field(description="Where the delegator lives")
    last_day: date
    given_by: str


class GateFate(Facts):
    """What becomes of a gate under a newer version of its plan."""

    id: str
    title: str
    fate: str
    because: list[str]
    lapses: list[str] = Field(description="Whose answers cease to count")


class StageFate(Facts):
    """What becomes of a stage under a newer version of its plan."""

    id: str
    title: str
    fate: str
    because: list[str]
    gates: list[GateFate]


class MigrationFacts(Facts):
    """A rollout's way from one version of its plan to another."""

    model_config = ConfigDict(validate_by_name=True)

    rollout: str
    plan: str
    from_: int = Field(alias="from", description="The version it follows, or followed until now")
    to: int
    stages: list[StageFate]
    done: bool = Field(description="Whether it follows the newer version now; false for a preview")


class AttachmentFacts(Facts):
    """A file, or a link, that belongs to what a rollout is about."""

    id: int
    name: str
    size: int = Field(description="In bytes; 0 for a link")
    digest: str | None = Field(description="The SHA-256 of a file's bytes, in hex")
    url: str | None
    added_by: str
    added_at: datetime


class AttachedFacts(Facts):
    """A file, or a link, that the question is about."""

    id: int
    name: str
    size: int
    digest: str | None
    url: str | None


class WishFacts(Facts):
    """Somebody's request for changes."""

    name: str
    comment: str
    at: datetime


class ShiftFacts(Facts):
    """One thing that is different now; an attachment has no label."""

    label: str
    before: str
    after: str


class AnsweredFacts(Facts):
    """What was answered when changes were asked for, and what is different since."""

    by: str
    name: str
    at: datetime
    reply: str
    asked: list[WishFacts]
    changes: list[ShiftFacts]


class InputFacts(Facts):
    """An input that whoever answers may change."""

    name: str
    title: str
    kind: str
    currency: str
    required: bool
    value: str


class StageName(Facts):
    """A stage, by its id and title."""

    id: str
    title: str


class QuestionFacts(Facts):
    """What somebody is asked at a gate, in their language."""

    rollout: str
    rollout_title: str
    stage_title: str
    gate: str
    gate_title: str
    kind: str
    round: int
    purpose: str = Field(description="decide, answer, confirm, measure or respond")
    on_behalf_of: str | None = Field(description="Whose voice it is, if not one's own")
    lent_until: datetime | None = Field(description="Until when it is lent: to the reader, or by them")
    lent_to: str | None = Field(description="The name of whoever the reader has lent their voice to")
    may_be_lent: bool
    state: str = Field(description="open; done once they have had their say; void when they are no longer asked")
    void_reason: str | None
    question: str
    details: str
    why: str = Field(description="Why this person is asked")
    on_yes: str
    on_no: str | None
    on_silence: str
    due_at: datetime | None
    renewal: str | None = Field(description="What is asked again, and since when that holds")
    counted: int
    needed: int
    waiting_for: list[str]
    choices: list[str]
    condition_stages: list[StageName] = Field(description="The stages that may hold to conditions, the default first")
    silence_is_consent: bool
    lessons_required: bool
    inputs: list[TitledValue]
    budget: list[AmountFacts]
    budget_total: str | None
    currency: str
    filled: list[TitledValue]
    items: list[ItemFacts]
    metric: str
    target: str
    attachments: list[AttachedFacts]
    said: list[SaidFacts]
    paused_at: datetime | None = Field(description="Since when the clock stands still, because changes were asked for")
    wishes: list[WishFacts]
    changed: AnsweredFacts | None
    to_change: list[InputFacts] = Field(description="For whoever answers a request for changes")
    mine: SaidFacts | None = Field(description="What the reader has said with this voice")
    spoken: SaidFacts | None = Field(description="What somebody else has said with this voice")
    settlement: SettlementFacts | None
    digest: str = Field(description="What a decision must give back: it stands for what was shown")
