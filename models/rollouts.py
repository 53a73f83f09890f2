"""Rollouts, the plan versions they keep, and their stages."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    ForeignKey,
    Index,
    Select,
    String,
    Text,
    UniqueConstraint,
    func,
    literal_column,
    select,
    tuple_,
    type_coerce,
)
from sqlalchemy.orm import Mapped, lazyload, mapped_column, relationship, undefer

from domain.plan import Plan
from domain.states import ENDED, RolloutState, StageState
from models.base import Address, Base, Name, RolloutId, UtcDateTime, state_column
from models.reading import prepared


class PlanVersion(Base):
    """A plan as it stood when a rollout was started with it, or went over to it; never changed afterwards."""

    __tablename__ = "plan_versions"
    __table_args__ = (UniqueConstraint("name", "digest"), UniqueConstraint("name", "version"))

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[Name]
    version: Mapped[int]
    digest: Mapped[str] = mapped_column(String(64))
    # Long, and read once per process: not with every rollout that is looked at.
    document: Mapped[dict[str, Any]] = mapped_column(deferred=True)
    source: Mapped[str] = mapped_column(Text, deferred=True)
    created_at: Mapped[datetime]

    @property
    def plan(self) -> Plan:
        """The plan itself."""
        return Plan.model_validate(self.document)


class Rollout(Base):
    """One execution of a plan. Its row is the lock that every change of the rollout takes first.

    `sequence` is the number of its last audit entry; `painted` the one Prefect's page shows. `wake_at` is set while
    there is something only a flow run can do, and cleared by the flow run that has done it.
    """

    __tablename__ = "rollouts"

    id: Mapped[RolloutId] = mapped_column(primary_key=True)
    plan_version_id: Mapped[int] = mapped_column(ForeignKey(PlanVersion.id))
    title: Mapped[str] = mapped_column(String(200))
    state: Mapped[RolloutState] = mapped_column(state_column(RolloutState))
    requester: Mapped[Address]
    owner: Mapped[Address]
    language: Mapped[str] = mapped_column(String(2))
    start_on: Mapped[date | None]
    people: Mapped[dict[str, Any]] = mapped_column(JSON)
    inputs: Mapped[dict[str, Any]] = mapped_column(JSON)
    flow_run_id: Mapped[str | None] = mapped_column(String(36), unique=True)
    wake_at: Mapped[datetime | None]
    sequence: Mapped[int] = mapped_column(default=0)
    painted: Mapped[int] = mapped_column(default=0)
    head_hash: Mapped[str] = mapped_column(String(64), default="")
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_because: Mapped[str | None] = mapped_column(Text)

    plan_version: Mapped[PlanVersion] = relationship(lazy="joined", innerjoin=True)


Index("ix_rollouts_state", Rollout.state)
Index("ix_rollouts_created_at_id", Rollout.created_at, Rollout.id)
Index("ix_rollouts_ended_at_created_at_id", Rollout.ended_at, Rollout.created_at, Rollout.id)
Index("ix_rollouts_plan_version_id_state", Rollout.plan_version_id, Rollout.state)
Index("ix_rollouts_unpainted", Rollout.id, sqlite_where=Rollout.painted < Rollout.sequence,
      postgresql_where=Rollout.painted < Rollout.sequence)  # fmt: skip
Index("ix_rollouts_wake_at", Rollout.wake_at, sqlite_where=Rollout.wake_at.is_not(None),
      postgresql_where=Rollout.wake_at.is_not(None))  # fmt: skip


class StageRow(Base):
    """A stage of a rollout in one round. `current` is false once a newer round has taken its place.

    `stalled_at` is counted from `clock_from`, by the calendar with the digest `calendar`, as with gates.
    `plan_version_id` is set when the rollout goes over to a newer version of its plan: what was over by then keeps the
    version it was asked under. None: the rollout's own.
    """

    __tablename__ = "stages"
    __table_args__ = (
        UniqueConstraint("rollout_id", "key", "round"),
        Index("ix_stages_stalled_at", "state", "stalled_at"),
        Index("ix_stages_state_calendar", "state", "calendar"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    rollout_id: Mapped[RolloutId] = mapped_column(ForeignKey(Rollout.id))
    key: Mapped[Name]
    position: Mapped[int]
    round: Mapped[int] = mapped_column(default=1)
    current: Mapped[bool] = mapped_column(default=True)
    state: Mapped[StageState] = mapped_column(state_column(StageState), default=StageState.WAITING)
    opened_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    stalled_at: Mapped[datetime | None]  # when it will count as stalled; cleared once its owner was told
    clock_from: Mapped[datetime | None]
    calendar: Mapped[str | None] = mapped_column(String(64))
    stalled_since: Mapped[datetime | None]  # it counts as stalled since then
    plan_version_id: Mapped[int | None] = mapped_column(ForeignKey(PlanVersion.id))


Index("ix_stages_stalled_since", StageRow.stalled_since, sqlite_where=StageRow.stalled_since.is_not(None),
      postgresql_where=StageRow.stalled_since.is_not(None))  # fmt: skip
_NOT_OPEN = frozenset(StageState) - {StageState.OPEN}
"""Said as what a stage is not, so that SQLite goes by the few rows that a partial index has, not by all that wait."""
_HAS_A_PAGE = Rollout.flow_run_id != literal_column("''")
"""Said like this, SQLite does not go through the flow runs of all rollouts instead of the few that are not painted."""


def plan_version_with(name: str, digest: str) -> Select[PlanVersion]:
    """The stored version of a plan with exactly this content."""
    return select(PlanVersion).where(PlanVersion.name == name, PlanVersion.digest == digest)


@prepared
def plan_versions(ids: Collection[int]) -> Select[PlanVersion]:
    """Plan versions by their ids, without the plans themselves."""
    return select(PlanVersion).where(PlanVersion.id.in_(ids))


@prepared
def plan_versions_in_full(ids: Collection[int]) -> Select[PlanVersion]:
    """Plan versions by their ids, with the plans themselves."""
    return plan_versions(ids).options(undefer(PlanVersion.document))


def plan_versions_of(name: str) -> Select[PlanVersion]:
    """Every stored version of a plan, newest first."""
    return select(PlanVersion).where(PlanVersion.name == name).order_by(PlanVersion.version.desc())


@prepared
def rollout_locked(rollout_id: str) -> Select[Rollout]:
    """One rollout, locked until the transaction ends (SQLite: the write transaction itself is the lock)."""
    return locked_rollouts().where(Rollout.id == rollout_id)


def locked_rollouts() -> Select[Rollout]:
    """Rollouts to be locked, without what they are joined with elsewhere.

    PostgreSQL, once it has waited for a lock, looks at the row again as it is by then, but at joined rows as they were:
    a rollout that has gone over to another version of its plan meanwhile would not be found.
    (https://www.postgresql.org/docs/current/transaction-iso.html, Read Committed)
    """
    return select(Rollout).options(lazyload(Rollout.plan_version)).with_for_update(of=Rollout)


@prepared
def rollout_of_flow_run(flow_run_id: str) -> Select[Rollout]:
    """The rollout that this Prefect flow run executes."""
    return select(Rollout).where(Rollout.flow_run_id == flow_run_id)


def rollouts_newest_first() -> Select[Rollout]:
    """Every rollout."""
    return select(Rollout).order_by(Rollout.created_at.desc(), Rollout.id.desc())


@prepared
def rollouts_called(ids: Collection[str]) -> Select[Rollout]:
    """The rollouts with these ids."""
    return select(Rollout).where(Rollout.id.in_(ids))


@prepared
def rollouts_older_than(created_at: datetime, rollout_id: str) -> Select[Rollout]:
    """The rollouts that come after this one in the order of `rollouts_newest_first`."""
    that_one = tuple_(type_coerce(created_at, UtcDateTime()), type_coerce(rollout_id, String(16)))
    return rollouts_newest_first().where(tuple_(Rollout.created_at, Rollout.id) < that_one)


@prepared
def flow_runs_of_the_living(after: str) -> Select[str, str | None]:
    """The rollouts that may still change and have a flow run, with that, in the order of their ids, after this one."""
    living = (Rollout.id > after, Rollout.state.not_in(ENDED), _HAS_A_PAGE)
    return select(Rollout.id, Rollout.flow_run_id).where(*living).order_by(Rollout.id)


def living_since() -> Select[datetime | None]:
    """Since when there has been a rollout that has not ended: when the oldest of them was started."""
    return select(func.min(Rollout.created_at)).where(Rollout.state.not_in(ENDED))


def living_owners() -> Select[str]:
    """Who owns a rollout that has not ended, each once."""
    return select(Rollout.owner).where(Rollout.state.not_in(ENDED)).distinct().order_by(Rollout.owner)


def rollout_counts() -> Select[str, int]:
    """How many rollouts are in each state."""
    return select(Rollout.state, func.count()).group_by(Rollout.state)


def count_of_stalled_stages() -> Select[int]:
    """How many stages count as stalled now."""
    return select(func.count()).where(StageRow.state.not_in(_NOT_OPEN), StageRow.stalled_since.is_not(None))


@prepared
def rollouts_due_to_start(today: date) -> Select[str]:
    """The rollouts whose start date has come, reckoned in the far east; advancing looks again by their own zone."""
    return select(Rollout.id).where(Rollout.state == RolloutState.WAITING, Rollout.start_on <= today)


@prepared
def rollouts_unpainted() -> Select[Rollout]:
    """The rollouts that have changed since Prefect's page was last painted, and have a page."""
    return select(Rollout).where(Rollout.painted < Rollout.sequence, _HAS_A_PAGE)


@prepared
def rollouts_to_wake() -> Select[Rollout]:
    """The rollouts that wait for their flow run to do something."""
    return select(Rollout).where(Rollout.wake_at.is_not(None), Rollout.flow_run_id.is_not(None))


@prepared
def rollouts_without_flow_run() -> Select[Rollout]:
    """The running rollouts that Prefect does not show yet: started by command, or their flow run was deleted."""
    return select(Rollout).where(Rollout.flow_run_id.is_(None), Rollout.state.not_in(ENDED)).order_by(Rollout.id)


@prepared
def current_stages(rollout_id: str) -> Select[StageRow]:
    """The stages of a rollout in their newest round, in the plan's order."""
    return select(StageRow).where(StageRow.rollout_id == rollout_id, StageRow.current).order_by(StageRow.position)


@prepared
def all_stages(rollout_id: str) -> Select[StageRow]:
    """The stages of a rollout in every round."""
    return select(StageRow).where(StageRow.rollout_id == rollout_id).order_by(StageRow.position, StageRow.round)


def newest_round_of_stage(rollout_id: str, key: str) -> Select[int | None]:
    """The number of a stage's newest round, also when no version of the plan has it any more."""
    return select(func.max(StageRow.round)).where(StageRow.rollout_id == rollout_id, StageRow.key == key)


@prepared
def stages_stalled(now: datetime) -> Select[str, int]:
    """The open stages that have been open for longer than their plan says: the rollout's id and the stage's."""
    return select(StageRow.rollout_id, StageRow.id).where(StageRow.state == StageState.OPEN, StageRow.stalled_at <= now)


@prepared
def stages_that_stall(rollout_ids: Collection[str]) -> Select[StageRow]:
    """The open stages of these rollouts that count as stalled, in the plan's order."""
    stalls = (StageRow.state.not_in(_NOT_OPEN), StageRow.stalled_since.is_not(None))
    return (
        select(StageRow)
        .where(StageRow.rollout_id.in_(rollout_ids), *stalls)
        .order_by(StageRow.rollout_id, StageRow.position)
    )
