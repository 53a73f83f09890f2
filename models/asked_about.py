"""Requests with all that they are about: found by one statement, since each that is spared saves more than it adds."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import ColumnElement, Select, literal_column, select
from sqlalchemy.orm import aliased

from models.gates import GateRow
from models.people import Person
from models.reading import prepared
from models.record import IS_CHASING, AuditEntry
from models.requests import IS_NEWEST_LINK, Decision, Link, Request
from models.rollouts import Rollout, StageRow

_OTHER = aliased(Request)
_AT_THE_GATE = _OTHER.gate_id == Request.gate_id
_OF_THE_GATE = (AuditEntry.rollout_id == GateRow.rollout_id, AuditEntry.gate == GateRow.key,
                AuditEntry.round == GateRow.round)  # fmt: skip


def _is_there(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether there is such a row: the first, as for an EXISTS among columns PostgreSQL may read a whole table."""
    return select(literal_column("1")).where(*conditions).limit(1).scalar_subquery().is_not(None)


@prepared
def behind_link(token_hash: str) -> Select[Link, Request, GateRow, Rollout, bool, bool, bool]:
    """A link with what it asks, and where; whether anybody else was ever asked there, has decided, or was chased."""
    return (
        select(
            Link,
            Request,
            GateRow,
            Rollout,
            _is_there(_AT_THE_GATE, _OTHER.id != Request.id),
            _is_there(Decision.gate_id == Request.gate_id),
            _is_there(*_OF_THE_GATE, IS_CHASING),
        )
        .join(Request, Request.id == Link.request_id)
        .join(GateRow, GateRow.id == Request.gate_id)
        .join(Rollout, Rollout.id == Request.rollout_id)
        .where(Link.token_hash == token_hash)
    )


ASKED, REQUESTER, OWNER = aliased(Person), aliased(Person), aliased(Person)


@prepared
def asked_about(
    request_ids: Collection[str],
) -> Select[Request, GateRow, StageRow, Rollout, Link | None, Person | None, Person | None, Person | None, bool]:
    """Requests with what they ask about, and their newest links; who is asked, has requested the rollout, and owns it.

    None for whoever is not in the directory. At last, whether anybody was ever asked there but by these requests.
    """
    return (
        select(
            Request,
            GateRow,
            StageRow,
            Rollout,
            Link,
            ASKED,
            REQUESTER,
            OWNER,
            _is_there(_AT_THE_GATE, _OTHER.id.not_in(request_ids)),
        )
        .join(GateRow, GateRow.id == Request.gate_id)
        .join(StageRow, StageRow.id == GateRow.stage_id)
        .join(Rollout, Rollout.id == Request.rollout_id)
        .outerjoin(Link, IS_NEWEST_LINK)
        .outerjoin(ASKED, ASKED.email == Request.person)
        .outerjoin(REQUESTER, REQUESTER.email == Rollout.requester)
        .outerjoin(OWNER, OWNER.email == Rollout.owner)
        .where(Request.id.in_(request_ids))
    )


@prepared
def decided_about(decision_ids: Collection[int]) -> Select[Decision, Request, GateRow, StageRow, Rollout, Link | None]:
    """Decisions with the request that each answers, its newest link, and what it is about."""
    return (
        select(Decision, Request, GateRow, StageRow, Rollout, Link)
        .join(Request, Request.id == Decision.request_id)
        .join(GateRow, GateRow.id == Decision.gate_id)
        .join(StageRow, StageRow.id == GateRow.stage_id)
        .join(Rollout, Rollout.id == Decision.rollout_id)
        .outerjoin(Link, IS_NEWEST_LINK)
        .where(Decision.id.in_(decision_ids))
    )
