"""The scheduled check as Prefect shows it."""

from __future__ import annotations

from datetime import UTC, datetime

from prefect import task
from prefect.client.orchestration import get_client
from prefect.logging import get_run_logger

from operations.check_stalled import CheckReport, check_stalled
from settings.machine import machine_name
from tasks import flow_runs
from tasks.rollout import installation


@task(name="check rollouts", task_run_name="Remind, escalate, expire", persist_result=False)
def check_rollouts() -> CheckReport:
    """Do what has come due in every rollout."""
    here = installation()
    report = check_stalled(here.db, here.keys, datetime.now(UTC), machine_name())
    get_run_logger().info("%s", report)
    return report


@task(name="compare with Prefect", task_run_name="Repair flow runs", persist_result=False)
def repair_flow_runs() -> None:
    """Put right the flow runs that crashed, were deleted, cancelled or forged."""
    with get_client(sync_client=True) as client:
        flow_runs.repair_all(client, installation(), datetime.now(UTC))
        flow_runs.launch(client, installation())
