"""Describe rollouts as facts, for the command line and the API. Read only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select
from sqlalchemy.orm import Session

from domain.errors import UnknownRollout
from domain.plan import Plan
from domain.reasons import Reason
from domain.states import StageState
from models.database import Database
from models.evidence import lapses_at
from models.gates import GateRow
from models.requests import decisions_at
from models.rollouts import Rollout, StageRow, rollouts_newest_first, rollouts_older_than, stages_that_stall
from notifications.language import Words
from operations.absences import away_until
from operations.chasing import chased
from operations.kept_plans import plan_of
from operations.question import asked_now, waiting_for
from operations.queues import Using, Waiting, using_stages, waiting_stages
from operations.renewals import blocking_renewals
from operations.seeing import seen
from operations.voices import silent_at
from operations.waiting import waits_for
from operations.workspace import Workspace

AT_ONCE = 200
"""How many rollouts are read at a time."""


def list_rollouts(db: Database, seen_by: str = "", limit: int | None = None, before: str = "") -> list[dict[str, Any]]:
    """Return rollouts, newest first: id, plan, version, title, state, stalled, requester, owner, created_at.

    All of them, or those that the person with the address `seen_by` may look at; the first `limit` of them; those that
    come after the one with the id `before`. Raises UnknownRollout when there is none with this id to look at.
    """
    with db.read() as session:
        found: list[dict[str, Any]] = []
        last = _seen_one(session, before, seen_by) if before else None
        size = min(limit or AT_ONCE, AT_ONCE)
        while limit is None or len(found) < limit:
            page = session.scalars(_after(last).limit(size)).all()
            found += _heads(session, seen(session, page, seen_by) if seen_by else page)
            if len(page) < size:
                break
            last, size = page[-1], AT_ONCE
        return found[:limit]


def _seen_one(session: Session, rollout_id: str, seen_by: str) -> Rollout:
    rollout = session.get(Rollout, rollout_id)
    if rollout is None or (seen_by and not seen(session, [rollout], seen_by)):
        raise UnknownRollout(f"There is no rollout “{rollout_id}” to go on after.")
    return rollout


def _after(last: Rollout | None) -> Select[Rollout]:
    return rollouts_older_than(last.created_at, last.id) if last else rollouts_newest_first()


def _heads(session: Session, rollouts: Sequence[Rollout]) -> list[dict[str, Any]]:
    stalled = _stalled(session.scalars(stages_that_stall([rollout.id for rollout in rollouts])))
    return [_head(rollout, stalled.get(rollout.id, [])) for rollout in rollouts]


def plan_of_rollout(db: Database, rollout_id: str) -> Plan:
    """Return the plan version that a rollout keeps. Raises UnknownRollout."""
    with db.read() as session:
        rollout = session.get(Rollout, rollout_id)
        if rollout is None:
            raise UnknownRollout(f"There is no rollout “{rollout_id}”; `etappe rollout list` shows them all.")
        return plan_of(rollout.plan_version)


def describe_rollout(db: Database, rollout_id: str, now: datetime) -> dict[str, Any]:
    """Return one rollout with its stages and gates (design, section 9); moments are ISO 8601 in UTC.

    Raises UnknownRollout.
    """
    with db.read() as session:
        rollout = session.get(Rollout, rollout_id)
        if rollout is None:
            raise UnknownRollout(f"There is no rollout “{rollout_id}”; `etappe rollout list` shows them all.")
        ws = Workspace.to_look_at(session, rollout, now)
        gates = ws.gates()
        stages = ws.stages()
        waiting, using = waiting_stages(session, rollout_id), using_stages(session, rollout_id)
        return {
            **_head(rollout, _stalled(stage for stage in stages if stage.state is StageState.OPEN).get(rollout.id, [])),
            "language": rollout.language,
            "ended_because": rollout.ended_because,
            "no_stage_opens_before": [gate.key for gate in blocking_renewals(ws)],
            "stages": [
                {
                    "id": stage.key,
                    "state": stage.state.value,
                    "round": stage.round,
                    "stalled_since": _iso(stage.stalled_since),
                    "waits_for": _waiting(waiting.get(stage.id)),
                    "uses": _using(using.get(stage.id)),
                    "gates": [_gate(ws, gate) for gate in gates if gate.stage_id == stage.id],
                }
                for stage in stages
            ],
            "flow_run_id": rollout.flow_run_id,
        }


def _stalled(stages: Iterable[StageRow]) -> dict[str, list[str]]:
    """The ids of the stages that count as stalled, by their rollouts."""
    found: dict[str, list[str]] = {}
    for stage in stages:
        if stage.stalled_since is not None:
            found.setdefault(stage.rollout_id, []).append(stage.key)
    return found


def _head(rollout: Rollout, stalled: list[str]) -> dict[str, Any]:
    return {
        "id": rollout.id,
        "plan": rollout.plan_version.name,
        "version": rollout.plan_version.version,
        "title": rollout.title,
        "state": rollout.state.value,
        "stalled": stalled,
        "requester": rollout.requester,
        "owner": rollout.owner,
        "created_at": rollout.created_at.isoformat(),
    }


def _waiting(waits: Waiting | None) -> dict[str, Any] | None:
    if waits is None:
        return None
    since = waits.since.isoformat() if waits.since else None
    used_by = {"id": waits.behind.id, "title": waits.behind.title, "since": since} if waits.behind else None
    return {"resource": waits.resource, "used_by": used_by, "place": waits.place}


def _using(uses: Using | None) -> dict[str, Any] | None:
    if uses is None:
        return None
    next_ones = [{"id": rollout.id, "title": rollout.title} for rollout in uses.waiting]
    return {"resource": uses.resource, "since": uses.since.isoformat(), "waiting": next_ones}


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _run(gate: GateRow) -> dict[str, Any] | None:
    if gate.started_run is None or gate.started_run_state is None:
        return None
    return {"flow_run_id": gate.started_run, "name": gate.started_run_name, "state": gate.started_run_state.value}


def _gate(ws: Workspace, gate: GateRow) -> dict[str, Any]:
    words = Words("en", ws.plan.calendar.time_zone)
    return {
        "id": gate.key,
        "kind": gate.kind,
        "state": gate.state.value,
        "outcome": gate.outcome.value if gate.outcome else None,
        "round": gate.round,
        "because": str(Reason.from_json(gate.settled_because)) if gate.settled_because else None,
        "waived_by": gate.waived_by,
        "due_at": _iso(gate.due_at),
        "urgent": ws.planned_gate(gate).urgent,
        "renewal": gate.renewal,
        "renew_at": _iso(gate.renew_at),
        "overdue_at": _iso(gate.overdue_at),
        "paused_at": _iso(gate.paused_at),
        "problem": gate.problem,
        "waiting_for": waiting_for(ws, gate),
        "away": _away(ws, gate),
        "chased": [words.say(reason) for reason in chased(ws, gate, str)],
        "condition": _condition(ws, gate),
        "silent": silent_at(ws, gate),
        "delegates": [
            {"by": row.person, "on_behalf_of": row.on_behalf_of} for row in asked_now(ws, gate) if row.on_behalf_of
        ],
        "waits": [words.say(reason) for reason in waits_for(ws, gate)],
        "run": _run(gate),
        "decisions": _decisions(ws, gate),
    }


def _away(ws: Workspace, gate: GateRow) -> list[dict[str, str]]:
    """Who of those waited for is away, and their last day, where they live."""
    away = away_until(ws.session, waiting_for(ws, gate), ws.now)
    return [{"person": person, "until": away[person].isoformat()} for person in waiting_for(ws, gate) if person in away]


def _condition(ws: Workspace, gate: GateRow) -> dict[str, Any] | None:
    """What a gate that came from a condition was promised as."""
    condition = ws.condition_of(gate)
    if condition is None:
        return None
    made_at = ws.session.get_one(GateRow, condition.gate_id)
    return {"what": condition.what, "who": condition.who, "due_on": condition.due_on.isoformat(),
            "made_by": ws.maker_of(condition), "made_at": made_at.key}  # fmt: skip


def _decisions(ws: Workspace, gate: GateRow) -> list[dict[str, Any]]:
    lapsed = {
        lapse.decision_id: str(Reason.from_json(lapse.because)) for lapse in ws.session.scalars(lapses_at(gate.id))
    }
    return [
        {
            "by": decision.person,
            "on_behalf_of": decision.on_behalf_of,
            "decision": decision.decision.value,
            "choice": decision.choice.value if decision.choice else None,
            "comment": decision.comment,
            "conditions": decision.conditions,
            "lessons": decision.lessons,
            "channel": decision.channel,
            "assurance": decision.assurance,
            "decided_at": decision.decided_at.isoformat(),
            "lapsed": lapsed.get(decision.id),
        }
        for decision in ws.read(decisions_at, gate.id)
    ]
