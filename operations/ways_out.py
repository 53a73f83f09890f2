"""What one could do about something that does not go on, each way with the command for it. Read only.

Only what the rules allow now is named: they are asked, not written again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from shlex import quote

from domain.explanation import MOST_REASSIGNED
from domain.plan import OWNER, AcknowledgementGate, Gate, MeasurementGate, RunGate
from domain.reasons import Fact, Reason
from domain.states import GateState, StageState
from domain.waiver import REFUSED, why_cannot_be_waived
from models.gates import GateRow
from models.requests import Purpose, Request
from operations.escalate_gate import why_not_escalated
from operations.naming import name_of, names_of
from operations.reassign import may_take_over
from operations.waiving import may_waive
from operations.workspace import Workspace

_CAN_PASS_ON = (Purpose.DECIDE, Purpose.ANSWER, Purpose.MEASURE)


def at_gate(ws: Workspace, gate: GateRow, asked: Sequence[Request]) -> tuple[Reason, ...]:
    """Return the ways out at one gate. `asked` are those to be replaced, whoever cannot answer first."""
    planned = ws.planned_gate(gate)
    ways = (
        _respond(ws, gate, asked),
        _measure(ws, gate, planned),
        _restart(ws, gate, planned),
        _reassign(ws, gate, planned, asked),
        _escalate(ws, gate),
        _waive(ws, gate),
    )
    return tuple(way for each in ways for way in each) or tuple(_what_is_left(ws, gate, asked))


def off_hold(ws: Workspace) -> tuple[Reason, ...]:
    """Return how a stage that is on hold, or will be, goes on or ends."""
    facts = {"rollout": ws.rollout.id}
    return (
        Reason('To ask again: etappe rollout resume {rollout} --reason "what has changed"', facts),
        Reason('To call it off: etappe rollout cancel {rollout} --reason "why"', facts),
    )


def _here(ws: Workspace, gate: GateRow) -> dict[str, Fact]:
    return {"rollout": ws.rollout.id, "gate": gate.key}


def _respond(ws: Workspace, gate: GateRow, asked: Sequence[Request]) -> Iterator[Reason]:
    by = next((row.person for row in asked if row.purpose is Purpose.RESPOND), None)
    if by is not None:
        facts = {**_here(ws, gate), "by": quote(by)}
        yield Reason('To answer: etappe gate respond {rollout} {gate} --by {by} --reply "what has changed"', facts)


def _measure(ws: Workspace, gate: GateRow, planned: Gate) -> Iterator[Reason]:
    if not isinstance(planned, MeasurementGate) or gate.state in (GateState.WAITING, GateState.WITHDRAWN):
        return
    facts = {**_here(ws, gate), "metric": planned.metric}
    if planned.minimum_sample is None:
        yield Reason("To bring the value: etappe measure {rollout} {metric} VALUE", facts)
    else:
        yield Reason("To bring the value: etappe measure {rollout} {metric} VALUE --sample COUNT", facts)


def _restart(ws: Workspace, gate: GateRow, planned: Gate) -> Iterator[Reason]:
    is_held = gate.state in REFUSED and ws.stage_of(gate).state is StageState.HELD
    if isinstance(planned, RunGate) and (gate.state is GateState.OPEN or is_held):
        facts = {"rollout": ws.rollout.id, "key": gate.key}
        yield Reason('To start its flow run anew: etappe gate restart {rollout} {key} --reason "why"', facts)


def _reassign(ws: Workspace, gate: GateRow, planned: Gate, asked: Sequence[Request]) -> Iterator[Reason]:
    if isinstance(planned, AcknowledgementGate) or gate.state is not GateState.OPEN:
        return
    own = [row for row in asked if row.purpose in _CAN_PASS_ON and not row.on_behalf_of]
    for row in own[:MOST_REASSIGNED]:
        if to := _somebody_else(ws, gate, planned, row):
            facts = {**_here(ws, gate), "person": name_of(ws, row.person), "from": quote(row.person)}
            yield Reason(
                "To ask somebody else instead of {person}: "
                'etappe gate reassign {rollout} {gate} --from {from} --to {to} --reason "why"',
                {**facts, "to": quote(to)},
            )


def _somebody_else(ws: Workspace, gate: GateRow, planned: Gate, request: Request) -> str:
    """Return who is near enough to be named: another holder of the role, whom the plan escalates to, the stage's owner.

    EMAIL where nobody is; "" where only a holder of the role may take over, and none can.
    """
    stage = ws.planned_stage(ws.stage_of(gate))
    entries = [*request.asked_for, *(level.to for level in planned.escalate), stage.owner, OWNER]
    for person in ws.directory.people(entries):
        if may_take_over(ws, gate, request.person, person):
            return person
    return "EMAIL" if getattr(planned, "delegates", True) else ""


def _escalate(ws: Workspace, gate: GateRow) -> Iterator[Reason]:
    if why_not_escalated(ws, gate) is not None:
        return
    to = ws.planned_gate(gate).escalate[gate.escalation_level].to
    names = names_of(ws, ws.directory.resolve(to)) or to
    yield Reason(
        'To escalate it now to {people}: etappe gate escalate {rollout} {gate} --reason "why"',
        {**_here(ws, gate), "people": names},
    )


def _waive(ws: Workspace, gate: GateRow) -> Iterator[Reason]:
    if why_cannot_be_waived(gate.state, ws.stage_of(gate).state, renewal=gate.renewal) is not None:
        return
    if people := may_waive(ws, gate):
        names = names_of(ws, people)
        yield Reason(
            'To let it pass without ({people} may): etappe gate waive {rollout} {gate} --by {by} --reason "why"',
            {**_here(ws, gate), "people": names, "by": quote(people[0])},
        )


def _what_is_left(ws: Workspace, gate: GateRow, asked: Sequence[Request]) -> Iterator[Reason]:
    if gate.state is GateState.OPEN and asked:
        yield Reason(
            "The plan names nobody else who may answer here: speak to those who are asked. "
            'To call it off: etappe rollout cancel {rollout} --reason "why"',
            {"rollout": ws.rollout.id},
        )


def behind(other: str) -> tuple[Reason, ...]:
    """Return how to see why the rollout that a stage waits for does not go on."""
    return (Reason("To see what that one waits for: etappe rollout explain {rollout}", {"rollout": other}),)
