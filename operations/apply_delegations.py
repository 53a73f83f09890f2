"""Put delegations into effect in every rollout: ask delegates of what waits already, and take back what was lent.

Many are found in one query; each rollout is looked at again, and changed, in its own transaction under its lock. Doing
it twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from functools import partial

from domain.states import GateState
from models.database import Database
from models.delegations import (
    Delegation,
    delegations_now,
    delegations_over,
    rollouts_asking,
    rollouts_asking_in_vain,
)
from models.gates import GateRow
from models.requests import Request, RequestState, VoidReason, requests_of
from operations.asking import ask_in_place, open_requests, void
from operations.delegating import delegation_behind
from operations.progress import progress
from operations.workspace import Workspace, locked

Unit = Callable[[], list[str]]
LOOKED_THROUGH_FOR = timedelta(hours=1)
"""A rollout that was being changed when a delegation was given or began can ask without knowing of it; so what waits is
looked through again for a while. What is asked later knows of it by itself (operations/asking.py)."""


def apply_delegation(db: Database, keys: Sequence[bytes], delegation_id: int, now: datetime) -> None:
    """Ask a delegate of everything that waits already, if the delegation holds now."""
    with db.read() as session:
        found = [one for one in session.scalars(delegations_now(now)) if one.id == delegation_id]
    for look_after in _units(db, keys, found, now):
        look_after()
    _note_applied(db, [one.id for one in found], now)


def take_back(db: Database, keys: Sequence[bytes], delegation_id: int, now: datetime) -> None:
    """Take back whatever is asked by a delegation that has ended."""
    with db.read() as session:
        ended = session.get_one(Delegation, delegation_id)
        asked = rollouts_asking_in_vain(now).where(Request.on_behalf_of == ended.delegator)
        rollouts = session.scalars(asked.where(Request.person == ended.delegate)).all()
    for rollout_id in rollouts:
        _take_back_in(db, keys, rollout_id, now)
    _note_ended(db, [delegation_id], now)


def check_delegations(
    db: Database, keys: Sequence[bytes], now: datetime, carefully: Callable[[Unit], list[str]]
) -> list[str]:
    """Apply what has begun and take back what has ended; returns what was done: delegated, taken_back, failed.

    `carefully` keeps the failure of one from stopping the others.
    """
    with db.read() as session:
        holding = session.scalars(delegations_now(now)).all()
    begun = [one for one in holding if one.applied_at is None or one.applied_at < _settled_at(one)]
    done = [word for unit in _units(db, keys, begun, now) for word in carefully(unit)]
    if "failed" not in done:
        _note_applied(db, [one.id for one in begun], now)
    with db.read() as session:
        over = session.scalars(delegations_over(now)).all()
        rollouts = session.scalars(rollouts_asking_in_vain(now)).all()
    units = [partial(_take_back_in, db, keys, rollout_id, now) for rollout_id in rollouts]
    taken_back = [word for unit in units for word in carefully(unit)]
    if "failed" not in taken_back:
        _note_ended(db, [one.id for one in over], now)
    return [*done, *taken_back]


def _settled_at(delegation: Delegation) -> datetime:
    return max(delegation.starts_at, delegation.created_at) + LOOKED_THROUGH_FOR


def _units(db: Database, keys: Sequence[bytes], delegations: Collection[Delegation], now: datetime) -> list[Unit]:
    people = {one.delegator for one in delegations}
    if not people:
        return []
    with db.read() as session:
        rollouts = dict.fromkeys(rollout_id for _, rollout_id in session.execute(rollouts_asking(people)))
    return [partial(_lend_in, db, keys, rollout_id, people, now) for rollout_id in rollouts]


def _lend_in(db: Database, keys: Sequence[bytes], rollout_id: str, people: Collection[str], now: datetime) -> list[str]:
    with locked(db, keys, rollout_id, now) as ws:
        asked = 0
        for gate in ws.gates(GateState.OPEN):
            asked += ask_in_place(ws, gate, [row for row in open_requests(ws, gate) if row.person in people])
        return ["delegated"] * asked


def _take_back_in(db: Database, keys: Sequence[bytes], rollout_id: str, now: datetime) -> list[str]:
    with locked(db, keys, rollout_id, now) as ws:
        over = [row for row in ws.session.scalars(requests_of(rollout_id)) if _is_over(ws, row)]
        for request in over:
            facts = {"delegator": request.on_behalf_of, "delegate": request.person, "purpose": request.purpose}
            ws.note("request.taken-back", gate=ws.session.get_one(GateRow, request.gate_id), facts=facts)
        void(ws, over, VoidReason.DELEGATION_OVER)
        if over:
            progress(ws)  # whoever had lent it may be away
        return ["taken_back"] * len(over)


def _is_over(ws: Workspace, request: Request) -> bool:
    lent = bool(request.on_behalf_of) and request.state is RequestState.OPEN
    return lent and delegation_behind(ws, request) is None


def _note_applied(db: Database, ids: Collection[int], now: datetime) -> None:
    _note(db, ids, lambda delegation: setattr(delegation, "applied_at", now))


def _note_ended(db: Database, ids: Collection[int], now: datetime) -> None:
    _note(db, ids, lambda delegation: setattr(delegation, "ended_at", now))


def _note(db: Database, ids: Collection[int], note: Callable[[Delegation], None]) -> None:
    if ids:  # looking writes nothing
        with db.write() as session:
            for delegation_id in ids:
                note(session.get_one(Delegation, delegation_id))
