"""Looking at a gate by asking another system: whether the look still counts, and when the next one is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

from domain import deadlines
from domain.durations import Every
from domain.reasons import Reason
from domain.states import GateState
from models.database import Database
from models.gates import GateRow
from operations.automatic import paint_again
from operations.looks import Look, whom
from operations.workspace import Actor, Workspace, locked

CHANNEL = "asked"


@contextmanager
def looked(
    db: Database, keys: Sequence[bytes], look: Look, actor: Actor, now: datetime
) -> Iterator[tuple[Workspace, GateRow] | None]:
    """Lock the rollout of a look and give it with its gate.

    None when the look is outdated: the gate was settled, looked at by somebody else, or given another plan meanwhile.
    """
    with locked(db, keys, look.rollout_id, now, actor) as ws:
        gate = ws.session.get_one(GateRow, look.gate_id, populate_existing=True)
        counts = (
            gate.state is GateState.OPEN and gate.look_at == look.look_at and whom(ws.planned_gate(gate)) == look.asks
        )
        yield (ws, gate) if counts else None


def look_again(ws: Workspace, gate: GateRow, every: Every, found: Reason | None) -> None:
    """Say when the gate is looked at next, and what this look has found, for people to see."""
    gate.look_at = deadlines.due_at(ws.now, every, ws.calendar)
    gate.last_look = found.to_json() if found else None
    paint_again(ws)
