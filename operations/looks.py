"""What Etappe has to ask other systems for now, as facts for whoever asks them. Read only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from domain.plan import CheckGate, Gate, MeasurementGate, QueriedMetric
from models.database import Database
from models.gates import GateRow, gates_to_look_at, next_look_at
from models.rollouts import Rollout
from operations.workspace import Workspace

KINDS = ("window", "measurement", "check")
"""The kinds of gates that are looked at here; those that start flow runs are followed in Prefect."""


@dataclass(frozen=True)
class Look:
    """One gate whose time to be looked at has come. `asks` is whom to ask; None where time alone has something to say.

    `look_at` says which look this is: of two that look at once, the second finds another one, and says nothing.
    """

    rollout_id: str
    gate_id: int
    gate: str
    look_at: datetime
    asks: CheckGate | QueriedMetric | None


def looks_due(db: Database, now: datetime) -> list[Look]:
    """Return the gates to look at now, those that have waited longest first."""
    with db.read() as session:
        due = session.scalars(gates_to_look_at(now, KINDS)).all()
        looks = [
            _look(Workspace.to_look_at(session, session.get_one(Rollout, gate.rollout_id), now), gate) for gate in due
        ]
    return [look for look in looks if look is not None]


def next_look(db: Database) -> datetime | None:
    """Return when the next gate is to be looked at (UTC), None when none is."""
    with db.read() as session:
        return session.scalars(next_look_at(KINDS)).first()


def _look(ws: Workspace, gate: GateRow) -> Look | None:
    asks = whom(ws.planned_gate(gate))
    return Look(gate.rollout_id, gate.id, gate.key, gate.look_at, asks) if gate.look_at else None


def whom(planned: Gate) -> CheckGate | QueriedMetric | None:
    """Return whom a gate asks by itself; None where it waits for time, people or calls."""
    if isinstance(planned, CheckGate):
        return planned if planned.asks else None
    return planned.queried if isinstance(planned, MeasurementGate) else None
