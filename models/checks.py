"""The runs of the scheduled check, so that the check itself can be watched."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Select, String, select
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class CheckRun(Base):
    """One run of the scheduled check, and what it did. `checker` is who ran it: clocks of two machines may differ."""

    __tablename__ = "check_runs"

    id: Mapped[int] = mapped_column(primary_key=True)
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    report: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    checker: Mapped[str] = mapped_column(String(100), default="", server_default="")


def checks_newest_first() -> Select[CheckRun]:
    """The finished runs of the check, newest first."""
    return select(CheckRun).where(CheckRun.finished_at.is_not(None)).order_by(CheckRun.id.desc())
