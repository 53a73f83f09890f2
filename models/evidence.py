"""What decisions were given for, and which of them have lapsed since; and the files that people look at."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, Select, String, Text, func, select
from sqlalchemy.orm import Mapped, deferred, mapped_column

from models.base import Address, Base, Name, RolloutId
from models.gates import GateRow
from models.reading import prepared, rows_of
from models.requests import Decision
from models.rollouts import Rollout


class Evidence(Base):
    """Something that people were shown, by the digest of its canonical JSON (domain/evidence.py); never changed."""

    __tablename__ = "evidence"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    content: Mapped[Any] = mapped_column(JSON)


@prepared
def evidence_called(digest: str) -> Select[Evidence]:
    """What is kept by a digest."""
    return select(Evidence).where(Evidence.digest == digest)


class Lapse(Base):
    """A decision that has ceased to count, because what it was pinned to has changed. Append-only, by trigger.

    `name` is what has changed; `because` is a Reason: {text, facts}.
    """

    __tablename__ = "lapses"
    __table_args__ = (Index("ix_lapses_gate_id", "gate_id"),)

    decision_id: Mapped[int] = mapped_column(ForeignKey(Decision.id), primary_key=True)
    rollout_id: Mapped[RolloutId] = mapped_column(ForeignKey(Rollout.id))
    gate_id: Mapped[int] = mapped_column(ForeignKey(GateRow.id))
    name: Mapped[Name]
    because: Mapped[dict[str, Any]] = mapped_column(JSON)
    lapsed_at: Mapped[datetime]


class Blob(Base):
    """The bytes of an uploaded file, by their SHA-256 in hex; the same file is kept once."""

    __tablename__ = "blobs"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    content: Mapped[bytes] = deferred(mapped_column(LargeBinary))


class Attachment(Base):
    """A file (`digest` of its bytes) or a link (`url`) that belongs to what a rollout is about.

    `name` is what it is called in the rollout; a newer one of the same name takes its place (`removed_at` is set).
    """

    __tablename__ = "attachments"
    __table_args__ = (Index("ix_attachments_rollout_id", "rollout_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    rollout_id: Mapped[RolloutId] = mapped_column(ForeignKey(Rollout.id))
    name: Mapped[str] = mapped_column(String(200))
    digest: Mapped[str | None] = mapped_column(ForeignKey(Blob.digest))
    url: Mapped[str | None] = mapped_column(Text)
    size: Mapped[int] = mapped_column(default=0)  # bytes
    added_by: Mapped[Address]
    added_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]


_IS_ATTACHED = Attachment.removed_at.is_(None)


@rows_of(Decision.gate_id)
@prepared
def standing_decisions_at(gate_id: int) -> Select[Decision]:
    """What was decided at a gate and has not lapsed, in the order of deciding."""
    return (
        select(Decision)
        .outerjoin(Lapse, Lapse.decision_id == Decision.id)
        .where(Decision.gate_id == gate_id, Lapse.decision_id.is_(None))
        .order_by(Decision.id)
    )


def lapses_at(gate_id: int) -> Select[Lapse]:
    """The decisions of a gate that no longer count."""
    return select(Lapse).where(Lapse.gate_id == gate_id)


def lapses_of(rollout_id: str) -> Select[Lapse]:
    """The decisions of a rollout that no longer count."""
    return select(Lapse).where(Lapse.rollout_id == rollout_id).order_by(Lapse.decision_id)


@prepared
def voices_lapsed_in(rollout_id: str, key: str, number: int) -> Select[str]:
    """Whose decisions at a gate have lapsed in one round."""
    return (
        select(func.coalesce(Decision.on_behalf_of, Decision.person))
        .join(Lapse, Lapse.decision_id == Decision.id)
        .join(GateRow, GateRow.id == Decision.gate_id)
        .where(GateRow.rollout_id == rollout_id, GateRow.key == key, GateRow.round == number)
    )


@prepared
def lapses_at_gate(rollout_id: str, key: str) -> Select[Lapse, Decision]:
    """The decisions at a gate, in whichever round, that no longer count, newest first."""
    return (
        select(Lapse, Decision)
        .join(Decision, Decision.id == Lapse.decision_id)
        .join(GateRow, GateRow.id == Decision.gate_id)
        .where(GateRow.rollout_id == rollout_id, GateRow.key == key)
        .order_by(Decision.id.desc())
    )


@prepared
def attachments_of(rollout_id: str) -> Select[Attachment]:
    """What is attached to a rollout now, by name."""
    return (
        select(Attachment)
        .where(Attachment.rollout_id == rollout_id, _IS_ATTACHED)
        .order_by(Attachment.name, Attachment.id)
    )


def attachments_of_any(rollout_ids: Collection[str]) -> Select[Attachment]:
    """What is attached to any of these rollouts now."""
    return select(Attachment).where(Attachment.rollout_id.in_(rollout_ids), _IS_ATTACHED)
