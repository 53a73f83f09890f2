"""Gates, who is asked at them, by which link, and what they decided."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    ForeignKey,
    Index,
    Select,
    String,
    Text,
    UniqueConstraint,
    false,
    func,
    or_,
    select,
)
from sqlalchemy.orm import Mapped, mapped_column

from domain.run import LONGEST_NAME, UNDER_WAY, RunState
from domain.states import ENDED, LETS_PASS, DecisionKind, GateState, Outcome
from models.base import (
    Address,
    Base,
    ExactDecimal,
    Name,
    RequestId,
    RolloutId,
    state_column,
)
from models.rollouts import PlanVersion, Rollout, StageRow


class Purpose(StrEnum):
    """What a request asks for."""

    DECIDE = "decide"
    ANSWER = "answer"  # fill in a checklist
    CONFIRM = "confirm"  # have read a text
    MEASURE = "measure"  # bring a value; told by mail, given by `etappe measure`
    RESPOND = "respond"  # answer a request for changes, and change what is asked about


class RequestState(StrEnum):
    """Where a request stands."""

    OPEN = "open"
    DONE = "done"  # the person has had their say
    VOID = "void"  # no longer asked: see VoidReason


class VoidReason(StrEnum):
    """Why a request or a link no longer counts."""

    SETTLED = "settled"  # others have decided meanwhile
    EXPIRED = "expired"  # time was up
    REPLACED = "replaced"  # somebody else is asked instead
    CANCELLED = "cancelled"  # the rollout was called off
    WITHDRAWN = "withdrawn"  # the question went away: back to an earlier stage, or the rollout ended
    RENEWED = "renewed"  # a newer link took its place, after too many wrong codes
    LAPSED = "lapsed"  # a newer link took its place, because what the answer was given for has changed
    REASSIGNED = "reassigned"  # the stage's owner asks somebody else in their place
    SPOKEN_FOR = "spoken-for"  # delegate and delegator are one voice, and the other one has spoken
    DELEGATION_OVER = "delegation-over"  # the delegation has ended, or was taken back
    SEPARATED = "separated"  # separation of duties: they have spoken at a gate that other people must decide
    NOT_NEEDED = "not-needed"  # their voice is no longer called for, such as when a budget fell below a band
    WAIVED = "waived"  # an authorised person let the gate pass
    SILENT = "silent"  # nobody objected in time, and the plan takes that as consent


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


Index("ix_gates_renewal_due_at", GateRow.renewal_due_at, sqlite_where=GateRow.renewal_due_at.is_not(None),
      postgresql_where=GateRow.renewal_due_at.is_not(None))  # fmt: skip
Index("ix_gates_problem", GateRow.rollout_id, sqlite_where=GateRow.problem.is_not(None),
      postgresql_where=GateRow.problem.is_not(None))  # fmt: skip


class Request(Base):
    """One person asked for one thing at one gate in one round, for the roles or addresses in `asked_for`.

    `on_behalf_of` is whose voice they lend, "" for their own. A request that is asked again keeps its row.
    """

    __tablename__ = "requests"
    __table_args__ = (
        UniqueConstraint("gate_id", "person", "purpose", "on_behalf_of"),
        Index("ix_requests_person_state", "person", "state"),
    )

    id: Mapped[RequestId] = mapped_column(primary_key=True)
    rollout_id: Mapped[RolloutId] = mapped_column(ForeignKey(Rollout.id))
    gate_id: Mapped[int] = mapped_column(ForeignKey(GateRow.id))
    person: Mapped[Address]
    purpose: Mapped[Purpose] = mapped_column(state_column(Purpose))
    on_behalf_of: Mapped[Address] = mapped_column(default="", server_default="")
    asked_for: Mapped[list[Any]] = mapped_column(JSON, default=list)
    escalation_level: Mapped[int] = mapped_column(default=0)  # 0: named by the plan from the start
    state: Mapped[RequestState] = mapped_column(state_column(RequestState), default=RequestState.OPEN)
    position: Mapped[int] = mapped_column(default=0)  # in the order of asking
    link_number: Mapped[int] = mapped_column(default=1)
    wrong_codes: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    void_reason: Mapped[VoidReason | None] = mapped_column(state_column(VoidReason))

    @property
    def voice(self) -> str:
        """Whose voice it is that this request asks for."""
        return self.on_behalf_of or self.person


class Link(Base):
    """A link that was mailed, known by its hash alone."""

    __tablename__ = "links"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    request_id: Mapped[RequestId] = mapped_column(ForeignKey(Request.id), index=True)
    number: Mapped[int]
    key_id: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[datetime]
    voided_at: Mapped[datetime | None]
    void_reason: Mapped[VoidReason | None] = mapped_column(state_column(VoidReason))


class Decision(Base):
    """One person's word at one gate. Append-only, by trigger; of one voice's words at a gate, the last one counts.

    `pinned` is what it was given for: the digest of each thing it is pinned to (models/evidence.py keeps the content).
    """

    __tablename__ = "decisions"
    __table_args__ = (Index("ix_decisions_gate_id", "gate_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    rollout_id: Mapped[RolloutId] = mapped_column(ForeignKey(Rollout.id))
    gate_id: Mapped[int] = mapped_column(ForeignKey(GateRow.id))
    request_id: Mapped[RequestId] = mapped_column(ForeignKey(Request.id))
    person: Mapped[Address]
    on_behalf_of: Mapped[Address | None]
    decision: Mapped[DecisionKind] = mapped_column(state_column(DecisionKind))
    choice: Mapped[Outcome | None] = mapped_column(state_column(Outcome))  # reviews: what a rejection should come to
    comment: Mapped[str] = mapped_column(Text, default="")
    conditions: Mapped[str] = mapped_column(Text, default="")
    lessons: Mapped[str] = mapped_column(Text, default="")
    channel: Mapped[Name]
    assurance: Mapped[Name]
    shown_digest: Mapped[str] = mapped_column(String(64))
    pinned: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict, server_default="{}")
    decided_at: Mapped[datetime]

    @property
    def voice(self) -> str:
        """Whose voice it is; one voice counts once, whoever lends it."""
        return self.on_behalf_of or self.person


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


def current_gates(rollout_id: str) -> Select[GateRow]:
    """The gates of a rollout in their newest round, in the plan's order."""
    return (
        select(GateRow)
        .join(StageRow, StageRow.id == GateRow.stage_id)
        .where(GateRow.rollout_id == rollout_id, GateRow.current)
        .order_by(StageRow.position, GateRow.position)
    )


def all_gates(rollout_id: str) -> Select[GateRow]:
    """The gates of a rollout in every round."""
    return select(GateRow).where(GateRow.rollout_id == rollout_id).order_by(GateRow.id)


def gate_in_round(rollout_id: str, key: str, number: int) -> Select[GateRow]:
    """One gate of a rollout in one round."""
    return select(GateRow).where(GateRow.rollout_id == rollout_id, GateRow.key == key, GateRow.round == number)


def newest_round_of_gate(rollout_id: str, key: str) -> Select[int | None]:
    """The number of a gate's newest round, also when no version of the plan has it any more."""
    return select(func.max(GateRow.round)).where(GateRow.rollout_id == rollout_id, GateRow.key == key)


def requests_at(gate_id: int) -> Select[Request]:
    """Everybody who was ever asked at a gate, in the order of asking."""
    return select(Request).where(Request.gate_id == gate_id).order_by(Request.gate_id, Request.position)


def requests_of(rollout_id: str) -> Select[Request]:
    """Everybody who was ever asked in a rollout."""
    return select(Request).where(Request.rollout_id == rollout_id).order_by(Request.gate_id, Request.position)


def asked_of(person: str, rollout_id: str, gate_key: str) -> Select[Request]:
    """What somebody is or was asked at a gate in its newest round, newest first."""
    return (
        select(Request)
        .join(GateRow, GateRow.id == Request.gate_id)
        .where(Request.person == person, Request.rollout_id == rollout_id, GateRow.key == gate_key, GateRow.current)
        .order_by(Request.position.desc())
    )


def rollouts_with_a_part_for(person: str, rollout_id: str | None = None) -> Select[str]:
    """The rollouts in which somebody was ever asked, or their voice was lent; of them, only this one if it is given."""
    found = select(Request.rollout_id).where(or_(Request.person == person, Request.on_behalf_of == person)).distinct()
    if rollout_id is None:
        return found
    gates = select(GateRow.id).where(GateRow.rollout_id == rollout_id)  # they have an index by rollout; requests do not
    return found.where(Request.gate_id.in_(gates))


def open_requests_of(person: str) -> Select[Request]:
    """What somebody is asked now, in every rollout, oldest first."""
    return (
        select(Request)
        .where(Request.person == person, Request.state == RequestState.OPEN)
        .order_by(Request.created_at, Request.id)
    )


def words_about(rollout_id: str, gate_key: str, shown_digest: str) -> Select[Decision]:
    """What was decided at a gate, in whichever round, about exactly what this digest stands for; newest first."""
    return (
        select(Decision)
        .join(GateRow, GateRow.id == Decision.gate_id)
        .where(GateRow.rollout_id == rollout_id, GateRow.key == gate_key, Decision.shown_digest == shown_digest)
        .order_by(Decision.id.desc())
    )


def decisions_at(gate_id: int) -> Select[Decision]:
    """What was decided at a gate, in the order of deciding."""
    return select(Decision).where(Decision.gate_id == gate_id).order_by(Decision.id)


def decisions_of(rollout_id: str) -> Select[Decision]:
    """What was decided in a rollout."""
    return select(Decision).where(Decision.rollout_id == rollout_id).order_by(Decision.id)


def links_of(request_id: str) -> Select[Link]:
    """The links of a request, oldest first."""
    return select(Link).where(Link.request_id == request_id).order_by(Link.number)


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


def gates_due(now: datetime, believed: datetime) -> Select[GateRow]:
    """The open gates with a reminder or an escalation that is due now, or an expiry that is over beyond doubt."""
    due = or_(GateRow.remind_at <= now, GateRow.escalate_at <= now, GateRow.expires_at <= believed)
    return select(GateRow).where(GateRow.state == GateState.OPEN, due).order_by(GateRow.id)


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
    late = or_(GateRow.expires_at <= now, GateRow.overdue_at.is_not(None))
    return select(func.count()).where(GateRow.state == GateState.OPEN, late)


def ids_of(gates: Select[GateRow]) -> Select[str, int]:
    """Of such gates only the ids, each with its rollout's: found by the thousand, each is read again under its lock."""
    return gates.with_only_columns(GateRow.rollout_id, GateRow.id)


def gates_to_look_at(now: datetime, kinds: Collection[str]) -> Select[GateRow]:
    """The open automatic gates of these kinds whose time to be looked at has come."""
    return (
        select(GateRow)
        .where(GateRow.state == GateState.OPEN, GateRow.current, GateRow.look_at <= now, GateRow.kind.in_(kinds))
        .order_by(GateRow.look_at, GateRow.id)
    )


def run_gates_to_follow() -> Select[GateRow]:
    """The gates of the kind run that have opened, and whose flow run was not started yet or has not ended."""
    unfinished = or_(GateRow.started_run_state.is_(None), GateRow.started_run_state.in_(UNDER_WAY))
    return (
        select(GateRow)
        .where(GateRow.kind == "run", GateRow.state != GateState.WAITING, GateRow.opened_at.is_not(None), unfinished)
        .order_by(GateRow.id)
    )


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


def renewals_overdue(believed: datetime) -> Select[GateRow]:
    """The renewals whose time to answer is over beyond doubt, and that are not marked as overdue yet."""
    return (
        select(GateRow)
        .where(
            GateRow.state.in_((GateState.WAITING, GateState.OPEN)),
            GateRow.renewal,
            GateRow.renewal_due_at <= believed,
            GateRow.overdue_at.is_(None),
            GateRow.paused_at.is_(None),
        )
        .order_by(GateRow.id)
    )


def rollouts_with_unaskable_gates() -> Select[str]:
    """The rollouts with a gate that nobody could be asked at."""
    return select(GateRow.rollout_id).where(GateRow.problem.is_not(None), GateRow.current).distinct()
