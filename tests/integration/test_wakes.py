"""A rollout that changes often is painted once and woken once: what Prefect is asked to do goes by rollout."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID, uuid4

from prefect.client.schemas.objects import FlowRun, State
from prefect.states import Paused, Scheduled

from models.database import Database
from models.rollouts import Rollout
from operations.installation import Installation
from settings import Settings
from tasks import flow_runs
from tests.company import KEYS, SIGN_OFF, Company, one_gate
from tests.fakes_prefect import FakePrefect
from worker.follower import Follower

ALL = f"{SIGN_OFF}, quorum: all"
ANNA, BEN, CARLA = "anna@example.com", "ben@example.com", "carla@example.com"


@dataclass
class PrefectOfRuns(FakePrefect):
    """A Prefect that has a suspended flow run for each rollout as well, and counts what it is asked for."""

    states: dict[UUID, State[Any]] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)

    def read_flow_runs(self, *, flow_run_filter: Any, **_: object) -> list[FlowRun]:
        self.calls["read"] += 1
        ids = flow_run_filter.id.any_
        return [
            FlowRun(id=one, flow_id=uuid4(), state=self.states[one], state_type=self.states[one].type)
            for one in ids
            if one in self.states
        ]

    def resume_flow_run(self, flow_run_id: UUID) -> None:
        self.calls["resume"] += 1
        self.states[flow_run_id] = Scheduled()

    def set_flow_run_state(self, flow_run_id: UUID, state: State[Any], force: bool) -> None:
        self.calls["sentence"] += 1
        self.states[flow_run_id] = state

    def set_task_run_state(self, task_run_id: UUID, state: State[Any], force: bool) -> None:
        self.calls["bar"] += 1
        super().set_task_run_state(task_run_id, state, force)


def started(db: Database, prefect: PrefectOfRuns, rollouts: int = 1) -> tuple[Company, Installation]:
    company = Company(db)
    for _ in range(rollouts):
        run = uuid4()
        prefect.states[run] = Paused(name="Suspended")
        company.start(one_gate(ALL), flow_run_id=str(run))
    here = Installation(replace(Settings.from_environment({"ETAPPE_HOME": "/nowhere"})))
    here.__dict__.update(db=db, keys=KEYS)
    return company, here


def paint(here: Installation, company: Company, prefect: PrefectOfRuns) -> None:
    Follower(here, lambda: company.now)._paint_changed(prefect)  # type: ignore[arg-type]  # as much as it uses


def test_a_rollout_that_has_changed_three_times_is_painted_once(db: Database) -> None:
    prefect = PrefectOfRuns()
    company, here = started(db, prefect)
    paint(here, company, prefect)
    prefect.calls.clear()
    for person in (ANNA, BEN, CARLA):
        company.decides(person)
    paint(here, company, prefect)
    assert prefect.calls == {"read": 1, "bar": 2}  # the stage and the gate; what has ended is not waited for
    assert {state for state, _ in prefect.bars().values()} == {"Passed"}
    paint(here, company, prefect)
    assert prefect.calls == {"read": 1, "bar": 2}


def test_flow_runs_of_several_rollouts_are_looked_up_together(db: Database) -> None:
    prefect = PrefectOfRuns()
    company, here = started(db, prefect, rollouts=9)
    paint(here, company, prefect)
    assert prefect.calls["read"] == 3
    assert len(prefect.runs) == 9 * 2


def test_a_flow_run_that_is_gone_is_forgotten_and_the_others_are_painted(db: Database) -> None:
    prefect = PrefectOfRuns()
    company, here = started(db, prefect, rollouts=3)
    [gone, *_] = prefect.states
    del prefect.states[gone]
    paint(here, company, prefect)
    with db.read() as session:
        runs = [rollout.flow_run_id for rollout in session.query(Rollout)]
    assert str(gone) not in runs
    assert runs.count(None) == 1
    assert len(prefect.runs) == 2 * 2


def test_a_rollout_is_woken_once_however_often_there_is_news_of_it(db: Database) -> None:
    prefect = PrefectOfRuns()
    company, here = started(db, prefect)
    for person in (ANNA, BEN, CARLA):
        company.decides(person)
        assert flow_runs.wake(prefect, here, company.now) == (person == CARLA)  # type: ignore[arg-type]
    for _ in range(3):
        assert flow_runs.wake(prefect, here, company.now)  # type: ignore[arg-type]
    assert prefect.calls["resume"] == 1
