"""Explain a rollout: for everything that does not go on, what is missing, from whom, what comes, what one could do.

The page, the command and the API show the same; the mail about a stalled stage says it of that stage. Read only.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from domain.errors import UnknownRollout
from domain.explanation import Asked, Explanation, GateShown, RolloutShown, StageShown, split_command, why_unaware
from models.database import Database
from models.gates import GateRow
from models.rollouts import Rollout, StageRow
from notifications.language import Words
from operations.astray import about_the_rollout, behind_in_prefect
from operations.explanations import Explainer
from operations.workspace import Workspace


def explain_rollout(db: Database, rollout_id: str, now: datetime, language: str = "") -> RolloutShown:
    """Return a rollout with all that can be explained of it; titles in `language`, or else the rollout's own.

    Raises UnknownRollout.
    """
    with db.read() as session:
        rollout = session.get(Rollout, rollout_id)
        if rollout is None:
            raise UnknownRollout(f"There is no rollout “{rollout_id}”; `etappe rollout list` shows them all.")
        return explained(Workspace.to_look_at(session, rollout, now), language or rollout.language)


def explained(ws: Workspace, language: str) -> RolloutShown:
    """Return a rollout, as it is in this workspace, with all that can be explained of it."""
    explainer, rollout = Explainer(ws, language), ws.rollout
    gates = ws.gates()
    return RolloutShown(
        id=rollout.id,
        title=rollout.title,
        plan_title=ws.plan.title.in_language(language),
        state=rollout.state,
        language=language,
        time_zone=ws.plan.calendar.time_zone,
        requester_name=explainer.name(rollout.requester),
        owner_name=explainer.name(rollout.owner),
        owner_email=rollout.owner,
        created_at=rollout.created_at,
        at=ws.now,
        about_it=about_the_rollout(explainer),
        stages=tuple(
            _stage(explainer, stage, [gate for gate in gates if gate.stage_id == stage.id]) for stage in ws.stages()
        ),
    )


def explained_stage(ws: Workspace, stage: StageRow, language: str) -> list[Explanation]:
    """Return why one stage does not go on: its gates in the plan's order, then where Prefect does not keep up."""
    explainer = Explainer(ws, language)
    found = [explainer.gate(gate) for gate in ws.gates() if gate.stage_id == stage.id]
    return [*(one for one in found if one is not None), *behind_in_prefect(explainer)]


def describe_explanation(shown: RolloutShown) -> dict[str, Any]:
    """Return an explanation as facts, for programs: sentences in English; moments are ISO 8601 in UTC."""
    words = Words("en", shown.time_zone)
    return {
        "id": shown.id,
        "title": shown.title,
        "state": shown.state.value,
        "explained_at": shown.at.isoformat(),
        "explanations": [_explanation(one, words) for one in shown.explanations],
    }


def _stage(explainer: Explainer, stage: StageRow, gates: list[GateRow]) -> StageShown:
    return StageShown(
        id=stage.key,
        title=explainer.stage_title(stage),
        state=stage.state,
        round=stage.round,
        since=stage.closed_at or stage.opened_at,
        stalled_since=stage.stalled_since,
        explanation=explainer.stage(stage),
        gates=tuple(_gate(explainer, gate) for gate in gates),
    )


def _gate(explainer: Explainer, gate: GateRow) -> GateShown:
    return GateShown(
        id=gate.key,
        title=explainer.gate_title(gate),
        kind=gate.kind,
        state=gate.state,
        round=gate.round,
        since=gate.settled_at or gate.opened_at,
        due_at=gate.due_at,
        explanation=explainer.gate(gate),
    )


def _explanation(one: Explanation, words: Words) -> dict[str, Any]:
    return {
        "about": one.about.value,
        "id": one.id,
        "title": one.title,
        "stage": one.stage or None,
        "since": one.since.isoformat() if one.since else None,
        "due_at": one.due_at.isoformat() if one.due_at else None,
        "missing": [words.say(reason) for reason in one.missing],
        "people": [_person(person, words) for person in one.people],
        "next": [words.say(reason) for reason in one.next],
        "ways_out": [dict(zip(("to", "command"), split_command(words.say(way)), strict=True)) for way in one.ways_out],
    }


def _person(person: Asked, words: Words) -> dict[str, Any]:
    return {
        "email": person.email,
        "name": person.name,
        "on_behalf_of": person.on_behalf_of or None,
        "away_until": person.away_until.isoformat() if person.away_until else None,
        "delegate": person.delegate or None,
        "unaware": words.say(why_unaware(person.lost, [person.name])) if person.lost else None,
    }
