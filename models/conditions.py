"""Conditions: promises attached to an approval. Each becomes a gate of a later stage once its gate has passed."""

from __future__ import annotations

from datetime import date

from sqlalchemy import ForeignKey, Index, Select, Text, select
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Address, Base, Name, RolloutId
from models.gates import GateRow
from models.reading import prepared
from models.requests import Decision
from models.rollouts import Rollout


class Condition(Base):
    """What has to be done, by whom, by the end of which day (in the plan's zone), before which stage is through.

    `gate_id` is the gate at which it was made; the gate that it became carries its id (GateRow.condition_id). `days` is
    how long there was for it when it was made; asked again, it has as long again, and `due_on` moves.
    """

    __tablename__ = "conditions"
    __table_args__ = (Index("ix_conditions_gate_id", "gate_id"), Index("ix_conditions_rollout_id", "rollout_id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    rollout_id: Mapped[RolloutId] = mapped_column(ForeignKey(Rollout.id))
    gate_id: Mapped[int] = mapped_column(ForeignKey(GateRow.id))
    decision_id: Mapped[int] = mapped_column(ForeignKey(Decision.id))
    what: Mapped[str] = mapped_column(Text)
    who: Mapped[Address]
    due_on: Mapped[date]
    days: Mapped[int]
    stage: Mapped[Name]


@prepared
def conditions_made_at(gate_id: int) -> Select[Condition]:
    """The conditions that were made at a gate."""
    return select(Condition).where(Condition.gate_id == gate_id).order_by(Condition.id)


@prepared
def conditions_of(rollout_id: str) -> Select[Condition]:
    """The conditions that were made in a rollout."""
    return select(Condition).where(Condition.rollout_id == rollout_id).order_by(Condition.id)
