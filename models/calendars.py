"""Finding what was reckoned by a calendar that has changed since."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from domain.states import ENDED, LETS_PASS, GateState, RolloutState, StageState
from models.gates import GateRow
from models.reading import prepared
from models.rollouts import PlanVersion, Rollout, StageRow


@prepared
def plan_versions_in_use() -> Select[PlanVersion]:
    """The plan versions that rollouts follow which may still change."""
    follows = Rollout.plan_version_id == PlanVersion.id
    one = select(Rollout.id).where(follows, Rollout.state.in_(set(RolloutState) - ENDED)).limit(1)  # not all of them
    return select(PlanVersion).where(one.scalar_subquery().is_not(None)).order_by(PlanVersion.id)


def rollouts_reckoned_otherwise(digests: Sequence[str]) -> Select[str]:
    """The living rollouts with a gate whose times were reckoned by a calendar of none of these digests (sorted)."""
    states = [GateState.WAITING, GateState.OPEN, *sorted(LETS_PASS)]
    found = [and_(GateRow.state == state, span) for state in states for span in _between(GateRow.calendar, digests)]
    gates = select(GateRow.rollout_id).where(or_(*found), GateRow.current)
    return select(Rollout.id).where(Rollout.id.in_(gates), Rollout.state.not_in(ENDED)).order_by(Rollout.id)


def rollouts_watched_otherwise(digests: Sequence[str]) -> Select[str]:
    """The rollouts with an open stage whose time was reckoned by a calendar of none of these digests (sorted)."""
    found = [and_(StageRow.state == StageState.OPEN, span) for span in _between(StageRow.calendar, digests)]
    return select(StageRow.rollout_id).where(or_(*found), StageRow.current, StageRow.stalled_at.is_not(None)).distinct()


def _between(column: InstrumentedAttribute[str | None], digests: Sequence[str]) -> Iterator[ColumnElement[bool]]:
    """What lies between the digests: an index finds that there is nothing without reading what is there."""
    yield column < digests[0]
    yield from (and_(column > before, column < after) for before, after in pairwise(digests))
    yield column > digests[-1]
