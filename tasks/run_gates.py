"""Starting the flow runs of gates, and following them: one for each gate and round, and no longer than it is wanted.

Prefect keeps one flow run for each flow and idempotency key, so asking again for what was created before a crash gives
back the same one. The database decides what is started; how a flow run ended decides, through operations/record_run.py,
what its gate comes to.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from http import HTTPStatus

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterIdempotencyKey
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.client.schemas.sorting import FlowRunSort
from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError
from prefect.states import Cancelling

from domain.errors import InvalidInput
from domain.reasons import Reason
from domain.run import RunState, readable_name
from domain.run_parameters import fitted
from operations.installation import Installation
from operations.note_run import note_no_run, note_run
from operations.record_run import RunFacts, record_run
from operations.refuse_run import refuse_run
from operations.run_gates import FollowedRun, WantedRun, runs_to_follow, wanted_run
from tasks.flow_runs import BATCH, going_on, read

log = logging.getLogger("etappe.run_gates")

TRY_AGAIN_AFTER = timedelta(seconds=10)
"""How long after something could not be started it is tried again."""
GRACE = timedelta(minutes=1)
"""How long a flow run is given to end, once it was cancelled, before the next one of its kind starts."""
_LONGEST_REFUSAL = 300
_REFUSALS = (HTTPStatus.BAD_REQUEST, HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY)
_STATES = {
    StateType.RUNNING: RunState.RUNNING,
    StateType.CANCELLING: RunState.RUNNING,
    StateType.COMPLETED: RunState.COMPLETED,
    StateType.FAILED: RunState.FAILED,
    StateType.CRASHED: RunState.CRASHED,
    StateType.CANCELLED: RunState.CANCELLED,
}


def follow(client: SyncPrefectClient, installation: Installation, now: datetime, *, look: bool) -> bool:
    """Start what is to be started, and cancel what is no longer wanted; with `look`, record where the others stand.

    Return whether there was any flow run to start or to look at.
    """
    runs = runs_to_follow(installation.db)
    if unknown := [run for run in runs if run.flow_run_id is None and not run.is_wanted]:
        _take_note_of_unknown(client, installation, unknown, now)
        return True
    started = [run for run in runs if run.flow_run_id is not None]
    due = [run for run in runs if _is_due(run, now)]
    ending = {run.uses for run in started if not run.is_wanted}
    if look or any(run.uses in ending for run in due):
        ending = _look(client, installation, started, now)
    for run in due:
        if run.uses not in ending:
            with going_on(f"the flow run of gate {run.gate} in rollout {run.rollout_id} is not started"):
                _start(client, installation, run, now)
    return bool(runs)


def _is_due(run: FollowedRun, now: datetime) -> bool:
    return run.is_wanted and run.flow_run_id is None and (run.try_at is None or run.try_at <= now)


def _start(client: SyncPrefectClient, installation: Installation, run: FollowedRun, now: datetime) -> None:
    wanted = wanted_run(installation.db, run.gate_id, now)
    try:
        started = create(client, run, wanted)
    except (ObjectNotFound, InvalidInput, PrefectHTTPStatusError) as refusal:
        problem = _problem(refusal, wanted)
        later = now + TRY_AGAIN_AFTER
        refuse_run(installation.db, installation.keys, run.rollout_id, run.gate_id, problem, later, now)
        return
    log.info("the gate %s of rollout %s has flow run %s", run.gate, run.rollout_id, started.id)
    _note(installation, run, started, now)


def create(client: SyncPrefectClient, run: FollowedRun, wanted: WantedRun) -> FlowRun:
    """Have Prefect create the flow run of a gate in its round; the second time, it gives back the first one."""
    deployment = client.read_deployment_by_name(wanted.deployment)
    return client.create_flow_run_from_deployment(
        deployment.id,
        parameters=fitted(deployment.parameter_openapi_schema or {}, wanted.parameters, deployment.parameters),
        name=wanted.name,
        idempotency_key=run.key,
    )


def _note(installation: Installation, run: FollowedRun, flow_run: FlowRun, now: datetime) -> None:
    note_run(installation.db, installation.keys, run.rollout_id, run.gate_id, str(flow_run.id), flow_run.name, now)


def _problem(refusal: Exception, wanted: WantedRun) -> Reason:
    """Return why nothing was started. Raises the refusal again when it says nothing of what was asked for."""
    if isinstance(refusal, ObjectNotFound):
        text = "Prefect has no deployment “{deployment}”. It must be deployed under this name."
        return Reason(text, {"deployment": wanted.deployment})
    if isinstance(refusal, InvalidInput) and refusal.explanation:
        return refusal.explanation
    if isinstance(refusal, PrefectHTTPStatusError) and refusal.response.status_code in _REFUSALS:
        facts = {"deployment": wanted.deployment, "why": _detail(refusal)}
        return Reason("Prefect refuses to start “{deployment}”: {why}", facts)
    raise refusal


def _detail(refusal: PrefectHTTPStatusError) -> str:
    try:
        detail = refusal.response.json()["detail"]
    except (ValueError, KeyError, TypeError):
        detail = ""
    return str(detail)[:_LONGEST_REFUSAL] or f"HTTP {refusal.response.status_code}"


def _look(
    client: SyncPrefectClient, installation: Installation, runs: Sequence[FollowedRun], now: datetime
) -> set[str]:
    """Look at flow runs, many in one request. Return what is still used by those that were cancelled a moment ago."""
    ending: set[str] = set()
    for start in range(0, len(runs), BATCH):
        batch = runs[start : start + BATCH]
        found = read(client, [run.flow_run_id for run in batch if run.flow_run_id])
        for run in batch:
            with going_on(f"flow run {run.flow_run_id} of gate {run.gate} is not looked at"):
                if _look_at(client, installation, run, found.get(run.flow_run_id or ""), now):
                    ending.add(run.uses)
    return ending


def _look_at(
    client: SyncPrefectClient, installation: Installation, run: FollowedRun, found: FlowRun | None, now: datetime
) -> bool:
    """Record where a flow run stands. Return whether it is no longer wanted, and was cancelled a moment ago."""
    seen = _facts(run, found)
    if (seen.state, readable_name(seen.name)) != (run.state, run.name):
        record_run(installation.db, installation.keys, run.rollout_id, run.gate_id, seen, now)
    if found is None or run.is_wanted or not seen.state.is_under_way:
        return False
    if found.state_type is not StateType.CANCELLING:
        log.info("flow run %s is cancelled: the gate %s does not wait for it any longer", found.id, run.gate)
        client.set_flow_run_state(found.id, Cancelling(message="Its gate in Etappe is no longer open."))
        return True
    return found.state is not None and now - found.state.timestamp < GRACE


def _facts(run: FollowedRun, found: FlowRun | None) -> RunFacts:
    if found is None:
        return RunFacts(str(run.flow_run_id), RunState.DELETED, run.name)
    state = _STATES.get(found.state_type or StateType.SCHEDULED, RunState.WAITING)
    return RunFacts(str(found.id), state, found.name, found.total_run_time)


def _take_note_of_unknown(
    client: SyncPrefectClient, installation: Installation, runs: Sequence[FollowedRun], now: datetime
) -> None:
    """A crash between creating and noting, and the gate was closed meanwhile: what was created is found by its key.

    Nothing is started before that is known; the next round goes on.
    """
    for start in range(0, len(runs), BATCH):
        batch = runs[start : start + BATCH]
        found = _by_key(client, [run.key for run in batch])
        for run in batch:
            if run.key in found:
                _note(installation, run, found[run.key], now)
            else:
                note_no_run(installation.db, installation.keys, run.rollout_id, run.gate_id, now)


def _by_key(client: SyncPrefectClient, keys: Iterable[str]) -> dict[str, FlowRun]:
    wanted = FlowRunFilter(idempotency_key=FlowRunFilterIdempotencyKey(any_=list(keys)))
    found = client.read_flow_runs(flow_run_filter=wanted, limit=BATCH, sort=FlowRunSort.ID_DESC)
    return {str(run.idempotency_key): run for run in found}
