"""A rollout as a tree for people: stages and gates with their states, who is waited for, and what was decided."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cli.printing import moment, now_utc
from models.database import Database
from models.rollouts import Rollout
from operations.workspace import Workspace

_SIGNS = {
    "passed": "✓",
    "waived": "✓",
    "completed": "✓",
    "open": "●",
    "held": "‖",
    "rejected": "✗",
    "expired": "✗",
    "failed": "✗",
}
_NOT_YET = "·"


def titles(db: Database, rollout_id: str) -> dict[str, str]:
    """Return what the stages and gates of a rollout are called, by their ids, in its language."""
    with db.read() as session:
        rollout = session.get_one(Rollout, rollout_id)
        ws = Workspace(session, (), rollout, now_utc())
        named = [*ws.plan.stages, *map(ws.planned_gate, ws.gates())]
        return {each.id: each.title.in_language(rollout.language) for each in named}


def lines(facts: Mapping[str, Any], titles: Mapping[str, str]) -> Iterator[str]:
    """Write down what describe_rollout found."""
    yield f"{facts['title']}  ({facts['id']})"
    yield f"{facts['state']} · plan {facts['plan']}, version {facts['version']}"
    yield f"requester {facts['requester']} · owner {facts['owner']} · started {moment(facts['created_at'])}"
    if facts["ended_because"]:
        yield f"because: {facts['ended_because']}"
    if blocking := facts["no_stage_opens_before"]:
        yield f"no further stage opens until renewed: {', '.join(titles.get(gate, gate) for gate in blocking)}"
    for stage in facts["stages"]:
        yield ""
        yield f"{_sign(stage)} {titles.get(stage['id'], stage['id'])}  {stage['state']}{_round(stage)}{_stalled(stage)}"
        yield from (f"  {line}" for line in _queue(stage))
        for gate in stage["gates"]:
            yield from (f"  {line}" for line in _gate(gate, titles))


def _stalled(stage: Mapping[str, Any]) -> str:
    return f", stalled since {moment(stage['stalled_since'])}" if stage["stalled_since"] else ""


def _queue(stage: Mapping[str, Any]) -> Iterator[str]:
    """Who waits for whom, where only one rollout may use something at a time."""
    if waits := stage["waits_for"]:
        yield f"waits for {waits['resource']}, {_ahead(waits['used_by'])}, place {waits['place']}"
    if uses := stage["uses"]:
        others = ", ".join(f"{one['title']} ({one['id']})" for one in uses["waiting"])
        yield f"uses {uses['resource']}{f'; waiting for it: {others}' if others else ''}"


def _ahead(used_by: Mapping[str, Any] | None) -> str:
    if used_by is None:
        return "its turn has come"
    if used_by["since"] is None:
        return f"after {used_by['title']} ({used_by['id']})"
    return f"used by {used_by['title']} ({used_by['id']}) since {moment(used_by['since'])}"


def _gate(gate: Mapping[str, Any], titles: Mapping[str, str]) -> Iterator[str]:
    outcome = f": {gate['outcome']}" if gate["outcome"] else ""
    due = f", due {moment(gate['due_at'])}" if gate["due_at"] and gate["state"] == "open" else ""
    title = titles.get(gate["id"], gate["id"])
    yield f"{_sign(gate)} {title} ({gate['kind']})  {gate['state']}{outcome}{_round(gate)}{due}{_renewed(gate)}"
    if gate["waived_by"]:
        yield f"    {' '.join(gate['because'].split())} ({gate['waived_by']})"
    if gate["problem"]:
        yield f"    problem: {gate['problem']}"
    for decision in gate["decisions"]:
        yield f"    {_decision(decision)}"
    if gate["silent"]:
        yield f"    silence counted as consent: {', '.join(gate['silent'])}"
    yield from (f"    {sentence}" for sentence in gate["waits"])
    yield from (f"    {sentence}" for sentence in gate["chased"])
    if gate["waiting_for"]:
        yield f"    waits for {', '.join(_waiting(gate))}"


def _waiting(gate: Mapping[str, Any]) -> list[str]:
    """Everybody who is asked; a delegate with those in whose place they are; whoever is away with their last day."""
    lent: dict[str, list[str]] = {}
    for delegate in gate["delegates"]:
        lent.setdefault(delegate["by"], []).append(delegate["on_behalf_of"])
    behalf = {one: f" for {' and '.join(others)}" for one, others in lent.items()}
    away = {one["person"]: f" (away until {one['until']})" for one in gate["away"]}
    return [f"{one}{behalf.get(one, '')}{away.get(one, '')}" for one in gate["waiting_for"]]


def _renewed(gate: Mapping[str, Any]) -> str:
    """What is asked again, whether it was not answered in time, and when it is asked next."""
    again = ", renewal" if gate["renewal"] else ""
    overdue = f", overdue since {moment(gate['overdue_at'])}" if gate["overdue_at"] and gate["state"] == "open" else ""
    following = f", to be renewed {moment(gate['renew_at'])}" if gate["renew_at"] else ""
    return f"{again}{overdue}{following}"


def _decision(decision: Mapping[str, Any]) -> str:
    behalf = f" for {decision['on_behalf_of']}" if decision["on_behalf_of"] else ""
    said = decision["choice"] or decision["decision"]
    comment = f": “{' '.join(decision['comment'].split())}”" if decision["comment"] else ""
    lapsed = f"; lapsed: {decision['lapsed']}" if decision["lapsed"] else ""
    return f"{decision['by']}{behalf} {said}, {moment(decision['decided_at'])}{comment}{lapsed}"


def _sign(part: Mapping[str, Any]) -> str:
    return _SIGNS.get(part["state"], _NOT_YET)


def _round(part: Mapping[str, Any]) -> str:
    return f", round {part['round']}" if part["round"] > 1 else ""
