"""A plan: the stages and gates of a kind of rollout, as data.

This module owns stages and the plan; the words they are made of are in domain/plan_words.py, the gates in
domain/gate_kinds.py, and whoever reads plans finds all of them here. What a plan must hold beyond its shape (no cycles,
no role that nobody defined) is checked in domain/plan_check.py; reading YAML is plans/reading.py.
"""

from __future__ import annotations

from pydantic import Field, field_validator

from domain.durations import Duration
from domain.gate_kinds import (
    AcknowledgementGate,
    AutomaticGate,
    Band,
    BudgetGate,
    CheckGate,
    ChecklistGate,
    Choice,
    Consequence,
    Days,
    DecidedGate,
    Each,
    Escalation,
    Expiry,
    FromInput,
    Gate,
    Item,
    MeasurementGate,
    QueriedMetric,
    Quorum,
    Recycle,
    Renewal,
    ReviewGate,
    RunGate,
    SignOffGate,
    WindowGate,
)
from domain.plan_words import (
    ADMINISTRATOR,
    BUILT_IN_ROLES,
    BUILT_IN_TITLES,
    OWNER,
    REQUESTER,
    Calendar,
    Input,
    InputKind,
    Language,
    Role,
    Shape,
    Slug,
    Text,
)
from domain.states import Outcome

__all__ = [
    "ADMINISTRATOR",
    "BUILT_IN_ROLES",
    "BUILT_IN_TITLES",
    "OWNER",
    "REQUESTER",
    "AcknowledgementGate",
    "AutomaticGate",
    "Band",
    "BudgetGate",
    "Calendar",
    "CheckGate",
    "ChecklistGate",
    "Choice",
    "Consequence",
    "Days",
    "DecidedGate",
    "Each",
    "Escalation",
    "Expiry",
    "FromInput",
    "Gate",
    "Input",
    "InputKind",
    "Item",
    "Language",
    "MeasurementGate",
    "Plan",
    "QueriedMetric",
    "Quorum",
    "Recycle",
    "Renewal",
    "ReviewGate",
    "Role",
    "RunGate",
    "Shape",
    "SignOffGate",
    "Slug",
    "Stage",
    "Text",
    "WindowGate",
    "outcome_of",
]


class Stage(Shape):
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
    exclusive: Slug | None = Field(
        default=None, description="A resource that only one rollout may use at a time; the others wait for their turn"
    )
    chat: list[Slug] = Field(
        default=[],
        max_length=10,
        description="Chat channels that hear of the stage, by their names in ETAPPE_CHAT_URLS",
    )
    gates: list[Gate] = Field(
        min_length=1, max_length=50, description="The stage passes when all its gates have passed"
    )


class Plan(Shape):
    """A plan as it stands in its file. `name` is the key `plan` there."""

    name: Slug = Field(alias="plan", description="The plan's name, the same as its file's: NAME.yaml")
    title: Text = Field(description="The plan's name for people")
    description: Text | None = Field(default=None, description="What the plan is for")
    calendar: Calendar = Field(default=Calendar(), description="Which days are business days")
    roles: dict[Slug, Role] = Field(
        default={}, description="The roles that people hold; requester and owner are always there"
    )
    inputs: dict[Slug, Input] = Field(default={}, description="What is asked for when a rollout is started")
    chat: list[Slug] = Field(
        default=[], max_length=10, description="Chat channels that hear of it, by their names in ETAPPE_CHAT_URLS"
    )
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

    def channels(self, *stages: Stage) -> list[str]:
        """Return the chat channels that hear of what concerns these stages: the plan's own, and theirs; each once."""
        return list(dict.fromkeys([*self.chat, *(name for stage in stages for name in stage.chat)]))


def outcome_of(consequence: Consequence) -> Outcome:
    """Return what a consequence as written in a plan comes to."""
    if isinstance(consequence, Recycle):
        return Outcome.RECYCLE
    return Outcome.KILL if consequence == "kill" else Outcome.HOLD
