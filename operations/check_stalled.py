"""Find whatever has stalled: many in one query; each is looked at again, and changed, in its own transaction."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial

from sqlalchemy import Select

from domain import deadlines
from domain.reasons import Reason
from domain.states import StageState
from models.checks import CheckRun, checks_newest_first
from models.database import Database
from models.gates import (
    GateRow,
    gates_due,
    gates_to_look_at,
    gates_to_renew,
    renewals_overdue,
    rollouts_with_unaskable_gates,
)
from models.rollouts import Rollout, StageRow, rollouts_due_to_start, stages_stalled
from operations.advance import advance
from operations.apply_delegations import check_delegations
from operations.attend_gate import attend_gate
from operations.automatic import LOOKED_AT_BY_THE_CLOCK
from operations.chase_renewal import chase_renewal
from operations.renew_gate import renew_gate
from operations.take_turns import whose_turn_has_come
from operations.telling import inform
from operations.telling_chat import tell_channels
from operations.workspace import locked

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
    expiries_wait: bool = False
    """After a gap (first run, machine off, clock jumped) nothing expires until the next run."""
    failed: int = 0
    """What could not be looked after; the log says why, and the next run tries again."""


def check_stalled(db: Database, keys: Sequence[bytes], now: datetime) -> CheckReport:
    """Remind, escalate and expire what is due, open what may start, and report stalled stages. `now` is aware."""
    check_id, may_expire = _begin(db, now)
    done = Counter(check_delegations(db, keys, now, _unless_it_fails))
    for look_after in (
        *(partial(_advance, db, keys, rollout_id, now) for rollout_id in _to_advance(db, now)),
        *(partial(renew_gate, db, keys, *gate, now) for gate in _found(db, gates_to_renew(now))),
        *(partial(attend_gate, db, keys, *gate, now, may_expire=may_expire) for gate in _found(db, gates_due(now))),
        *(partial(chase_renewal, db, keys, *gate, now) for gate in _found(db, renewals_overdue(now))),
        *(partial(_report_stalled_stage, db, keys, *stage, now) for stage in _stalled_stages(db, now)),
    ):
        done.update(_unless_it_fails(look_after))
    report = CheckReport(**done, expiries_wait=not may_expire)
    _finish(db, check_id, now, report)
    return report


def _begin(db: Database, now: datetime) -> tuple[int, bool]:
    with db.write() as session:
        previous = session.scalars(checks_newest_first().limit(1)).first()
        check = CheckRun(started_at=now, report={})
        session.add(check)
        session.flush()
        return check.id, deadlines.may_expire(previous.started_at if previous else None, now)


def _finish(db: Database, check_id: int, now: datetime, report: CheckReport) -> None:
    with db.write() as session:
        check = session.get_one(CheckRun, check_id)
        check.finished_at, check.report = now, dict(vars(report))


def _to_advance(db: Database, now: datetime) -> list[str]:
    most_eastern_day: date = (now + timedelta(hours=14)).date()
    with db.read() as session:
        starting = [rollout.id for rollout in session.scalars(rollouts_due_to_start(most_eastern_day))]
        unaskable = list(session.scalars(rollouts_with_unaskable_gates()))
        looked_at = [gate.rollout_id for gate in session.scalars(gates_to_look_at(now, LOOKED_AT_BY_THE_CLOCK))]
    return list(dict.fromkeys([*starting, *unaskable, *looked_at, *whose_turn_has_come(db)]))


def _found(db: Database, gates: Select[GateRow]) -> list[tuple[str, int]]:
    with db.read() as session:
        return [(gate.rollout_id, gate.id) for gate in session.scalars(gates)]


def _stalled_stages(db: Database, now: datetime) -> list[tuple[str, int]]:
    with db.read() as session:
        return [(stage.rollout_id, stage.id) for stage in session.scalars(stages_stalled(now))]


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


def _report_stalled_stage(
    db: Database, keys: Sequence[bytes], rollout_id: str, stage_id: int, now: datetime
) -> list[str]:
    with locked(db, keys, rollout_id, now) as ws:
        stage = ws.session.get_one(StageRow, stage_id, populate_existing=True)
        if stage.state is not StageState.OPEN or stage.stalled_at is None or stage.stalled_at > now:
            return []
        stage.stalled_at = None
        ws.note("stage.stalled", stage=stage)
        planned = ws.planned_stage(stage)
        language = ws.rollout.language
        open_gates = [
            ws.planned_gate(gate).title.in_language(language)
            for gate in ws.gates()
            if gate.stage_id == stage.id and gate.settled_at is None
        ]
        headline = Reason("“{stage}” has stalled", {"stage": planned.title.in_language(language)})
        still_open = Reason(
            "It has been open for longer than the plan allows. Still open: {gates}", {"gates": ", ".join(open_gates)}
        )
        tell_channels(ws, headline, [still_open], stages=[stage])
        inform(
            ws,
            [*ws.directory.resolve(planned.owner), ws.rollout.owner],
            headline,
            [still_open],
            [Reason("To see who is waited for: etappe rollout show {rollout}", {"rollout": rollout_id})],
        )
        return ["stalled"]
