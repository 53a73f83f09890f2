"""Going over to a newer version of a plan, by API: what it would mean for a rollout, and doing it."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from operations.describe_rollout import plan_of_rollout
from operations.migrate_rollout import migrate_rollout, preview_migration
from operations.migration import Move, described
from plans.catalogue import Catalogue, LoadedPlan
from web.api.bodies import ReasonBody
from web.api.caller import Caller, Me, SeenRollout, TakesJson
from web.api.facts import MigrationFacts

router = APIRouter(prefix="/rollouts/{rollout_id}/migration", tags=["migration"])


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
