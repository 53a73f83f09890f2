"""A plan: the stages and gates of a kind of rollout, as data.

This module owns stages and the plan; the words they are made of are in domain/plan_words.py, the gates in
domain/gate_kinds.py, and whoever reads plans finds all of them here. What a plan must hold beyond its shape (no cycles,
no role that nobody defined) is checked in domain/plan_check.py; reading YAML is plans/reading.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field, ValidationInfo, field_validator

from domain.durations import Deadline, Rhythm
from domain.gate_kinds import (
    AcknowledgementGate,
    AutomaticGate,
    Band,
    BudgetGate,
    CheckGate,
    ChecklistGate,
    Consequence,
    DecidedGate,
    Each,
    FromInput,
    Gate,
    Item,
    MeasurementGate,
    QueriedMetric,
    Quorum,
    ReviewGate,
    RunGate,
    SignOffGate,
    WindowGate,
    asks_nobody,
    takes_no_answers,
)
from domain.gate_times import ESCALATE, EXPIRES, REMIND, Escalation, Escalations, Expiry, Renewal
from domain.plan_words import (
    ADMINISTRATOR,
    BUILT_IN_ROLES,
    BUILT_IN_TITLES,
    OWNER,
    REQUESTER,
    SPONSOR,
    Calendar,
    Choice,
    Closure,
    Closures,
    Days,
    Input,
    InputKind,
    Language,
    Recycle,
    Role,
    Shape,
    Slug,
    Text,
)
from domain.shared_times import SHARED, handed_down
from domain.states import Outcome

__all__ = [
    "ADMINISTRATOR",
    "BUILT_IN_ROLES",
    "BUILT_IN_TITLES",
    "OWNER",
    "REQUESTER",
    "SPONSOR",
    "AcknowledgementGate",
    "AutomaticGate",
    "Band",
    "BudgetGate",
    "Calendar",
    "CheckGate",
    "ChecklistGate",
    "Choice",
    "Closure",
    "Closures",
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
    "asks_nobody",
    "outcome_of",
    "takes_no_answers",
]


_STALLED_AFTER = "When the stage's owner is told that it takes too long"


class Stage(Shape):
    """A step of a rollout."""

    id: Slug = Field(description="The stage's name for machines, once in the plan")
    title: Text = Field(description="The stage's name for people")
    description: Text | None = Field(default=None, description="What the stage is for")
    needs: list[Slug] | None = Field(
        default=None, description="Stages that must have passed; default: the one before it"
    )
    owner: str = Field(default=OWNER, description="Who looks after the stage: a role or an address")
    stalled_after: Deadline | None = Field(default=None, description=_STALLED_AFTER)
    remind: Rhythm | None = Field(default=None, description=f"{REMIND}; of the gates that do not say so")
    escalate: Escalations = Field(default=[], description=f"{ESCALATE}; of the gates that do not say so")
    expires: Expiry | None = Field(default=None, description=f"{EXPIRES}; of the gates that do not say so")
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
    stalled_after: Deadline | None = Field(
        default=None, description=f"{_STALLED_AFTER}; of the stages without their own"
    )
    remind: Rhythm | None = Field(default=None, description=f"{REMIND}; of the stages that do not say so")
    escalate: Escalations = Field(default=[], description=f"{ESCALATE}; of the stages that do not say so")
    expires: Expiry | None = Field(default=None, description=f"{EXPIRES}; of the stages that do not say so")
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

    @field_validator("stages", mode="after")
    @classmethod
    def _complete(cls, stages: list[Stage], info: ValidationInfo) -> list[Stage]:
        return [_completed(stage, info.data) for stage in stages]

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


def _completed(stage: Stage, of_plan: Mapping[str, Any]) -> Stage:
    """What a stage does not say of its times, the plan says; what a gate does not say, its stage says."""
    times = {key: getattr(stage, key) if key in stage.model_fields_set else of_plan.get(key) for key in SHARED}
    gates = [handed_down(gate, times) for gate in stage.gates]
    after = stage.stalled_after if "stalled_after" in stage.model_fields_set else of_plan.get("stalled_after")
    return stage.model_copy(update={"stalled_after": after, "gates": gates})
