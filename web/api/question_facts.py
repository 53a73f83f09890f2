"""What somebody is asked, as the API answers it: the facts of operations/describe_request.py, with their shapes."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from web.api.facts import Facts


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
    urgent: bool
    renewal: str | None = Field(description="What is asked again, and since when that holds")
    counted: int
    needed: int
    waiting_for: list[str]
    chased: list[str] = Field(description="Who was asked as well or instead, since when and why, and who was reminded")
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
