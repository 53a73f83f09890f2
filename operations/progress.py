"""What follows: gates that settle pass, hold, recycle or kill their stage; passed stages open the next, or end it all.

`progress` is level-triggered and idempotent: it looks at what is, does what is due, and looks again until nothing is.
"""

from __future__ import annotations

from domain import deadlines, stage_graph
from domain.plan import Recycle, ReviewGate
from domain.reasons import Reason
from domain.renewal import lets_pass
from domain.states import (
    ENDED,
    Event,
    GateState,
    Outcome,
    RolloutState,
    StageState,
    advance_rollout,
    advance_stage,
)
from models.gates import GateRow
from models.requests import VoidReason
from models.rollouts import StageRow
from operations.attend_absences import attend_absences
from operations.conditions import drop, hanging_on_stages
from operations.exclusive import may_open_now
from operations.opening import open_gates, open_stage
from operations.renewals import blocking_renewals
from operations.rounds import close_stage, new_round, reopen_passed, withdraw
from operations.settling import settle_gates
from operations.telling import inform
from operations.telling_chat import tell_channels
from operations.waiving import how_to_waive, told_of_hold
from operations.workspace import LIVING_STAGES, SYSTEM, Workspace

_MOST_STEPS = 1000


def progress(ws: Workspace) -> None:
    """Do everything that is due in a rollout, until nothing is; the record names the rules as its actor."""
    actor, ws.actor = ws.actor, SYSTEM
    _do_what_is_due(ws)
    ws.actor = actor


def _do_what_is_due(ws: Workspace) -> None:
    steps = (_start, settle_gates, _pass_stages, _follow_refusals, _complete, _open_stages, open_gates, attend_absences)
    for _ in range(_MOST_STEPS):
        if ws.rollout.state in ENDED or not any(step(ws) for step in steps):
            return
    raise RuntimeError(f"the rollout {ws.rollout.id} goes round in circles")  # rather than hold its lock for ever


def _start(ws: Workspace) -> bool:
    rollout = ws.rollout
    if rollout.state is not RolloutState.WAITING:
        return False
    if rollout.start_on and deadlines.start_of_day(rollout.start_on, ws.calendar) > ws.now:
        return False
    rollout.state = advance_rollout(rollout.state, Event.OPENED)
    ws.note("rollout.opened")
    return True


def _open_stages(ws: Workspace) -> bool:
    if ws.rollout.state is RolloutState.WAITING:
        return False
    stages = ws.stages()
    passed = {stage.key for stage in stages if stage.state is StageState.PASSED}
    ready = stage_graph.may_open(ws.plan.needs(), passed)
    waiting = [stage for stage in stages if stage.state is StageState.WAITING and stage.key in ready]
    opening = may_open_now(ws, [] if blocking_renewals(ws) else waiting)
    for stage in opening:
        open_stage(ws, stage)
    return bool(opening)


def _pass_stages(ws: Workspace) -> bool:
    gates = ws.gates()
    changed = False
    for stage in ws.stages():
        if stage.state is not StageState.OPEN:
            continue
        let = [lets_pass(gate.state, renewal=gate.renewal) for gate in gates if gate.stage_id == stage.id]
        if let and all(let):
            close_stage(ws, stage, Event.PASSED)
            changed = True
    return changed


def _complete(ws: Workspace) -> bool:
    if any(stage.state is not StageState.PASSED for stage in ws.stages()):
        return False
    told = withdraw(ws, ws.stages(), VoidReason.WITHDRAWN)  # renewals that nobody has answered yet
    end(ws, Event.COMPLETED, "every stage has passed")
    over = Reason("What was asked again for renewal is no longer needed; links that were mailed no longer count.")
    people = [ws.rollout.requester, ws.rollout.owner, *told]
    headline = Reason("Completed: every stage has passed")
    inform(ws, people, headline, [over] if told else [])
    tell_channels(ws, headline)
    return True


def _follow_refusals(ws: Workspace) -> bool:
    for gate in ws.gates(GateState.REJECTED, GateState.EXPIRED):
        stage = ws.stage_of(gate)
        if stage.state is StageState.PASSED:  # a renewal was refused, so what had passed no longer has
            stage = reopen_passed(ws, stage)
        if gate.outcome is Outcome.HOLD and stage.state in (StageState.HELD, StageState.WAITING):
            continue  # one that waits is put on hold as soon as it opens
        if stage.state is StageState.WAITING and gate.condition_id is not None:
            continue
        if gate.outcome is Outcome.KILL:
            _kill(ws, stage, gate)
        elif gate.outcome is Outcome.RECYCLE:
            _recycle(ws, gate, recycle_target(ws, gate))
        else:
            _hold(ws, stage, gate)
        return True
    return False


def release(ws: Workspace, reason: str = "") -> None:
    """Take the rollout off hold when no stage of it is held any more."""
    ws.session.flush()
    if ws.rollout.state is RolloutState.HELD and not any(stage.state is StageState.HELD for stage in ws.stages()):
        ws.rollout.state = advance_rollout(ws.rollout.state, Event.RESUMED)
        ws.note("rollout.resumed", comment=reason)


def recycle_target(ws: Workspace, gate: GateRow) -> str:
    """Return the stage that a gate's “recycle” goes back to: what the plan names, else the gate's own stage."""
    planned = ws.planned_gate(gate)
    if gate.state is GateState.EXPIRED and planned.expires and isinstance(planned.expires.outcome, Recycle):
        return planned.expires.outcome.recycle
    if gate.state is not GateState.EXPIRED and isinstance(planned, ReviewGate) and planned.recycle_to:
        return planned.recycle_to
    if isinstance(planned.on_reject, Recycle):
        return planned.on_reject.recycle
    return ws.stage_of(gate).key


def _hold(ws: Workspace, stage: StageRow, gate: GateRow) -> None:
    stage.state = advance_stage(stage.state, Event.HELD)
    stage.stalled_at = None
    ws.note("stage.held", stage=stage)
    if ws.rollout.state is RolloutState.OPEN:
        ws.rollout.state = advance_rollout(ws.rollout.state, Event.HELD)
        ws.note("rollout.held", gate=gate)
    facts: dict[str, str | int] = {"rollout": ws.rollout.id, **_names(ws, stage, gate)}
    headline, sentences = Reason("On hold: “{stage}”", facts), [*_renewal_refused(gate), _waits(facts)]
    tell_channels(ws, headline, sentences, stages=[stage])
    inform(
        ws,
        told_of_hold(ws, stage, gate),
        headline,
        sentences,
        [
            Reason('To ask again: etappe rollout resume {rollout} --reason "what has changed"', facts),
            Reason('To call it off: etappe rollout cancel {rollout} --reason "why"', facts),
            *how_to_waive(ws, gate),
        ],
        gate=gate,
    )


def _waits(facts: dict[str, str | int]) -> Reason:
    return Reason("The gate “{gate}” did not pass, so the stage waits until somebody decides how to go on.", facts)


def _renewal_refused(gate: GateRow) -> list[Reason]:
    if not gate.renewal:
        return []
    return [Reason("What had passed was asked again and was not renewed. Later stages that are open go on.")]


def _kill(ws: Workspace, stage: StageRow, gate: GateRow) -> None:
    names = _names(ws, stage, gate)
    if stage.state in LIVING_STAGES:  # an exclusive one that was opened again may still wait for its turn
        close_stage(ws, stage, Event.FAILED)
    told = withdraw(ws, ws.stages(), VoidReason.WITHDRAWN)
    end(ws, Event.KILLED, f"{names['gate']} was {gate.state}")
    headline = Reason("Stopped for good at “{gate}”", names)
    why = Reason("The gate “{gate}” did not pass, and the plan says that this ends the rollout.", names)
    inform(ws, [ws.rollout.requester, ws.rollout.owner, *told], headline, [why], gate=gate)
    tell_channels(ws, headline, [why], stages=[stage])


def _recycle(ws: Workspace, gate: GateRow, target: str) -> None:
    """Go back: the target stage and everything that needs it are asked again, in a new round."""
    going_back = stage_graph.onwards(ws.plan.needs(), target)
    stages = [stage for stage in ws.stages() if stage.key in going_back]
    told = withdraw(ws, stages, VoidReason.WITHDRAWN)
    for condition in hanging_on_stages(ws, stages):
        drop(ws, condition)
    old_gates = [row for row in ws.gates() if row.stage_id in {stage.id for stage in stages}]
    for stage in stages:
        new_round(ws, stage, [row for row in old_gates if row.stage_id == stage.id])
    release(ws)
    title = ws.plan.stage(target).title.in_language(ws.rollout.language)
    ws.note("rollout.recycled", gate=gate, facts={"to": target})
    facts: dict[str, str | int] = {"stage": title, "gate": _gate_title(ws, gate)}
    inform(
        ws,
        [ws.rollout.requester, ws.rollout.owner, *told],
        Reason("Back to “{stage}”", facts),
        [Reason("The gate “{gate}” sent the rollout back; from there on everybody is asked again.", facts)],
        gate=gate,
    )


def end(ws: Workspace, event: Event, because: str) -> None:
    """End a rollout. What is left to do is the flow run's conclusion, so the flow run is woken."""
    ws.rollout.state = advance_rollout(ws.rollout.state, event)
    ws.rollout.ended_at, ws.rollout.ended_because = ws.now, because
    ws.rollout.wake_at = ws.now
    ws.note(f"rollout.{event}", comment=because)


def _names(ws: Workspace, stage: StageRow, gate: GateRow) -> dict[str, str | int]:
    return {"stage": ws.planned_stage(stage).title.in_language(ws.rollout.language), "gate": _gate_title(ws, gate)}


def _gate_title(ws: Workspace, gate: GateRow) -> str:
    return ws.planned_gate(gate).title.in_language(ws.rollout.language)
