"""What the API answers to why a rollout does not go on: the facts of operations/explain_rollout.py, with shapes."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import Field

from web.api.facts import Facts


class AskedFacts(Facts):
    """Somebody who can provide what is missing."""

    email: str
    name: str
    on_behalf_of: str | None = Field(description="The name of whose voice they lend")
    away_until: date | None = Field(description="The last day of their absence, where they live")
    delegate: str | None = Field(description="The name of who is asked in their place")
    unaware: str | None = Field(description="Why they may not know that they are asked")


class WayOutFacts(Facts):
    """One thing that one could do."""

    to: str = Field(description="What it is for")
    command: str = Field(description="How; words in capitals stand for what only you know")


class ExplanationFacts(Facts):
    """Why a gate, a stage or the rollout does not go on."""

    about: str = Field(description="gate, stage or rollout")
    id: str
    title: str
    stage: str | None = Field(description="The stage it belongs to, by its id")
    since: datetime | None
    due_at: datetime | None
    missing: list[str] = Field(description="What is missing, or what is amiss")
    people: list[AskedFacts]
    next: list[str] = Field(description="What comes by itself, and when")
    ways_out: list[WayOutFacts]


class ExplainedFacts(Facts):
    """All that can be explained of a rollout, as of `explained_at`."""

    id: str
    title: str
    state: str
    explained_at: datetime
    explanations: list[ExplanationFacts] = Field(description="The rollout first, then in the plan's order")
