"""Gates that settle themselves: what they come to now, and when they are looked at again."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from domain import deadlines, window
from domain.measurement import Judgement, Value, Verdict, judge
from domain.plan import CheckGate, Gate, MeasurementGate, WindowGate
from domain.reasons import Reason
from models.gates import GateRow, gate_in_round
from models.measurements import measured_since
from operations.workspace import Workspace

LOOKED_AT_BY_THE_CLOCK = ("window", "measurement")
"""The kinds of gates that come to something because time passes; other systems are asked by the relay."""


@dataclass(frozen=True)
class Finding:
    """What a gate comes to by facts alone."""

    passed: bool
    because: Reason


def found(ws: Workspace, gate: GateRow, planned: Gate) -> Finding | None:
    """Return what an open gate comes to now; when it is too early to say, note when it is looked at again.

    Checks and flow runs are settled by whoever brings their answer.
    """
    if isinstance(planned, WindowGate):
        return _by_the_clock(ws, gate, planned)
    if isinstance(planned, MeasurementGate):
        return _by_measurement(ws, gate, planned)
    if isinstance(planned, CheckGate):
        gate.look_at = (gate.look_at or _first_look(ws, gate, planned)) if planned.asks else None
    return None


def _by_the_clock(ws: Workspace, gate: GateRow, planned: WindowGate) -> Finding | None:
    opens_at = window.next_opening(planned, ws.now, ws.calendar)
    if opens_at == ws.now:
        return Finding(True, Reason("the window is open"))
    if opens_at is None:
        return Finding(False, Reason("the window does not open again"))
    gate.look_at = opens_at
    return None


def _by_measurement(ws: Workspace, gate: GateRow, planned: MeasurementGate) -> Finding | None:
    judgement = judgement_of(ws, gate, planned)
    if judgement.verdict is not Verdict.NOT_ENOUGH_DATA:
        return Finding(judgement.verdict is Verdict.PASS, judgement.reason)
    gate.look_at = (gate.look_at or _first_look(ws, gate, planned)) if planned.queried else judgement.again_at
    return None


def judgement_of(ws: Workspace, gate: GateRow, planned: MeasurementGate) -> Judgement:
    """Judge the values of the gate's metric that count in this round: the newest, or a few at a time back from it."""
    rows = measured_since(ws.rollout.id, planned.metric, gate.measured_after)
    rows = rows.limit(1) if planned.holds_for is None else rows.execution_options(yield_per=100)
    with closing(ws.session.scalars(rows)) as newest_first:
        values = (Value(row.value, row.sample, row.measured_at) for row in newest_first)
        return judge(planned, values, ws.now, ws.calendar)


def _first_look(ws: Workspace, gate: GateRow, planned: Gate) -> datetime | None:
    """Return when Etappe asks another system for the first time; None where it does not ask.

    At once, unless it has just been asked in the round before: a gate that sends the rollout back to itself would
    otherwise go round as fast as the other system can say no.
    """
    every = planned.every if isinstance(planned, CheckGate) and planned.asks else None
    if isinstance(planned, MeasurementGate) and planned.queried:
        every = planned.queried.every
    if every is None:
        return None
    before = ws.session.scalars(gate_in_round(gate.rollout_id, gate.key, gate.round - 1)).first()
    if before is None or before.settled_at is None or before.outcome is None:
        return ws.now
    return max(ws.now, deadlines.due_at(before.settled_at, every, ws.calendar))


def system_of(planned: CheckGate) -> str:
    """Return what the other system is called: the name of its key, or its host."""
    return planned.signed_with or urlsplit(planned.asks or "").hostname or ""


def paint_again(ws: Workspace) -> None:
    """Have Prefect's page show what a gate waits for now, though no entry of the record says so."""
    ws.rollout.painted = min(ws.rollout.painted, ws.rollout.sequence - 1)
