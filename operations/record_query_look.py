"""Record what a database gave when Etappe asked it for a metric, or that it gave nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from domain.measurement import Value
from domain.plan import MeasurementGate, QueriedMetric
from domain.reasons import Reason
from models.database import Database
from models.gates import GateRow
from models.measurements import values_measured_at
from operations.looking import CHANNEL, look_again, looked
from operations.looks import Look
from operations.record_measurement import add_values
from operations.telling import inform
from operations.workspace import Actor, Workspace


def record_query_look(
    db: Database, keys: Sequence[bytes], look: Look, found: Value | str | None, now: datetime
) -> None:
    """Record a value (None: there is none yet), or, as a text, why none was read. Changes nothing when it is outdated.

    The same value of the same moment is not recorded twice. A problem is noted, and told to the owner, when it is new.
    """
    queried = look.asks
    if not isinstance(queried, QueriedMetric):
        raise TypeError(f"the gate {look.gate} asks no database")
    with looked(db, keys, look, Actor(f"query:{queried.database}", CHANNEL, "configured"), now) as current:
        if current is None:
            return
        ws, gate = current
        if isinstance(found, str):
            _not_read(ws, gate, queried, found)
        else:
            gate.failed_looks = 0
            nothing = Reason("The database “{database}” has no value yet.", {"database": queried.database})
            look_again(ws, gate, queried.every, None if found else nothing)
            _add(ws, gate, found)


def _add(ws: Workspace, gate: GateRow, found: Value | None) -> None:
    planned = ws.planned_gate(gate)
    if found is None or not isinstance(planned, MeasurementGate):
        return
    known = ws.session.scalars(values_measured_at(ws.rollout.id, planned.metric, found.measured_at)).all()
    if found.value not in known:
        add_values(ws, [(planned.metric, found)])


def _not_read(ws: Workspace, gate: GateRow, queried: QueriedMetric, problem: str) -> None:
    facts: dict[str, str | int] = {"database": queried.database, "problem": problem}
    why = Reason("The database “{database}” gave no value: {problem}", facts)
    gate.failed_looks += 1
    if gate.failed_looks == 1:
        ws.note("query.failed", gate=gate, comment=problem)
        _tell_the_owner(ws, gate, why)
    look_again(ws, gate, queried.every, why)


def _tell_the_owner(ws: Workspace, gate: GateRow, why: Reason) -> None:
    facts: dict[str, str | int] = {
        "gate": ws.planned_gate(gate).title.in_language(ws.rollout.language),
        "rollout": ws.rollout.id,
        "metric": getattr(ws.planned_gate(gate), "metric", ""),
    }
    inform(
        ws,
        [ws.rollout.owner],
        Reason("No value could be read for “{gate}”", facts),
        [why, Reason("It is tried again and again; you hear of it when it fails for the first time.")],
        [
            Reason("Show this to whoever runs Etappe."),
            Reason("To give the value by hand: etappe measure {rollout} {metric} VALUE", facts),
        ],
        gate=gate,
    )
