"""Exclusive stages: a stage takes a place in the queue of its resource, opens when its turn comes, and gives it back.

Locks: the rollout first, then the resources its plan names, by name; another rollout's lock never in the same
transaction. Whoever is next is therefore advanced by the relay, or by the check (operations/take_turns.py).
"""

from __future__ import annotations

from collections.abc import Sequence

from domain.errors import InvalidInput
from domain.reasons import Reason
from models.exclusive import RESOURCE_ONCE, Claim, claims_of, resource_locked
from models.rollouts import StageRow
from operations.queues import Waiting, queue, sentence, waiting
from operations.telling import inform
from operations.workspace import LIVING_STAGES, Workspace


def may_open_now(ws: Workspace, ready: Sequence[StageRow]) -> list[StageRow]:
    """Return those of the ready stages that may open now; the others wait in the queue of their resource.

    A stage takes a place once. One that is no longer ready, since the rollout went back, leaves the queue rather than
    hold up everybody behind it, and comes last again.
    """
    if not any(stage.exclusive for stage in ws.plan.stages):
        return list(ready)
    _leave_queues(ws, ready)
    if any(_resource(ws, stage) for stage in ready):
        _lock_resources(ws)
    return [stage for stage in ready if _resource(ws, stage) is None or _has_its_turn(ws, stage)]


def release_resource(ws: Workspace, stage: StageRow) -> None:
    """Give back what a stage uses, or its place in the queue."""
    for claim in _places(ws, stage):
        claim.released_at = ws.now


def follow_resources(ws: Workspace) -> None:
    """Let every stage use, or wait for, what the plan says now, after it has changed.

    Raises InvalidInput when a stage is open whose resource others use: of the two, one would have to close.
    """
    for stage in ws.stages():
        for claim in _places(ws, stage):
            if claim.resource != _resource(ws, stage):
                _leave(ws, stage, claim)
    for stage in ws.stages():
        if stage.state in LIVING_STAGES and _resource(ws, stage) and not _places(ws, stage):
            _lock_resources(ws)
            _use_at_once(ws, stage)


def _use_at_once(ws: Workspace, stage: StageRow) -> None:
    claim = _take_a_place(ws, stage)
    waits = waiting(ws.session, claim)
    if waits.behind:
        facts: dict[str, str | int] = {"stage": _title(ws, stage), "resource": claim.resource}
        facts |= {"title": waits.behind.title, "rollout": waits.behind.id}
        raise InvalidInput(
            Reason("“{stage}” is open and would use “{resource}”, which “{title}” ({rollout}) uses.", facts)
        )
    claim.held_at = ws.now


def _resource(ws: Workspace, stage: StageRow) -> str | None:
    return ws.planned_stage(stage).exclusive


def _leave_queues(ws: Workspace, ready: Sequence[StageRow]) -> None:
    wanted = {stage.id: _resource(ws, stage) for stage in ready}
    for stage in ws.stages():
        for claim in _places(ws, stage):
            if claim.held_at is None and wanted.get(stage.id) != claim.resource:
                _leave(ws, stage, claim)


def _leave(ws: Workspace, stage: StageRow, claim: Claim) -> None:
    claim.released_at = ws.now
    ws.note("stage.left-queue", stage=stage, facts={"resource": claim.resource})
    ws.session.flush()


def _places(ws: Workspace, stage: StageRow) -> list[Claim]:
    return [claim for claim in ws.read(claims_of, ws.rollout.id) if claim.stage_id == stage.id]


def _lock_resources(ws: Workspace) -> None:
    """Lock all that the plan names, in one order: two rollouts that want the same two cannot wait for each other."""
    for name in sorted({stage.exclusive for stage in ws.plan.stages if stage.exclusive}):
        if ws.session.scalars(resource_locked(name)).first() is None:
            ws.session.execute(RESOURCE_ONCE, {"name": name})
            ws.session.scalars(resource_locked(name)).one()


def _has_its_turn(ws: Workspace, stage: StageRow) -> bool:
    claim = next(iter(_places(ws, stage)), None)
    came_before = claim is not None
    claim = claim or _take_a_place(ws, stage)
    # Looked at only now: who came or went before this transaction had the lock has been committed.
    if queue(ws.session, claim.resource)[0] is claim:
        claim.held_at = ws.now
        if came_before:
            _tell_of_its_turn(ws, stage, claim.resource)
        return True
    if not came_before:
        _tell_of_waiting(ws, stage, waiting(ws.session, claim))
    return False


def _take_a_place(ws: Workspace, stage: StageRow) -> Claim:
    resource = _resource(ws, stage)
    claim = Claim(resource=resource, rollout_id=ws.rollout.id, stage_id=stage.id, claimed_at=ws.now)
    ws.session.add(claim)
    ws.session.flush()
    return claim


def _tell_of_waiting(ws: Workspace, stage: StageRow, waits: Waiting) -> None:
    behind = waits.behind.id if waits.behind else ""
    ws.note("stage.waits-for-resource", stage=stage,
            facts={"resource": waits.resource, "used_by": behind, "place": waits.place})  # fmt: skip
    title = _title(ws, stage)
    inform(
        ws,
        _who_looks_after(ws, stage),
        Reason("“{stage}” waits for its turn", {"stage": title}),
        [
            sentence(title, waits),
            Reason("Only one rollout may use it at a time. The stage opens by itself when its turn comes."),
        ],
        [Reason("To see who waits for whom: etappe rollout show {rollout}", {"rollout": ws.rollout.id})],
    )


def _tell_of_its_turn(ws: Workspace, stage: StageRow, resource: str) -> None:
    ws.note("stage.has-its-turn", stage=stage, facts={"resource": resource})
    facts: dict[str, str | int] = {"stage": _title(ws, stage), "resource": resource}
    inform(
        ws,
        _who_looks_after(ws, stage),
        Reason("“{stage}” opens: its turn has come", facts),
        [Reason("“{resource}” is free for it now; those who decide are asked.", facts)],
    )


def _title(ws: Workspace, stage: StageRow) -> str:
    return ws.planned_stage(stage).title.in_language(ws.rollout.language)


def _who_looks_after(ws: Workspace, stage: StageRow) -> list[str]:
    return [ws.rollout.owner, *ws.directory.resolve(ws.planned_stage(stage).owner)]
