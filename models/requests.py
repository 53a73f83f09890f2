"""Who is asked at gates, by which link, and what they decided."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
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
    and_,
    literal_column,
    or_,
    select,
)
from sqlalchemy.orm import Mapped, mapped_column

from domain.states import DecisionKind, Outcome
from models.base import (
    Address,
    Base,
    Name,
    RequestId,
    RolloutId,
    state_column,
)
from models.gates import GateRow
from models.reading import prepared, rows_of
from models.rollouts import Rollout, locked_rollouts


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


class Request(Base):
    """One person asked for one thing at one gate in one round, for the roles or addresses in `asked_for`.

    `on_behalf_of` is whose voice they lend, "" for their own. A request that is asked again keeps its row.
    """

    __tablename__ = "requests"
    __table_args__ = (
        UniqueConstraint("gate_id", "person", "purpose", "on_behalf_of"),
        Index("ix_requests_person_state", "person", "state"),
        Index("ix_requests_rollout_id", "rollout_id"),
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


ASKED_IN_PLACE = Request.on_behalf_of != literal_column("''")
"""Written out: SQLite recognises what a partial index holds only in the same words."""
Index("ix_requests_in_place", Request.rollout_id, sqlite_where=ASKED_IN_PLACE, postgresql_where=ASKED_IN_PLACE)


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


IS_NEWEST_LINK = and_(Link.request_id == Request.id, Link.number == Request.link_number)


@rows_of(Request.gate_id)
@prepared
def requests_at(gate_id: int) -> Select[Request]:
    """Everybody who was ever asked at a gate, in the order of asking."""
    return select(Request).where(Request.gate_id == gate_id).order_by(Request.gate_id, Request.position)


@prepared
def requests_of(rollout_id: str) -> Select[Request]:
    """Everybody who was ever asked in a rollout."""
    return select(Request).where(Request.rollout_id == rollout_id).order_by(Request.gate_id, Request.position)


@prepared
def asked_of(person: str, rollout_id: str, gate_key: str) -> Select[Request]:
    """What somebody is or was asked at a gate in its newest round, newest first."""
    return (
        select(Request)
        .join(GateRow, GateRow.id == Request.gate_id)
        .where(Request.person == person, Request.rollout_id == rollout_id, GateRow.key == gate_key, GateRow.current)
        .order_by(Request.position.desc())
    )


@prepared
def rollouts_with_a_part_for(person: str, rollout_ids: Collection[str]) -> Select[str]:
    """Of these rollouts, those in which somebody was ever asked, or their voice was lent."""
    has_a_part = or_(Request.person == person, Request.on_behalf_of == person)
    return select(Request.rollout_id).where(Request.rollout_id.in_(rollout_ids), has_a_part).distinct()


@prepared
def open_requests_of(person: str) -> Select[Request]:
    """What somebody is asked now, in every rollout, oldest first."""
    return (
        select(Request)
        .where(Request.person == person, Request.state == RequestState.OPEN)
        .order_by(Request.created_at, Request.id)
    )


@prepared
def words_about(rollout_id: str, gate_key: str, shown_digest: str) -> Select[Decision]:
    """What was decided at a gate, in whichever round, about exactly what this digest stands for; newest first."""
    return (
        select(Decision)
        .join(GateRow, GateRow.id == Decision.gate_id)
        .where(GateRow.rollout_id == rollout_id, GateRow.key == gate_key, Decision.shown_digest == shown_digest)
        .order_by(Decision.id.desc())
    )


@rows_of(Decision.gate_id)
@prepared
def decisions_at(gate_id: int) -> Select[Decision]:
    """What was decided at a gate, in the order of deciding."""
    return select(Decision).where(Decision.gate_id == gate_id).order_by(Decision.id)


def decisions_at_any(gate_ids: Collection[int]) -> Select[Decision]:
    """What was decided at any of these gates."""
    return select(Decision).where(Decision.gate_id.in_(gate_ids))


def decisions_of(rollout_id: str) -> Select[Decision]:
    """What was decided in a rollout."""
    return select(Decision).where(Decision.rollout_id == rollout_id).order_by(Decision.id)


@prepared
def rollout_behind_link_locked(token_hash: str) -> Select[Rollout]:
    """The rollout that a link leads to, locked until the transaction ends; read all else behind the link only then."""
    asked = select(Request.rollout_id).join(Link, Link.request_id == Request.id).where(Link.token_hash == token_hash)
    return locked_rollouts().where(Rollout.id == asked.scalar_subquery())


@prepared
def links_of(request_id: str) -> Select[Link]:
    """The links of a request, oldest first."""
    return select(Link).where(Link.request_id == request_id).order_by(Link.number)


@prepared
def newest_link(request_id: str) -> Select[Link]:
    """The link of a request that was mailed last."""
    return select(Link).join(Request, IS_NEWEST_LINK).where(Request.id == request_id)
