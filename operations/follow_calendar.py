"""Reckon the times of a rollout anew when its calendar has changed: holidays, closures, a zone's changes of the clocks.

A time that has come stays as it was told, and none moves to where it would have passed already: nobody's time is up at
once because a calendar has changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from domain.calendar_digest import digest_of
from domain.reasons import Fact, Reason
from domain.states import ENDED, GateState, StageState
from models.calendars import plan_versions_in_use, rollouts_reckoned_otherwise, rollouts_watched_otherwise
from models.database import Database
from models.gates import GateRow
from models.rollouts import StageRow
from operations.asking import open_requests
from operations.calendars import company_closures, with_closures
from operations.clock import set_deadlines, set_renewal, set_renewal_deadline, watch_stage
from operations.kept_plans import plan_of
from operations.progress import progress
from operations.telling import inform
from operations.workspace import Workspace, locked

Moved = Mapping[str, tuple[datetime, datetime]]
"""Which times have moved, each from when to when."""
_OF_GATES = ("remind_at", "escalate_at", "expires_at", "renewal_due_at", "renew_at")
_OF_STAGES = ("stalled_at",)
_DUE = "“{name}” is due on {after} instead of {before}."
_SENTENCES = {
    "escalate_at": "“{name}” is escalated on {after} instead of {before}.",
    "expires_at": _DUE,
    "renewal_due_at": _DUE,
    "renew_at": "“{name}” is asked again on {after} instead of {before}.",
    "stalled_at": "“{name}” counts as stalled from {after} on instead of {before}.",
}


def rollouts_off_calendar(db: Database) -> list[str]:
    """Return the rollouts with times that were reckoned by a calendar that is another one now."""
    with db.read() as session:
        plans = [plan_of(version) for version in session.scalars(plan_versions_in_use())]
        closed = company_closures(session)
        digests = sorted({digest_of(with_closures(plan.calendar, closed)) for plan in plans})
        if not digests:
            return []
        found = [rollouts_reckoned_otherwise(digests), rollouts_watched_otherwise(digests)]
        return list(dict.fromkeys(rollout for one in found for rollout in session.scalars(one)))


def follow_calendar(db: Database, keys: Sequence[bytes], rollout_id: str, now: datetime) -> list[str]:
    """Reckon a rollout's times anew by its calendar as it is now, and return what was done: moved, when one did.

    The record says from when to when, and the rollout's owner hears it, as do those whose answer is due on another day.
    """
    with locked(db, keys, rollout_id, now) as ws:
        if ws.rollout.state in ENDED:
            return []
        sentences = [*_follow_gates(ws), *_follow_stages(ws)]
        if sentences:
            headline = Reason("The calendar has changed, and with it dates of this rollout")
            inform(ws, [ws.rollout.owner], headline, sentences, in_the_morning=True)
        progress(ws)  # a window may open at another time
        return ["moved"] if sentences else []


def _follow_gates(ws: Workspace) -> list[Reason]:
    sentences: list[Reason] = []
    for gate in ws.gates():
        if gate.calendar in (None, digest_of(ws.calendar)):
            continue
        before, due_before = _times(gate, _OF_GATES), gate.due_at
        _reckon(ws, gate)
        if moved := _moved(ws, gate, before):
            ws.note("gate.deadlines-moved", gate=gate, facts=_as_facts(moved))
            title = ws.planned_gate(gate).title.in_language(ws.rollout.language)
            sentences += _said(moved, title)
            if gate.due_at != due_before:
                _tell_those_asked(ws, gate, title)
    return sentences


def _reckon(ws: Workspace, gate: GateRow) -> None:
    if gate.state is GateState.OPEN:
        set_deadlines(ws, gate)
    elif gate.state is GateState.WAITING:
        set_renewal_deadline(ws, gate)
    else:
        set_renewal(ws, gate)


def _follow_stages(ws: Workspace) -> list[Reason]:
    sentences: list[Reason] = []
    for stage in ws.stages():
        if stage.state is not StageState.OPEN or stage.stalled_at is None or stage.calendar == digest_of(ws.calendar):
            continue
        before = _times(stage, _OF_STAGES)
        watch_stage(ws, stage)
        if moved := _moved(ws, stage, before):
            ws.note("stage.deadlines-moved", stage=stage, facts=_as_facts(moved))
            sentences += _said(moved, ws.planned_stage(stage).title.in_language(ws.rollout.language))
    return sentences


def _times(row: GateRow | StageRow, names: Sequence[str]) -> dict[str, datetime]:
    return {name: at for name in names if (at := getattr(row, name)) is not None}


def _moved(ws: Workspace, row: GateRow | StageRow, before: Mapping[str, datetime]) -> Moved:
    """Return what has moved, having put back what must not."""
    moved: dict[str, tuple[datetime, datetime]] = {}
    for name, at in before.items():
        after = getattr(row, name)
        if after is None or at <= ws.now or after <= ws.now:
            setattr(row, name, at)
        elif after != at:
            moved[name] = (at, after)
    return moved


def _as_facts(moved: Moved) -> dict[str, list[str]]:
    return {name: [before.isoformat(), after.isoformat()] for name, (before, after) in moved.items()}


def _said(moved: Moved, name: str) -> list[Reason]:
    """Reminders are recorded, and nobody needs to hear of them."""
    return [
        Reason(_SENTENCES[key], {"name": name, "before": before.isoformat(), "after": after.isoformat()})
        for key, (before, after) in moved.items()
        if key in _SENTENCES
    ]


def _tell_those_asked(ws: Workspace, gate: GateRow, title: str) -> None:
    facts: dict[str, Fact] = {"gate": title}
    inform(
        ws,
        [request.person for request in open_requests(ws, gate)],
        Reason("“{gate}” is to be decided by another date", facts),
        [Reason("The calendar has changed. Your link stays the same, and its page says by when.")],
        gate=gate,
        in_the_morning=True,
    )
