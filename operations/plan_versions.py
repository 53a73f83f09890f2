"""Plan versions: a plan is stored once for each content, under the next number of its name; and who comes second."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from sqlalchemy import func
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from domain.evidence import digest
from domain.plan import Plan
from models.rollouts import PlanVersion, plan_version_with, plan_versions_of

_T = TypeVar("_T")
_MOST_COLLISIONS = 5


def version_of(session: Session, plan: Plan, source: str, now: datetime) -> PlanVersion:
    """Return the stored version with exactly this content, or a new one that is still to be added to the session."""
    document = plan.model_dump(mode="json", by_alias=True)
    content = digest(document)
    if known := session.scalars(plan_version_with(plan.name, content)).first():
        return known
    newest = session.scalar(plan_versions_of(plan.name).with_only_columns(func.max(PlanVersion.version)).order_by(None))
    return PlanVersion(name=plan.name, version=(newest or 0) + 1, digest=content, document=document, source=source,
                       created_at=now)  # fmt: skip


def again_when_it_collides(attempt: Callable[[], _T]) -> _T:
    """Run a whole transaction, and again when somebody else has stored the same at the same moment: now it is found."""
    for _ in range(_MOST_COLLISIONS):
        try:
            return attempt()
        except IntegrityError:
            continue
    return attempt()
