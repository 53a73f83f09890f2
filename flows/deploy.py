"""Registering Etappe in Prefect: the work pool, the deployments, and the schedule of the check. Safe to repeat."""

from __future__ import annotations

from typing import Any

from prefect import Flow
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import DeploymentScheduleCreate, WorkPoolCreate
from prefect.client.schemas.schedules import IntervalSchedule
from prefect.exceptions import ObjectAlreadyExists
from prefect.utilities.callables import parameter_schema
from prefect.workers.base import BaseWorker

from domain import inputs
from domain.lateness import CHECK_EVERY
from domain.plan import InputKind
from flows.check_stalled import check_stalled
from flows.rollout import rollout
from flows.shift_traffic import shift_traffic
from operations.installation import Installation
from settings import CHECKOUT, WORK_POOL


def deploy(installation: Installation) -> None:
    """Register `rollout/start`, `check-stalled/scheduled` and the sample `shift-traffic/sample`.

    The plans found now are what the form offers.
    """
    with get_client(sync_client=True) as client:
        _make_work_pool(client, installation.settings.worker_type)
        _deploy(client, rollout, "start", "flows/rollout.py:rollout", schema=_form(installation))
        _deploy(
            client,
            check_stalled,
            "scheduled",
            "flows/check_stalled.py:check_stalled",
            schema=parameter_schema(check_stalled).model_dump(),
            schedules=[
                DeploymentScheduleCreate(schedule=IntervalSchedule(interval=CHECK_EVERY), slug="every-15-minutes")
            ],
        )
        _deploy(
            client,
            shift_traffic,
            "sample",
            "flows/shift_traffic.py:shift_traffic",
            schema=parameter_schema(shift_traffic).model_dump(),
        )


def _make_work_pool(client: SyncPrefectClient, worker_type: str) -> None:
    """Make the work pool; one that is there stays as it is, whatever its type, since flow runs are queued in it."""
    worker = BaseWorker.get_worker_class_from_type(worker_type)
    template = worker.get_default_base_job_template() if worker else {}  # a worker of another machine brings its own
    try:
        client.create_work_pool(WorkPoolCreate(name=WORK_POOL, type=worker_type, base_job_template=template))
    except ObjectAlreadyExists:
        return


def _deploy(
    client: SyncPrefectClient,
    flow: Flow[Any, Any],
    name: str,
    entrypoint: str,
    *,
    schema: dict[str, Any],
    schedules: list[DeploymentScheduleCreate] | None = None,
) -> None:
    client.create_deployment(
        client.create_flow(flow),
        name,
        work_pool_name=WORK_POOL,
        entrypoint=entrypoint,
        # Without a pull step the stock worker copies the whole checkout for every flow run.
        pull_steps=[{"prefect.deployments.steps.set_working_directory": {"directory": str(CHECKOUT)}}],
        job_variables={"working_dir": str(CHECKOUT)},
        description=flow.description,
        parameter_openapi_schema=schema,
        enforce_parameter_schema=True,
        schedules=schedules,
    )


def _form(installation: Installation) -> dict[str, Any]:
    """Return the form of a new rollout: what the flow takes, with the plans as a drop-down.

    What may be left empty has one type here, since Prefect's form shows a switch between types for “or nothing”.
    """
    form = parameter_schema(rollout).model_dump()
    form["properties"] = {
        name: {**_of_one_type(field), "title": name.replace("_", " ").capitalize()}
        for name, field in form["properties"].items()
    }
    form["properties"]["plan"]["enum"] = installation.catalogue.names()
    form["properties"]["inputs"]["description"] += _asked_for(installation)
    return {**form, "additionalProperties": False}


def _asked_for(installation: Installation) -> str:
    """Say what each plan asks for beside a budget, and what holds when it is left out."""
    said = []
    for one in installation.catalogue.all():
        kept = {name: asked for name, asked in one.plan.inputs.items() if asked.kind is not InputKind.BUDGET}
        if kept:
            listed = ", ".join(inputs.in_words(name, asked) for name, asked in kept.items())
            said.append(f" `{one.plan.name}` asks for: {listed}.")
    return "".join(said)


def _of_one_type(field: dict[str, Any]) -> dict[str, Any]:
    types = [kind for kind in field.get("anyOf", []) if kind != {"type": "null"}]
    if len(types) != 1:
        return field
    rest = {key: value for key, value in field.items() if key not in ("anyOf", "default")}
    return {**rest, **types[0]}
