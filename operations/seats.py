"""Who has a seat at a gate, and what changing that begins with: the right to, an open gate, and a reason."""

from __future__ import annotations

from domain import typed_text
from domain.errors import InvalidInput, RolloutEnded
from domain.reasons import Reason
from domain.reassignment import Table
from domain.states import ENDED, GateState
from models.gates import GateRow
from models.people import people_present
from operations.voices import members, separation_at, spoken_at
from operations.workspace import Workspace

LONGEST_REASON = 2000  # characters


def reason_given(reason: str, missing: str) -> str:
    """Return the reason as it is kept. Raises InvalidInput with the sentence `missing` when there is none."""
    words = typed_text.clean_text(reason, LONGEST_REASON)
    if not words:
        raise InvalidInput(missing, {"reason": Reason("Say why.")})
    return words


def gate_to_seat_at(ws: Workspace, gate_key: str) -> GateRow:
    """Return an open gate at which the actor may say who is asked.

    Raises NotFound for an unknown gate, NotAllowed for whoever does not look after its stage, RolloutEnded, and
    InvalidInput when it is not open.
    """
    gate = ws.gate_called(gate_key)
    ws.refuse_strangers(ws.stage_of(gate), requester_may=False)
    if ws.rollout.state in ENDED:
        raise RolloutEnded(f"The rollout is {ws.rollout.state}; nobody is asked any more.")
    if gate.state is not GateState.OPEN:
        raise InvalidInput(f"The gate “{gate_key}” is {gate.state}; who is asked can be changed while it is open.")
    return gate


def table_at(ws: Workspace, gate: GateRow) -> Table:
    """Return who has a seat at a gate, and what was said there."""
    return Table(
        members=members(gate),
        separation=separation_at(ws, gate.key),
        spoken=tuple(spoken_at(ws, gate)),
        present=frozenset(person.email for person in ws.session.scalars(people_present())),
    )
