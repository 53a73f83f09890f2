"""Gates, and what is due at them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    ForeignKey,
    Index,
    Select,
    String,
    Text,
    UniqueConstraint,
    and_,
    false,
    func,
    or_,
    select,
    union,
)
from sqlalchemy.orm import Mapped, mapped_column

from domain.run import LONGEST_NAME, UNDER_WAY, RunState
from domain.states import ENDED, LETS_PASS, GateState, Outcome
from models.base import (
    Address,
    Base,
    Name,
    RolloutId,
    state_column,
)
from models.reading import prepared
from models.rollouts import PlanVersion, Rollout, StageRow


class GateRow(Base):
    """A gate of a rollout in one round.

    `requirements` and `stand_ins` are the quorum as it was resolved when the gate opened (domain/quorum.py), and
    `approvers` who is asked for it, in order: [person, [roles or addresses]]. `named` are those whom somebody has put
    there beside the plan: {person: {instead_of, reason}}, with instead_of "" for one who was added. Only values after
    the measurement `measured_after` count; 0 is all of them.
    `problem` says why it cannot be asked yet. `settled_because` is a Reason: {text, facts}.
    `calendar` is the digest of the calendar that its times were reckoned by; when that changes, they are reckoned anew.
    Escalations and expiry are counted from `clock_from`, without the `pauses` that are over: [[began, ended]].
    `paused_at` is set while the owner is asked for changes: `remind_at` is then the owner's, and `paused_with` is the
    digest of what the rollout was about when the clock stopped (models/evidence.py). `changed` is what those
    asked are shown of the owner's last answer: {by, at, reply, asked: [[person, comment, at]], changes: [[input or
    "attachments", before, after]]}. `pinned` is what a gate has passed for, as with decisions.
    `look_at` is when an automatic gate is looked at again, and `last_look` what the last look found that settled
    nothing: a Reason. A gate that is a `renewal` asks again what has passed before, and does not undo it;
    `renewal_due_at` is by when an answer is wanted, and `overdue_at` is set once there was none. `waived_by` let it
    pass without its quorum.
    """

    __tablename__ = "gates"
    __table_args__ = (
        UniqueConstraint("rollout_id", "key", "round"),
        Index("ix_gates_remind_at", "state", "remind_at"),
        Index("ix_gates_look_at", "state", "look_at"),
        Index("ix_gates_renew_at", "state", "renew_at"),
        Index("ix_gates_escalate_at", "state", "escalate_at"),
        Index("ix_gates_expires_at", "state", "expires_at"),
        Index("ix_gates_stage_id", "stage_id"),
        Index("ix_gates_kind_started_run_state", "kind", "started_run_state"),
        Index("ix_gates_state_calendar", "state", "calendar"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    rollout_id: Mapped[RolloutId] = mapped_column(ForeignKey(Rollout.id))
    stage_id: Mapped[int] = mapped_column(ForeignKey(StageRow.id))
    key: Mapped[Name]
    kind: Mapped[Name]
    position: Mapped[int]
    round: Mapped[int] = mapped_column(default=1)
    current: Mapped[bool] = mapped_column(default=True)
    state: Mapped[GateState] = mapped_column(state_column(GateState), default=GateState.WAITING)
    outcome: Mapped[Outcome | None] = mapped_column(state_column(Outcome))
    opened_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]
    settled_because: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    waived_by: Mapped[Address | None]
    problem: Mapped[str | None] = mapped_column(Text)
    requirements: Mapped[list[Any]] = mapped_column(JSON, default=list)
    stand_ins: Mapped[list[Any]] = mapped_column(JSON, default=list)
    approvers: Mapped[list[Any]] = mapped_column(JSON, default=list)
    named: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict, server_default="{}")
    answers: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    answered_by: Mapped[Address | None]
    answered_at: Mapped[datetime | None]
    measured_after: Mapped[int] = mapped_column(default=0)
    remind_at: Mapped[datetime | None]
    escalate_at: Mapped[datetime | None]
    escalation_level: Mapped[int] = mapped_column(default=0)
    expires_at: Mapped[datetime | None]
    clock_from: Mapped[datetime | None]
    calendar: Mapped[str | None] = mapped_column(String(64))
    paused_at: Mapped[datetime | None]
    paused_with: Mapped[str | None] = mapped_column(String(64))
    pauses: Mapped[list[Any]] = mapped_column(JSON, default=list, server_default="[]")
    changed: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    look_at: Mapped[datetime | None]
    failed_looks: Mapped[int] = mapped_column(default=0, server_default="0")  # in a row, without an answer
    last_look: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    started_run: Mapped[str | None] = mapped_column(String(36))  # a run gate's flow run
    started_run_name: Mapped[str | None] = mapped_column(String(LONGEST_NAME))
    started_run_state: Mapped[RunState | None] = mapped_column(state_column(RunState))
    renewal: Mapped[bool] = mapped_column(default=False, server_default=false())
    renew_at: Mapped[datetime | None]  # of a gate that has passed: when it is asked again
    renewal_due_at: Mapped[datetime | None]
    overdue_at: Mapped[datetime | None]
    pinned: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    condition_id: Mapped[int | None]  # the condition this gate came from (models/conditions.py)
    plan_version_id: Mapped[int | None] = mapped_column(ForeignKey(PlanVersion.id))  # as of stages

    @property
    def due_at(self) -> datetime | None:
        """By when an answer is wanted: the expiry, or the deadline of a renewal."""
        return self.expires_at or self.renewal_due_at

    def is_overdue(self, now: datetime) -> bool:
        """Whether an answer was wanted by now: past its expiry, or a renewal marked as overdue."""
        return (self.expires_at is not None and self.expires_at <= now) or self.overdue_at is not None


Index("ix_gates_renewal_due_at", GateRow.renewal_due_at, sqlite_where=GateRow.renewal_due_at.is_not(None),
      postgresql_where=GateRow.renewal_due_at.is_not(None))  # fmt: skip
Index("ix_gates_overdue_at", GateRow.overdue_at, sqlite_where=GateRow.overdue_at.is_not(None),
      postgresql_where=GateRow.overdue_at.is_not(None))  # fmt: skip
Index("ix_gates_problem", GateRow.rollout_id, sqlite_where=GateRow.problem.is_not(None),
      postgresql_where=GateRow.problem.is_not(None))  # fmt: skip


_NOT_OPEN = frozenset(GateState) - {GateState.OPEN}
_SETTLED = _NOT_OPEN - {GateState.WAITING}
"""Said as what a gate is not, so that SQLite goes by the few rows that a partial index has, not by all that wait."""


@prepared
def current_gates(rollout_id: str) -> Select[GateRow]:
    """The gates of a rollout in their newest round, in the plan's order."""
    return (
        select(GateRow)
        .join(StageRow, StageRow.id == GateRow.stage_id)
        .where(GateRow.rollout_id == rollout_id, GateRow.current)
        .order_by(StageRow.position, GateRow.position)
    )


@prepared
def stages_with_gates(rollout_id: str) -> Select[StageRow, GateRow | None]:
    """What `current_stages` and `current_gates` find of a rollout, each stage with its gates."""
    its_gate = and_(GateRow.stage_id == StageRow.id, GateRow.current)
    return (
        select(StageRow, GateRow)
        .outerjoin(GateRow, its_gate)
        .where(StageRow.rollout_id == rollout_id, or_(StageRow.current, GateRow.id.is_not(None)))
        .order_by(StageRow.position, GateRow.position)
    )


@prepared
def all_gates(rollout_id: str) -> Select[GateRow]:
    """The gates of a rollout in every round."""
    return select(GateRow).where(GateRow.rollout_id == rollout_id).order_by(GateRow.id)


@prepared
def answered_in_earlier_rounds(rollout_id: str) -> Select[GateRow]:
    """The gates that were asked again later, with what was filled in there, oldest first."""
    earlier = GateRow.rollout_id == rollout_id, ~GateRow.current, GateRow.answers.is_not(None)
    return select(GateRow).where(*earlier).order_by(GateRow.id)


@prepared
def gate_in_round(rollout_id: str, key: str, number: int) -> Select[GateRow]:
    """One gate of a rollout in one round."""
    return select(GateRow).where(GateRow.rollout_id == rollout_id, GateRow.key == key, GateRow.round == number)


def newest_round_of_gate(rollout_id: str, key: str) -> Select[int | None]:
    """The number of a gate's newest round, also when no version of the plan has it any more."""
    return select(func.max(GateRow.round)).where(GateRow.rollout_id == rollout_id, GateRow.key == key)


@prepared
def gates_due(now: datetime, believed: datetime) -> Select[GateRow]:
    """The open gates with a reminder or an escalation that is due now, or an expiry that is over beyond doubt."""
    each = (GateRow.remind_at <= now, GateRow.escalate_at <= now, GateRow.expires_at <= believed)
    due = union(*(select(GateRow.id).where(GateRow.state == GateState.OPEN, one) for one in each))  # an index for each
    return select(GateRow).where(GateRow.id.in_(due)).order_by(GateRow.id)


@prepared
def gates_with_stages(gate_ids: Collection[int]) -> Select[GateRow, StageRow]:
    """These gates, each with its stage."""
    return (
        select(GateRow, StageRow)
        .join(StageRow, StageRow.id == GateRow.stage_id)
        .where(GateRow.id.in_(gate_ids))
        .order_by(GateRow.id)
    )


def count_of_open_gates() -> Select[int]:
    """How many gates are open."""
    return select(func.count()).where(GateRow.state == GateState.OPEN)


def count_of_overdue_gates(now: datetime) -> Select[int]:
    """How many open gates were to be answered by now: past their expiry, or renewals marked as overdue."""
    expired = select(func.count()).where(GateRow.state == GateState.OPEN, GateRow.expires_at <= now)
    others = or_(GateRow.expires_at.is_(None), GateRow.expires_at > now)
    renewals = select(func.count()).where(GateRow.overdue_at.is_not(None), GateRow.state.not_in(_NOT_OPEN), others)
    return select(expired.scalar_subquery() + renewals.scalar_subquery())


def ids_of(gates: Select[GateRow]) -> Select[str, int]:
    """Of such gates only the ids, each with its rollout's: found by the thousand, each is read again under its lock."""
    return gates.with_only_columns(GateRow.rollout_id, GateRow.id)


@prepared
def gates_to_look_at(now: datetime, kinds: Collection[str]) -> Select[GateRow]:
    """The open automatic gates of these kinds whose time to be looked at has come."""
    return (
        select(GateRow)
        .where(GateRow.state == GateState.OPEN, GateRow.current, GateRow.look_at <= now, GateRow.kind.in_(kinds))
        .order_by(GateRow.look_at, GateRow.id)
    )


@prepared
def next_look_at(kinds: Collection[str]) -> Select[datetime | None]:
    """When the next open gate of these kinds is to be looked at."""
    return (
        select(GateRow.look_at)
        .where(GateRow.state == GateState.OPEN, GateRow.current, GateRow.look_at.is_not(None), GateRow.kind.in_(kinds))
        .order_by(GateRow.look_at)
        .limit(1)
    )


@prepared
def run_gates_to_follow() -> Select[GateRow]:
    """The gates of the kind run that have opened, and whose flow run was not started yet or has not ended."""
    unfinished = or_(GateRow.started_run_state.is_(None), GateRow.started_run_state.in_(UNDER_WAY))
    return (
        select(GateRow)
        .where(GateRow.kind == "run", GateRow.state != GateState.WAITING, GateRow.opened_at.is_not(None), unfinished)
        .order_by(GateRow.id)
    )


@prepared
def gates_to_renew(now: datetime) -> Select[GateRow]:
    """The gates that have passed and are to be asked again, in rollouts that still run."""
    return (
        select(GateRow)
        .join(Rollout, Rollout.id == GateRow.rollout_id)
        .where(
            GateRow.state.in_(LETS_PASS),
            GateRow.renew_at <= now,
            GateRow.current,
            Rollout.state.not_in(ENDED),
        )
        .order_by(GateRow.id)
    )


@prepared
def renewals_overdue(believed: datetime) -> Select[GateRow]:
    """The renewals whose time to answer is over beyond doubt, and that are not marked as overdue yet."""
    due = select(GateRow.id).where(GateRow.renewal_due_at <= believed, GateRow.overdue_at.is_(None))
    return (
        select(GateRow)
        .where(
            GateRow.id.in_(due),
            GateRow.state.not_in(_SETTLED),
            GateRow.renewal,
            GateRow.paused_at.is_(None),
        )
        .order_by(GateRow.id)
    )


@prepared
def rollouts_with_unaskable_gates() -> Select[str]:
    """The rollouts with a gate that nobody could be asked at."""
    return select(GateRow.rollout_id).where(GateRow.problem.is_not(None), GateRow.current).distinct()
