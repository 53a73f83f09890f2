"""The runs of the scheduled check, so that the check itself can be watched."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Select, String, func, select
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base
from models.reading import prepared


class CheckRun(Base):
    """One run of the scheduled check, and what it did; one that died half-way has never finished.

    `checker` is the machine that ran it, whose clock `started_at` shows: clocks of two machines may differ.
    """

    __tablename__ = "check_runs"

    id: Mapped[int] = mapped_column(primary_key=True)
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    report: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    checker: Mapped[str] = mapped_column(String(100), default="", server_default="")


def checks_newest_first() -> Select[CheckRun]:
    """The finished runs of the check, newest first."""
    return select(CheckRun).where(CheckRun.finished_at.is_not(None)).order_by(CheckRun.id.desc())


def last_check_finished(by: datetime) -> Select[CheckRun]:
    """The newest run that has finished; one that claims to have finished after this moment had a wrong clock."""
    return checks_newest_first().where(CheckRun.finished_at <= by).limit(1)


def checks_begun_since(check_id: int) -> Select[int]:
    """How many runs have begun after this one and have not finished: they run now, or died half-way."""
    return select(func.count()).where(CheckRun.id > check_id, CheckRun.finished_at.is_(None))


def check_locked(check_id: int) -> Select[CheckRun]:
    """One run, locked until the transaction ends: of two who report that none has come since, one is first."""
    return select(CheckRun).where(CheckRun.id == check_id).with_for_update()


@prepared
def clock_readings(limit: int) -> Select[str, datetime]:
    """Which checker began each run, and what its clock showed then, newest first: also of runs that never finished."""
    return select(CheckRun.checker, CheckRun.started_at).order_by(CheckRun.id.desc()).limit(limit)
