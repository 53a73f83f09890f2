"""Find whatever has stalled: many in one query; each is looked at again, and changed, in its own transaction."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial

from sqlalchemy import Select

from domain import check_clock
from domain.check_clock import Reading
from models.checks import CheckRun, clock_readings
from models.database import Database
from models.gates import (
    GateRow,
    gates_due,
    gates_to_look_at,
    gates_to_renew,
    ids_of,
    renewals_overdue,
    rollouts_with_unaskable_gates,
)
from models.rollouts import Rollout, rollouts_due_to_start, stages_stalled
from operations.advance import advance
from operations.apply_delegations import check_delegations
from operations.attend_gate import attend_gates
from operations.automatic import LOOKED_AT_BY_THE_CLOCK
from operations.chase_renewal import chase_renewal
from operations.follow_calendar import follow_calendar, rollouts_off_calendar
from operations.notice_absences import check_absences
from operations.renew_gate import renew_gate
from operations.report_stall import report_stall
from operations.take_turns import whose_turn_has_come

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class CheckReport:
    """What a run of the check did: how many of each."""

    reminded: int = 0
    escalated: int = 0
    expired: int = 0
    renewed: int = 0
    """Gates that have passed and are asked again."""
    overdue: int = 0
    """Renewals that were not answered in time."""
    stalled: int = 0
    advanced: int = 0
    delegated: int = 0
    taken_back: int = 0
    """What is asked in somebody's place since a delegation has begun, and no longer since one has ended."""
    moved: int = 0
    """Rollouts with dates that have moved, because days off have changed."""
    expiries_wait: bool = False
    """After a gap (first run, machine off, clock jumped), or while the clocks of two checkers disagree, what came due
    lately does not expire yet."""
    failed: int = 0
    """What could not be looked after; the log says why, and the next run tries again."""


def check_stalled(db: Database, keys: Sequence[bytes], now: datetime, checker: str = "") -> CheckReport:
    """Remind, escalate and expire what is due, open what may start, and report stalled stages.

    `now` is aware, by the clock of `checker`: the machine that this runs on. What cannot be undone waits until other
    readings agree with that clock (domain/check_clock.py); everything else goes by it.
    """
    began = time.monotonic()
    check_id, believed = _begin(db, now, checker)
    done = Counter(check_delegations(db, keys, now, _unless_it_fails))
    done.update(check_absences(db, keys, now, _unless_it_fails))
    for look_after in _units(db, keys, now, believed):
        done.update(_unless_it_fails(look_after))
    report = CheckReport(**done, expiries_wait=check_clock.expiries_wait(believed, now))
    _finish(db, check_id, now + timedelta(seconds=time.monotonic() - began), report)
    return report


def _begin(db: Database, now: datetime, checker: str) -> tuple[int, datetime]:
    """Write down that a run has begun, and what its clock shows: the next runs go by it also when this one dies."""
    with db.write() as session:
        readings = [Reading(*row) for row in session.execute(clock_readings(check_clock.READINGS))]
        check = CheckRun(started_at=now, report={}, checker=checker)
        session.add(check)
        session.flush()
        return check.id, check_clock.believed(now, checker, readings)


def _units(db: Database, keys: Sequence[bytes], now: datetime, believed: datetime) -> list[Callable[[], list[str]]]:
    """What there is to look after: all of it is found before any of it is changed."""
    return [
        *(partial(follow_calendar, db, keys, rollout_id, now) for rollout_id in rollouts_off_calendar(db)),
        *(partial(_advance, db, keys, rollout_id, now) for rollout_id in _to_advance(db, now)),
        *(partial(renew_gate, db, keys, *gate, now) for gate in _found(db, gates_to_renew(now))),
        *(
            partial(attend_gates, db, keys, *due, now, believed)
            for due in _by_rollout(_found(db, gates_due(now, believed)))
        ),
        *(partial(chase_renewal, db, keys, *gate, now, believed) for gate in _found(db, renewals_overdue(believed))),
        *(partial(report_stall, db, keys, *stage, now) for stage in _stalled_stages(db, now)),
    ]


def _finish(db: Database, check_id: int, finished_at: datetime, report: CheckReport) -> None:
    with db.write() as session:
        check = session.get_one(CheckRun, check_id)
        check.finished_at, check.report = finished_at, dict(vars(report))


def _to_advance(db: Database, now: datetime) -> list[str]:
    most_eastern_day: date = (now + timedelta(hours=14)).date()
    with db.read() as session:
        starting = list(session.scalars(rollouts_due_to_start(most_eastern_day)))
        unaskable = list(session.scalars(rollouts_with_unaskable_gates()))
        looked_at = [
            rollout_id for rollout_id, _ in session.execute(ids_of(gates_to_look_at(now, LOOKED_AT_BY_THE_CLOCK)))
        ]
    return list(dict.fromkeys([*starting, *unaskable, *looked_at, *whose_turn_has_come(db)]))


def _found(db: Database, gates: Select[GateRow]) -> list[tuple[str, int]]:
    with db.read() as session:
        return [(rollout_id, gate_id) for rollout_id, gate_id in session.execute(ids_of(gates))]


def _by_rollout(gates: Sequence[tuple[str, int]]) -> list[tuple[str, list[int]]]:
    """What is due in one rollout at once is done in one transaction: gates that opened together are due together."""
    found: dict[str, list[int]] = {}
    for rollout_id, gate_id in gates:
        found.setdefault(rollout_id, []).append(gate_id)
    return list(found.items())


def _stalled_stages(db: Database, now: datetime) -> list[tuple[str, int]]:
    with db.read() as session:
        return [(rollout_id, stage_id) for rollout_id, stage_id in session.execute(stages_stalled(now))]


def _unless_it_fails(look_after: Callable[[], list[str]]) -> list[str]:
    """Whatever is wrong with one rollout must not keep all the others waiting, today and for ever."""
    try:
        return look_after()
    except Exception:  # noqa: BLE001 - logged and counted, and the next run tries again
        _log.exception("The check could not look after one rollout")
        return ["failed"]


def _advance(db: Database, keys: Sequence[bytes], rollout_id: str, now: datetime) -> list[str]:
    before = _sequence(db, rollout_id)
    advance(db, keys, rollout_id, now)
    return ["advanced"] if _sequence(db, rollout_id) > before else []


def _sequence(db: Database, rollout_id: str) -> int:
    with db.read() as session:
        return session.get_one(Rollout, rollout_id).sequence
