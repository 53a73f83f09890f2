"""Going over to a newer version of a plan, by API: what it would mean for a rollout, and doing it."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import ConfigDict, Field

from operations.describe_rollout import plan_of_rollout
from operations.migrate_rollout import migrate_rollout, preview_migration
from operations.migration import Move, described
from plans.catalogue import Catalogue, LoadedPlan
from web.api.bodies import ReasonBody
from web.api.caller import Caller, Me, SeenRollout, TakesJson
from web.api.facts import Facts

router = APIRouter(prefix="/rollouts/{rollout_id}/migration", tags=["migration"])


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


@router.get("", response_model=MigrationFacts)
def preview(me: Me, rollout_id: SeenRollout) -> Any:
    """Show what would stay valid if a rollout followed its plan's file as it is now; nothing changes."""
    newer = _newer(me, rollout_id)
    move = preview_migration(me.db, me.keys, rollout_id, newer.plan, newer.source, me.now)
    return _told(move, done=False)


@router.post("", response_model=MigrationFacts, dependencies=[TakesJson])
def migrate(me: Me, rollout_id: SeenRollout, body: ReasonBody) -> Any:
    """Let a rollout follow its plan's file as it is now; everybody concerned is told."""
    newer = _newer(me, rollout_id)
    move = migrate_rollout(me.db, me.keys, rollout_id, newer.plan, newer.source, body.reason, me.actor, me.now)
    return _told(move, done=not move.stays_put)


def _newer(me: Caller, rollout_id: str) -> LoadedPlan:
    return Catalogue(me.house.settings.plan_folders).load(plan_of_rollout(me.db, rollout_id).name)


def _told(move: Move, *, done: bool) -> dict[str, Any]:
    return {**described(move), "done": done}
