"""Put absences into effect in every rollout: when one begins, and when somebody is back.

Many are found in one query; each rollout is looked at again, and changed, in its own transaction under its lock. Doing
it twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from functools import partial

from domain.states import GateState
from models.absences import Absence, absences_now, absences_over, rollouts_asking_any
from models.database import Database
from models.gates import GateRow
from models.record import entries_at
from operations.absences import away_now
from operations.apply_delegations import LOOKED_THROUGH_FOR, Unit
from operations.asking import open_requests
from operations.progress import progress
from operations.telling import remind
from operations.workspace import Workspace, locked


def check_absences(
    db: Database, keys: Sequence[bytes], now: datetime, carefully: Callable[[Unit], list[str]]
) -> list[str]:
    """Look through what waits for those whose absence has begun, and remind those who are back.

    Returns what was done: advanced, reminded, failed. `carefully` keeps the failure of one from stopping the others.
    """
    with db.read() as session:
        holding = session.scalars(absences_now(now)).all()
        over = session.scalars(absences_over(now)).all()
    begun = [one for one in holding if one.noticed_at is None or one.noticed_at < _settled_at(one)]
    noticed = [word for unit in _units(db, begun, partial(_look_through, db, keys, now)) for word in carefully(unit)]
    if "failed" not in noticed:
        _note(db, begun, "noticed_at", now)
    back = [word for unit in _units(db, over, partial(_remind, db, keys, now)) for word in carefully(unit)]
    if "failed" not in back:
        _note(db, over, "ended_at", now)
    return [*noticed, *back]


def notice_absence(db: Database, keys: Sequence[bytes], absence: Absence, now: datetime) -> None:
    """Look through what waits for somebody already, if they are away now."""
    if absence.term.holds(now):
        for look_after in _units(db, [absence], partial(_look_through, db, keys, now)):
            look_after()
        _note(db, [absence], "noticed_at", now)


def welcome_back(db: Database, keys: Sequence[bytes], absence: Absence, now: datetime) -> None:
    """Remind somebody whose absence was ended of what they were not reminded of meanwhile."""
    for look_after in _units(db, [absence], partial(_remind, db, keys, now)):
        look_after()
    _note(db, [absence], "ended_at", now)


def _settled_at(absence: Absence) -> datetime:
    """A rollout that is being changed when an absence begins can ask without knowing of it, as with delegations."""
    return max(absence.starts_at, absence.created_at) + LOOKED_THROUGH_FOR


def _units(
    db: Database, absences: Collection[Absence], look_after: Callable[[Collection[str], str], list[str]]
) -> list[Unit]:
    people = {one.person for one in absences}
    if not people:
        return []
    with db.read() as session:
        rollouts = session.scalars(rollouts_asking_any(people)).all()
    return [partial(look_after, people, rollout_id) for rollout_id in rollouts]


def _look_through(
    db: Database, keys: Sequence[bytes], now: datetime, people: Collection[str], rollout_id: str
) -> list[str]:
    with locked(db, keys, rollout_id, now) as ws:
        before = ws.rollout.sequence
        progress(ws)
        return ["advanced"] if ws.rollout.sequence > before else []


def _remind(db: Database, keys: Sequence[bytes], now: datetime, people: Collection[str], rollout_id: str) -> list[str]:
    with locked(db, keys, rollout_id, now) as ws:
        back = set(people) - away_now(ws.session, people, now).keys()
        return [word for gate in ws.gates(GateState.OPEN) for word in _remind_at(ws, gate, back)]


def _remind_at(ws: Workspace, gate: GateRow, back: Collection[str]) -> list[str]:
    """Remind those who are back of what they are asked at one gate, if they were passed over the last time."""
    spared = _spared_last(ws, gate)
    waiting = [request for request in open_requests(ws, gate) if request.person in back]
    asked = [one for one in waiting if one.person in spared and one.created_at < spared[one.person]]
    for request in asked:
        remind(ws, gate, [request], spared[request.person])
    if asked:
        ws.note("gate.reminded", gate=gate, facts={"people": [request.person for request in asked]})
    return ["reminded"] if asked else []


def _spared_last(ws: Workspace, gate: GateRow) -> dict[str, datetime]:
    """Who was not reminded the last time because they were away, and when that was."""
    spared: dict[str, datetime] = {}
    for entry in ws.read(entries_at, ws.rollout.id, gate.key, "gate.reminded"):
        spared |= dict.fromkeys(entry.facts.get("away", ()), entry.at)
        for person in entry.facts["people"]:
            spared.pop(person, None)
    return spared


def _note(db: Database, absences: Collection[Absence], column: str, now: datetime) -> None:
    if absences:  # looking writes nothing
        with db.write() as session:
            for absence in absences:
                setattr(session.get_one(Absence, absence.id), column, now)
