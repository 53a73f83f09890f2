"""A rollout that changes often is painted once and woken once: what Prefect is asked to do goes by rollout."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from prefect.client.schemas.objects import FlowRun, State
from prefect.exceptions import ObjectNotFound
from prefect.states import Cancelled, Paused, Scheduled

from models.database import Database
from models.prefect_page import Bar
from models.rollouts import Rollout
from operations.chart import Chart
from operations.installation import Installation
from settings import Settings
from tasks import flow_runs
from tests.company import KEYS, Company
from tests.fakes_prefect import Answer, FakePrefect
from tests.sample_plans import SIGN_OFF, one_gate
from worker import bars, prefect_page
from worker.follower import PUT_OFF_FOR, Follower

ALL = f"{SIGN_OFF}, quorum: all"
ANNA, BEN, CARLA = "anna@example.com", "ben@example.com", "carla@example.com"


@dataclass
class PrefectOfRuns(FakePrefect):
    """A Prefect that has a suspended flow run for each rollout as well, and counts what it is asked for."""

    states: dict[UUID, State[Any]] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)
    loses_events: bool = False

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

    def request(self, method: str, path: str, json: Any, path_params: dict[str, str] | None = None) -> Any:
        if path != "/flow_runs/bulk_set_state":
            return super().request(method, path, json, path_params)
        self.calls["sentence"] += 1
        ids = [one for one in map(UUID, json["flow_runs"]["id"]["any_"]) if self.states[one].is_paused()]
        for one in ids:
            self.states[one] = Paused(name=json["state"]["name"], message=json["state"]["message"])
        return Answer({"results": [{"flow_run_id": str(one), "status": "ACCEPT"} for one in ids]})

    def take(self, event: dict[str, Any]) -> None:
        self.calls["bar"] += 1
        if not self.loses_events:
            super().take(event)


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
    follower(here, company)._paint_changed(prefect)  # type: ignore[arg-type]  # as much as it uses


def follower(here: Installation, company: Company) -> Follower:
    return Follower(here, lambda: company.now)


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
    assert prefect.calls["read"] == 1
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


def test_what_prefect_took_and_lost_is_sent_again_after_a_while(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker.bars.PATIENCE_SECONDS", 0)
    prefect = PrefectOfRuns(loses_events=True)
    company, here = started(db, prefect, rollouts=2)
    following = follower(here, company)
    assert following._paint_changed(prefect)  # type: ignore[arg-type]
    with db.read() as session:
        assert {rollout.painted for rollout in session.query(Rollout)} == {0}
    assert not following._paint_changed(prefect)  # type: ignore[arg-type]  # not again and again
    assert prefect.calls["bar"] == 2 * 2
    prefect.loses_events = False
    company.now += PUT_OFF_FOR
    following._paint_changed(prefect)  # type: ignore[arg-type]
    assert len(prefect.runs) == 2 * 2
    with db.read() as session:
        assert all(rollout.painted == rollout.sequence for rollout in session.query(Rollout))


def test_those_that_wait_for_the_same_people_are_told_together(db: Database) -> None:
    prefect = PrefectOfRuns()
    company, here = started(db, prefect, rollouts=9)
    paint(here, company, prefect)
    assert prefect.calls["sentence"] == 2  # so that of few a cancellation could be hidden
    assert len({state.message for state in prefect.states.values()}) == 1


def test_one_that_somebody_cancels_while_it_is_painted_stays_cancelled_and_is_looked_at_again(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    prefect = PrefectOfRuns()
    company, here = started(db, prefect, rollouts=3)
    [cancelled, *_] = prefect.states
    draw = bars.send

    def cancel_meanwhile(client: Any, bars: Any) -> None:
        prefect.states[cancelled] = Cancelled()
        draw(client, bars)

    monkeypatch.setattr("worker.painter.send", cancel_meanwhile)
    paint(here, company, prefect)
    assert prefect.states[cancelled].is_cancelled()
    with db.read() as session:
        painted = {rollout.flow_run_id: rollout.painted == rollout.sequence for rollout in session.query(Rollout)}
    assert painted == {str(run): run != cancelled for run in prefect.states}


def test_one_page_that_prefect_refuses_keeps_no_other_from_being_painted(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    prefect = PrefectOfRuns()
    company, here = started(db, prefect, rollouts=3)
    refused = company.rollout_id
    around = prefect_page.paint_around

    def refuse(client: Any, wanted: Chart) -> list[Bar]:
        if wanted.rollout_id == refused:
            raise ObjectNotFound(http_exc=Exception("it was deleted a moment ago"))
        return around(client, wanted)

    monkeypatch.setattr("worker.painter.paint_around", refuse)
    paint(here, company, prefect)
    with db.read() as session:
        painted = {rollout.id: rollout.painted == rollout.sequence for rollout in session.query(Rollout)}
    assert painted == {one: one != refused for one in painted}
    assert refused in painted


def test_a_rollout_is_woken_once_however_often_there_is_news_of_it(db: Database) -> None:
    prefect = PrefectOfRuns()
    company, here = started(db, prefect)
    for person in (ANNA, BEN, CARLA):
        company.decides(person)
        assert flow_runs.wake(prefect, here, company.now) == (person == CARLA)  # type: ignore[arg-type]
    for _ in range(3):
        assert flow_runs.wake(prefect, here, company.now)  # type: ignore[arg-type]
    assert prefect.calls["resume"] == 1
