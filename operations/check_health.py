"""How the scheduled check itself is doing, for whoever watches it. Read only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from domain.lateness import CHECK_EVERY, CHECK_MAY_REST, is_late
from models.checks import checks_begun_since, last_check_finished
from models.rollouts import living_since


@dataclass(frozen=True)
class CheckHealth:
    """When the check last finished, how long that took and what it did; None and {} when it never has.

    `last_id` is that run's number, 0 for none. `unfinished` counts the runs that have begun since and have not
    finished: one may run now, the others died half-way. `late` is whether somebody should look after it.
    """

    late: bool
    last_id: int
    finished_at: datetime | None
    took: timedelta | None
    report: Mapping[str, Any]
    unfinished: int


def check_health(session: Session, now: datetime) -> CheckHealth:
    """Return how the check is doing at `now` (aware). Before its first run it is late once a rollout has waited."""
    last = session.scalars(last_check_finished(now + CHECK_EVERY)).first()
    finished_at = last.finished_at if last else None
    return CheckHealth(
        late=is_late(finished_at or session.scalar(living_since()), CHECK_MAY_REST, now),
        last_id=last.id if last else 0,
        finished_at=finished_at,
        took=finished_at - last.started_at if last and finished_at else None,
        report=last.report if last else {},
        unfinished=session.scalar(checks_begun_since(last.id if last else 0)) or 0,
    )
