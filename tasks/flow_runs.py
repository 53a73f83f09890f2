"""Keeping flow runs and rollouts together: a flow run for every rollout, woken when needed, repaired when astray.

The database is the truth. What happens to a flow run in Prefect changes nothing in a rollout, with one exception:
cancelling it there calls the rollout off.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import DeploymentUpdate
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterName,
    FlowFilter,
    FlowFilterName,
    FlowRunFilter,
    FlowRunFilterEndTime,
    FlowRunFilterId,
    FlowRunFilterState,
    FlowRunFilterStateType,
    Operator,
    WorkerFilter,
    WorkerFilterLastHeartbeatTime,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.client.schemas.responses import DeploymentResponse
from prefect.client.schemas.sorting import FlowRunSort
from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError
from prefect.states import Scheduled, Suspended

from domain.authority import PREFECT
from domain.errors import RolloutEnded
from domain.states import ENDED
from models.rollouts import (
    Rollout,
    flow_runs_of_the_living,
    rollout_of_flow_run,
    rollouts_to_wake,
    rollouts_without_flow_run,
)
from operations.attach_flow_run import attach_flow_run, forget_wake
from operations.cancel_rollout import cancel_rollout
from operations.installation import Installation
from operations.workspace import Actor
from settings import WORK_POOL

log = logging.getLogger("etappe.flow_runs")

FLOW = "rollout"
DEPLOYMENT = "start"
BATCH = 200
PASS_TAKES_AT_MOST = timedelta(minutes=5)
"""A flow run works for seconds between two waits; one that claims to run for longer has lost its process."""
WORKERS_REPORT_WITHIN = timedelta(seconds=90)
"""Workers report every 30 seconds; Prefect takes one that has missed three for gone as well."""
RECENT = timedelta(minutes=10)
"""How far back the frequent repair looks; what ended earlier is the scheduled check's."""
GIVE_UP_AFTER = timedelta(days=1)
"""A flow run that keeps crashing before it has started a rollout is then left for people to look at."""
FIRST_PAUSE = timedelta(seconds=10)
LONGEST_PAUSE = timedelta(minutes=15)
TAKEN_UP = "taken up again"

_AT_WORK = (StateType.RUNNING, StateType.PENDING)
_OURS: dict[str, Any] = {
    "flow_filter": FlowFilter(name=FlowFilterName(any_=[FLOW])),
    "deployment_filter": DeploymentFilter(name=DeploymentFilterName(any_=[DEPLOYMENT])),
}


def launch(client: SyncPrefectClient, installation: Installation) -> None:
    """Give every rollout that has none a flow run: those started by command, and those whose flow run was deleted.

    It begins suspended, so no process is started for it; asked twice, Prefect gives back the same one.
    """
    with installation.db.read() as session:
        waiting = list(session.scalars(rollouts_without_flow_run().limit(BATCH)))
    if not waiting:
        return
    deployment = client.read_deployment_by_name(f"{FLOW}/{DEPLOYMENT}")
    _offer(client, deployment, {rollout.plan_version.name for rollout in waiting})
    for rollout in waiting:
        with going_on(f"rollout {rollout.id} gets no flow run"):
            run = client.create_flow_run_from_deployment(
                deployment.id,
                parameters=_parameters(rollout),
                state=Suspended(),
                name=rollout.title,
                idempotency_key=f"etappe-{rollout.id}",
            )
            attach_flow_run(installation.db, rollout.id, str(run.id))


def _offer(client: SyncPrefectClient, deployment: DeploymentResponse, plans: set[str]) -> None:
    """Have the form offer these plans as well; Prefect refuses flow runs of a plan that came after deploying."""
    schema = deployment.parameter_openapi_schema or {}
    field = schema.get("properties", {}).get("plan", {})
    offered = set(field.get("enum", plans))
    if plans <= offered:
        return
    properties = {**schema["properties"], "plan": {**field, "enum": sorted(offered | plans)}}
    wanted = DeploymentUpdate(parameter_openapi_schema={**schema, "properties": properties})
    client.update_deployment(deployment.id, wanted)


@contextmanager
def going_on(what: str) -> Iterator[None]:
    """Go on with the next rollout when Prefect refuses one thing; a Prefect that does not answer still raises."""
    try:
        yield
    except (PrefectHTTPStatusError, ObjectNotFound) as refusal:
        log.warning("%s: %s", what, refusal)


def _parameters(rollout: Rollout) -> dict[str, Any]:
    inputs = dict(rollout.inputs)
    budget = inputs.pop("budget", [])
    return {
        "plan": rollout.plan_version.name,
        "title": rollout.title,
        "requester": rollout.requester,
        "owner": rollout.owner,
        "language": rollout.language,
        "start_on": rollout.start_on.isoformat() if rollout.start_on else None,
        "people": rollout.people,
        "budget": [{"item": line["item"], "amount": float(line["amount"])} for line in budget],
        "inputs": inputs,
    }


def wake(client: SyncPrefectClient, installation: Installation, now: datetime) -> bool:
    """Resume every flow run that has something to do; return whether one is still to do it."""
    with installation.db.read() as session:
        rollouts = {rollout.flow_run_id: rollout for rollout in session.scalars(rollouts_to_wake().limit(BATCH))}
    runs = read(client, [run_id for run_id in rollouts if run_id])
    for flow_run_id, rollout in rollouts.items():
        with going_on(f"the flow run of rollout {rollout.id} is not woken"):
            _wake(client, installation, rollout, runs.get(str(flow_run_id)), now)
    return bool(rollouts)


def _wake(
    client: SyncPrefectClient, installation: Installation, rollout: Rollout, run: FlowRun | None, now: datetime
) -> None:
    if run is None:
        forget_wake(installation.db, rollout.id)  # deleted: there is nobody left to conclude
    elif run.state_type is StateType.PAUSED:
        client.resume_flow_run(run.id)
    elif run.state_type in (StateType.CANCELLED, StateType.CANCELLING, StateType.COMPLETED):
        forget_wake(installation.db, rollout.id)
    elif run.state_type in (StateType.CRASHED, StateType.FAILED) or _has_lost_its_process(run, now):
        _take_up_again(client, run, now)


def repair_recent(client: SyncPrefectClient, installation: Installation, now: datetime) -> None:
    """Look at the flow runs that ended lately, are at work or being cancelled, and put right what went astray."""
    for run in _recent(client, now):
        with going_on(f"flow run {run.id} is not repaired"):
            _repair(client, installation, run, now)


def _recent(client: SyncPrefectClient, now: datetime) -> list[FlowRun]:
    """One request for both, since this is asked every few seconds."""
    either = FlowRunFilter(
        operator=Operator.or_,  # type: ignore[call-arg]  # a mixin's field, which mypy does not see
        state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[*_AT_WORK, StateType.CANCELLING])),
        end_time=FlowRunFilterEndTime(after_=now - RECENT),
    )
    return client.read_flow_runs(flow_run_filter=either, sort=FlowRunSort.END_TIME_DESC, limit=BATCH, **_OURS)


def repair_all(client: SyncPrefectClient, installation: Installation, now: datetime) -> None:
    """Compare every rollout that has not ended with its flow run, and put right what went astray."""
    for batch in _living(installation):
        flow_run_ids = [flow_run_id for _, flow_run_id in batch]
        if _all_wait(client, flow_run_ids):
            continue
        runs = read(client, flow_run_ids)
        for rollout_id, flow_run_id in batch:
            if flow_run_id not in runs:
                attach_flow_run(installation.db, rollout_id, None)
            else:
                with going_on(f"flow run {flow_run_id} is not repaired"):
                    _repair(client, installation, runs[flow_run_id], now)
    repair_recent(client, installation, now)


def _all_wait(client: SyncPrefectClient, ids: Sequence[str]) -> bool:
    """Whether each of these flow runs is there, and suspended, as nearly all are: counting them costs little."""
    suspended = FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.PAUSED]))
    return client.count_flow_runs(flow_run_filter=FlowRunFilter(id=_one_of(ids), state=suspended)) == len(ids)


def _living(installation: Installation) -> Iterator[Sequence[tuple[str, str]]]:
    """Every rollout that has not ended, with its flow run, some at a time: there may be very many."""
    last = ""
    while True:
        with installation.db.read() as session:
            found = session.execute(flow_runs_of_the_living(last).limit(BATCH)).all()
        batch = [(rollout_id, flow_run_id or "") for rollout_id, flow_run_id in found]
        if not batch:
            return
        yield batch
        last = batch[-1][0]


def take_up_orphans(client: SyncPrefectClient, since: datetime, worker: str) -> None:
    """Take up again what was at work before `since`: its worker is gone, and nobody else would notice.

    `worker` is the name of the one that starts together with whoever calls. While another one of the pool is alive,
    what is at work may be its; what is not is then found once it has taken too long.
    """
    if _another_is_alive(client, worker, since):
        return
    for run in client.read_flow_runs(
        flow_run_filter=_in(_AT_WORK), limit=BATCH, sort=FlowRunSort.START_TIME_ASC, **_OURS
    ):
        if run.state is not None and run.state.timestamp < since:
            _take_up_again(client, run, since)


def _another_is_alive(client: SyncPrefectClient, worker: str, now: datetime) -> bool:
    heard_lately = WorkerFilter(last_heartbeat_time=WorkerFilterLastHeartbeatTime(after_=now - WORKERS_REPORT_WITHIN))
    try:
        alive = client.read_workers_for_work_pool(WORK_POOL, heard_lately, offset=0, limit=BATCH)
    except ObjectNotFound:  # not deployed yet
        return False
    return any(other.name != worker for other in alive)


def _repair(client: SyncPrefectClient, installation: Installation, run: FlowRun, now: datetime) -> None:
    if run.state_type is StateType.PAUSED:  # as nearly all are
        return
    with installation.db.read() as session:
        rollout = session.scalars(rollout_of_flow_run(str(run.id))).first()
    if _has_lost_its_process(run, now):
        _take_up_again(client, run, now)
    elif rollout is None:
        if run.state_type is StateType.CRASHED and run.created and now - run.created < GIVE_UP_AFTER:
            _take_up_again(client, run, now)
    elif rollout.state not in ENDED:
        _repair_living(client, installation, rollout, run, now)


def _repair_living(
    client: SyncPrefectClient, installation: Installation, rollout: Rollout, run: FlowRun, now: datetime
) -> None:
    if run.state_type in (StateType.CANCELLED, StateType.CANCELLING):
        _cancel(installation, rollout.id, now)
    elif run.state_type in (StateType.CRASHED, StateType.FAILED, StateType.COMPLETED):
        _take_up_again(client, run, now)


def _cancel(installation: Installation, rollout_id: str, now: datetime) -> None:
    actor, reason = Actor(PREFECT, "prefect"), "cancelled in Prefect"
    try:
        cancel_rollout(installation.db, installation.keys, rollout_id, reason, actor, now)
    except RolloutEnded:
        return
    forget_wake(installation.db, rollout_id)


def _take_up_again(client: SyncPrefectClient, run: FlowRun, now: datetime) -> None:
    """Have a worker execute a flow run from the top; with growing pauses, when it goes astray again and again."""
    states = client.read_flow_run_states(run.id)
    before = [s.timestamp for s in states if s.message == TAKEN_UP and now - s.timestamp < 4 * LONGEST_PAUSE]
    if before and now - max(before) < min(FIRST_PAUSE * 2 ** (len(before) - 1), LONGEST_PAUSE):
        return
    log.info("flow run %s is taken up again (it was %s)", run.id, run.state_name)
    client.set_flow_run_state(run.id, Scheduled(message=TAKEN_UP), force=True)


def _has_lost_its_process(run: FlowRun, now: datetime) -> bool:
    return run.state_type in _AT_WORK and run.state is not None and now - run.state.timestamp > PASS_TAKES_AT_MOST


def read(client: SyncPrefectClient, ids: Sequence[str]) -> dict[str, FlowRun]:
    if not ids:
        return {}
    wanted = FlowRunFilter(id=_one_of(ids))
    return {
        str(run.id): run for run in client.read_flow_runs(flow_run_filter=wanted, limit=BATCH, sort=FlowRunSort.ID_DESC)
    }


def _one_of(ids: Iterable[str]) -> FlowRunFilterId:
    return FlowRunFilterId(any_=[UUID(run_id) for run_id in ids])


def _in(types: Iterable[StateType]) -> FlowRunFilter:
    return FlowRunFilter(state=FlowRunFilterState(type=FlowRunFilterStateType(any_=list(types))))
