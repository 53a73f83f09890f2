"""By when somebody is to answer what they are asked, in every rollout at once."""

from __future__ import annotations

from sqlalchemy import Select, or_, select

from models.conditions import Condition
from models.gates import GateRow
from models.requests import Request, RequestState
from models.rollouts import Rollout


def open_deadlines_of(person: str) -> Select[Request, GateRow, Rollout, str | None]:
    """What somebody is asked now that is due at some moment, with its gate, its rollout, and the condition it is."""
    return (
        select(Request, GateRow, Rollout, Condition.what)
        .join(GateRow, GateRow.id == Request.gate_id)
        .join(Rollout, Rollout.id == Request.rollout_id)
        .outerjoin(Condition, Condition.id == GateRow.condition_id)
        .where(
            Request.person == person,
            Request.state == RequestState.OPEN,
            or_(GateRow.expires_at.is_not(None), GateRow.renewal_due_at.is_not(None)),
        )
    )
