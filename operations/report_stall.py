"""Report a stalled stage: it has been open for longer than its plan allows, and those who can do something hear why."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from domain.explanation import About, Explanation
from domain.plan import SPONSOR
from domain.reasons import Reason
from domain.states import StageState
from models.database import Database
from models.rollouts import StageRow
from operations.explain_rollout import explained_stage
from operations.telling import inform
from operations.telling_chat import tell_channels
from operations.workspace import Workspace, locked


def report_stall(db: Database, keys: Sequence[bytes], rollout_id: str, stage_id: int, now: datetime) -> list[str]:
    """Have a stage count as stalled from the moment on that its plan says, and return what was done: stalled.

    Once, until it is opened anew: its owner, the rollout's, and the sponsor are told why, and what they can do.
    """
    with locked(db, keys, rollout_id, now) as ws:
        stage = ws.session.get_one(StageRow, stage_id, populate_existing=True)
        if stage.state is not StageState.OPEN or stage.stalled_at is None or stage.stalled_at > now:
            return []
        stage.stalled_since, stage.stalled_at = stage.stalled_at, None
        ws.note("stage.stalled", stage=stage)
        _tell(ws, stage)
        return ["stalled"]


def _tell(ws: Workspace, stage: StageRow) -> None:
    planned, language = ws.planned_stage(stage), ws.rollout.language
    found = explained_stage(ws, stage, language)
    see = Reason("To see the whole of it: etappe rollout explain {rollout}", {"rollout": ws.rollout.id})
    headline = Reason("“{stage}” has stalled", {"stage": planned.title.in_language(language)})
    too_long = Reason("It has been open for longer than the plan allows.")
    still_open = [said for one in found for said in _still_open(one)]
    tell_channels(ws, headline, [too_long, *still_open], stages=[stage])
    inform(
        ws,
        [*ws.directory.resolve(planned.owner), ws.rollout.owner, *ws.directory.resolve(SPONSOR)],
        headline,
        [too_long, *(said for one in found for said in (*_still_open(one), *one.sentences))],
        [*(way for one in found for way in one.ways_out), see],
        in_the_morning=True,
    )


def _still_open(one: Explanation) -> tuple[Reason, ...]:
    return (Reason("Still open: “{gate}”.", {"gate": one.title}),) if one.about is About.GATE else ()
