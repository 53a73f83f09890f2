"""Measured values."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlalchemy import (
    ForeignKey,
    Index,
    Select,
    String,
    func,
    select,
)
from sqlalchemy.orm import Mapped, mapped_column

from models.base import (
    Base,
    ExactDecimal,
    Name,
    RolloutId,
)
from models.rollouts import Rollout


class Measurement(Base):
    """A measured value of a rollout's metric."""

    __tablename__ = "measurements"
    __table_args__ = (Index("ix_measurements_rollout_id_metric", "rollout_id", "metric", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    rollout_id: Mapped[RolloutId] = mapped_column(ForeignKey(Rollout.id))
    metric: Mapped[Name]
    value: Mapped[Decimal] = mapped_column(ExactDecimal)
    sample: Mapped[int | None]
    measured_at: Mapped[datetime]
    reported_by: Mapped[str] = mapped_column(String(254))
    reported_at: Mapped[datetime]


def measurements_of(rollout_id: str, metric: str) -> Select[Measurement]:
    """The values of a metric, newest first."""
    return (
        select(Measurement)
        .where(Measurement.rollout_id == rollout_id, Measurement.metric == metric)
        .order_by(Measurement.id.desc())
    )


def measured_since(rollout_id: str, metric: str, after: int) -> Select[Measurement]:
    """The values of a metric that were recorded after the one of this id, by when they were measured, newest first."""
    return (
        select(Measurement)
        .where(Measurement.rollout_id == rollout_id, Measurement.metric == metric, Measurement.id > after)
        .order_by(Measurement.measured_at.desc(), Measurement.id.desc())
    )


def values_measured_at(rollout_id: str, metric: str, moment: datetime) -> Select[Decimal]:
    """The values of a metric that were measured at this moment."""
    return select(Measurement.value).where(
        Measurement.rollout_id == rollout_id, Measurement.metric == metric, Measurement.measured_at == moment
    )


def newest_measurement(rollout_id: str) -> Select[int | None]:
    """The id of the value that was recorded last in a rollout."""
    return select(func.max(Measurement.id)).where(Measurement.rollout_id == rollout_id)
