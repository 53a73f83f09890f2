"""The record: one hash-chained, append-only list of entries per rollout (domain/record.py makes the hashes)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Select, String, Text, select
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Address, Base, Name, RolloutId
from models.reading import finds_only, prepared
from models.rollouts import Rollout

_CHASING = ("gate.reminded", "gate.escalated")
"""The actions by which somebody is chased."""


class AuditEntry(Base):
    """One change of state: who, on whose behalf, by which channel, what, at which gate, having been shown what."""

    __tablename__ = "audit_entries"

    rollout_id: Mapped[RolloutId] = mapped_column(ForeignKey(Rollout.id), primary_key=True)
    sequence: Mapped[int] = mapped_column(primary_key=True)
    previous_hash: Mapped[str] = mapped_column(String(64))
    entry_hash: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime]
    actor: Mapped[Address]  # an address, or "etappe" for what the rules do by themselves
    on_behalf_of: Mapped[Address | None]
    channel: Mapped[Name]
    assurance: Mapped[Name]
    action: Mapped[Name]
    stage: Mapped[Name | None]
    gate: Mapped[Name | None]
    round: Mapped[int | None]
    decision: Mapped[Name | None]
    shown_digest: Mapped[str | None] = mapped_column(String(64))
    comment: Mapped[str] = mapped_column(Text, default="")
    facts: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)

    def written(self) -> dict[str, Any]:
        """Return all that the entry says, with both hashes, as domain/record.py takes it.

        The hash covers every column: one that comes later has to be left out for the entries that were there before it.
        """
        return {column.key: getattr(self, column.key) for column in self.__table__.columns}


@prepared
def entries_of(rollout_id: str) -> Select[AuditEntry]:
    """The record of a rollout, from the beginning."""
    return select(AuditEntry).where(AuditEntry.rollout_id == rollout_id).order_by(AuditEntry.sequence)


IS_CHASING = AuditEntry.action.in_(_CHASING)


@finds_only(AuditEntry.action, _CHASING)
@prepared
def chasing_at(rollout_id: str, gate: str, number: int) -> Select[AuditEntry]:
    """The reminders and escalations at one gate of a rollout in one round."""
    at_gate = AuditEntry.gate == gate, AuditEntry.round == number
    return entries_of(rollout_id).where(*at_gate, IS_CHASING)


def chasing_in_any(rollout_ids: Collection[str]) -> Select[AuditEntry]:
    """The reminders and escalations in any of these rollouts."""
    return select(AuditEntry).where(AuditEntry.rollout_id.in_(rollout_ids), IS_CHASING)


@prepared
def entries_at(rollout_id: str, gate: str, action: str) -> Select[AuditEntry]:
    """The entries of one kind at one gate of a rollout, in whichever round."""
    return entries_of(rollout_id).where(AuditEntry.gate == gate, AuditEntry.action == action)


@prepared
def entries_after(rollout_id: str, sequence: int) -> Select[AuditEntry]:
    """What the record of a rollout says after the entry of this number."""
    return entries_of(rollout_id).where(AuditEntry.sequence > sequence)


@prepared
def moment_of(rollout_id: str, sequence: int) -> Select[datetime]:
    """When the entry of this number was written."""
    return select(AuditEntry.at).where(AuditEntry.rollout_id == rollout_id, AuditEntry.sequence == sequence)
