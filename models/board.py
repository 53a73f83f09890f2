"""What the board reads: rollouts in its order, page by page, and for a page of them what they wait for."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import CompoundSelect, Select, String, and_, func, or_, select, tuple_, type_coerce, union
from sqlalchemy.orm import load_only

from domain.states import GateState, RolloutState, StageState
from domain.waiver import REFUSED
from models.base import UtcDateTime
from models.conditions import Condition
from models.exclusive import Claim
from models.gates import GateRow
from models.reading import prepared
from models.requests import Purpose, Request, RequestState
from models.rollouts import Rollout, StageRow

_NOT_OPEN_STAGE = frozenset(StageState) - {StageState.OPEN}
_NOT_OPEN_GATE = frozenset(GateState) - {GateState.OPEN}
"""Said as what they are not, so that SQLite goes by the few rows that a partial index has, not by all that wait."""


def _in_need(now: datetime) -> CompoundSelect[str]:
    """The rollouts that are on hold, stalled, overdue, or at a gate where nobody can be asked: an index for each."""
    return union(
        select(Rollout.id).where(Rollout.state == RolloutState.HELD),
        select(StageRow.rollout_id).where(
            StageRow.stalled_since.is_not(None), StageRow.state.not_in(_NOT_OPEN_STAGE), StageRow.current
        ),
        select(GateRow.rollout_id).where(GateRow.state == GateState.OPEN, GateRow.expires_at <= now),
        select(GateRow.rollout_id).where(GateRow.overdue_at.is_not(None), GateRow.state.not_in(_NOT_OPEN_GATE)),
        select(GateRow.rollout_id).where(GateRow.problem.is_not(None), GateRow.current),
    )


def _newest_first(query: Select[str]) -> Select[str]:
    """Of those under way none has ended; named all the same, the order is that of an index."""
    return query.order_by(Rollout.ended_at.desc(), Rollout.created_at.desc(), Rollout.id.desc())


def _in_need_with_start(now: datetime) -> tuple[Select[str], tuple[Any, Any]]:
    """When each of them was started is asked one by one: joined, PostgreSQL may read all rollouts for a few of them."""
    found = _in_need(now).subquery()
    started = select(Rollout.created_at).where(Rollout.id == found.c.id).scalar_subquery()
    return select(found.c.id).order_by(started.desc(), found.c.id.desc()), (started, found.c.id)


@prepared
def in_need(now: datetime) -> Select[str]:
    """The rollouts that need somebody, those that were started last first."""
    return _in_need_with_start(now)[0]


@prepared
def in_need_after(now: datetime, created_at: datetime, rollout_id: str) -> Select[str]:
    """Of `in_need`, those that come after this one."""
    query, place = _in_need_with_start(now)
    return query.where(tuple_(*place) < _place(created_at, rollout_id))


@prepared
def going_on(now: datetime) -> Select[str]:
    """The other rollouts that have not ended, those that were started last first."""
    return _newest_first(select(Rollout.id).where(Rollout.ended_at.is_(None), Rollout.id.not_in(_in_need(now))))


@prepared
def going_on_after(now: datetime, created_at: datetime, rollout_id: str) -> Select[str]:
    """Of `going_on`, those that come after this one."""
    return going_on(now).where(tuple_(Rollout.created_at, Rollout.id) < _place(created_at, rollout_id))


def ended() -> Select[str]:
    """The rollouts that have ended, those that ended last first."""
    return _newest_first(select(Rollout.id).where(Rollout.ended_at.is_not(None)))


@prepared
def ended_after(ended_at: datetime, created_at: datetime, rollout_id: str) -> Select[str]:
    """Of `ended`, those that come after this one."""
    place = tuple_(Rollout.ended_at, Rollout.created_at, Rollout.id)
    return ended().where(place < _place(ended_at, created_at, rollout_id))


@prepared
def board_counts(now: datetime, most: int) -> Select[int, int, int]:
    """How many rollouts need somebody, are under way at all, and have ended; none is counted beyond `most`."""
    living = select(Rollout.id).where(Rollout.ended_at.is_(None))
    over = select(Rollout.id).where(Rollout.ended_at.is_not(None))
    counts = (
        select(func.count()).select_from(found.limit(most).subquery()).scalar_subquery()
        for found in (_in_need(now), living, over)
    )
    return select(*counts)


@prepared
def marked_stages(rollout_ids: Collection[str]) -> Select[StageRow]:
    """The stages of these rollouts that are on hold or stalled, in the plan's order."""
    stalled = and_(StageRow.state == StageState.OPEN, StageRow.stalled_since.is_not(None))
    return (
        select(StageRow)
        .where(StageRow.rollout_id.in_(rollout_ids), StageRow.current, or_(stalled, StageRow.state == StageState.HELD))
        .order_by(StageRow.rollout_id, StageRow.position)
    )


@prepared
def gates_waited_at(rollout_ids: Collection[str]) -> Select[GateRow]:
    """The gates of these rollouts that are open, cannot be asked, or did not pass, in the plan's order."""
    of_interest = or_(GateRow.state == GateState.OPEN, GateRow.problem.is_not(None), GateRow.state.in_(REFUSED))
    return (
        select(GateRow)
        .join(StageRow, StageRow.id == GateRow.stage_id)
        .where(GateRow.rollout_id.in_(rollout_ids), GateRow.current, of_interest)
        .order_by(GateRow.rollout_id, StageRow.position, GateRow.position)
        .options(load_only(
            GateRow.rollout_id, GateRow.stage_id, GateRow.key, GateRow.kind, GateRow.state, GateRow.problem,
            GateRow.expires_at, GateRow.renewal_due_at, GateRow.overdue_at, GateRow.paused_at, GateRow.settled_at,
            GateRow.condition_id, GateRow.plan_version_id,
        ))
    )  # fmt: skip


@prepared
def first_asked_at(gate_ids: Collection[int], most: int) -> Select[int, str, str, int]:
    """The first `most` people whom each of these gates waits for: gate, person, on whose behalf, how many in all.

    While a gate's clock stands still, whoever is asked for changes is waited for, and nobody else.
    """
    paused, responds = GateRow.paused_at.is_not(None), Request.purpose == Purpose.RESPOND
    order = (Request.position, Request.id)
    asked = (
        select(
            Request.gate_id,
            Request.person,
            Request.on_behalf_of,
            func.count().over(partition_by=Request.gate_id).label("asked"),
            func.row_number().over(partition_by=Request.gate_id, order_by=order).label("place"),
        )
        .join(GateRow, GateRow.id == Request.gate_id)
        .where(Request.gate_id.in_(gate_ids), Request.state == RequestState.OPEN)
        .where(or_(and_(paused, responds), and_(~paused, ~responds)))
        .subquery()
    )
    columns = (asked.c.gate_id, asked.c.person, asked.c.on_behalf_of, asked.c.asked)
    return select(*columns).where(asked.c.place <= most).order_by(asked.c.gate_id, asked.c.place)


@prepared
def turns_waited_for(rollout_ids: Collection[str]) -> Select[StageRow, str]:
    """The stages of these rollouts that wait for their turn, each with the resource."""
    waits = (Claim.held_at.is_(None), Claim.released_at.is_(None))
    return (
        select(StageRow, Claim.resource)
        .join(Claim, Claim.stage_id == StageRow.id)
        .where(Claim.rollout_id.in_(rollout_ids), *waits)
        .order_by(Claim.id)
    )


@prepared
def promises(condition_ids: Collection[int]) -> Select[int, str]:
    """What these conditions promise, by their ids."""
    return select(Condition.id, Condition.what).where(Condition.id.in_(condition_ids))


def _place(*place: datetime | str) -> Any:
    """A place in an order: moments, and last the id."""
    *moments, rollout_id = place
    return tuple_(*(type_coerce(at, UtcDateTime()) for at in moments), type_coerce(rollout_id, String(16)))
