"""What Prefect's page shows of a rollout: which task run is the bar of which stage or gate, how it was last painted."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Select, String, Update, select, update
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Name, RolloutId
from models.reading import prepared
from models.rollouts import Rollout


class Bar(Base):
    """One bar in the timeline of one flow run: a stage (“stage”) or a gate (“gate”) in one round."""

    __tablename__ = "bars"

    flow_run_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    subject: Mapped[Name] = mapped_column(primary_key=True)
    subject_id: Mapped[int] = mapped_column(primary_key=True)
    rollout_id: Mapped[RolloutId] = mapped_column(ForeignKey(Rollout.id), index=True)
    task_run_id: Mapped[str] = mapped_column(String(36))
    name: Mapped[str] = mapped_column(String(300))
    state: Mapped[Name]


@prepared
def bars_of(flow_run_id: str) -> Select[Bar]:
    """The bars that a flow run already has."""
    return select(Bar).where(Bar.flow_run_id == flow_run_id)


def shows(rollout_id: str, flow_run_id: str, sequence: int) -> Update:
    """Say that this page shows a rollout up to this audit entry, unless it shows more, or the rollout has another."""
    is_news = (Rollout.id == rollout_id, Rollout.flow_run_id == flow_run_id, Rollout.painted < sequence)
    return update(Rollout).where(*is_news).values(painted=sequence)
