"""The scheduled check: finds whatever has stalled, reminds, escalates, lets expire, and repairs flow runs."""

from __future__ import annotations

from prefect import flow

from operations.check_stalled import CheckReport
from tasks.check import check_rollouts, repair_flow_runs


@flow(name="check-stalled", flow_run_name="Check what has stalled", persist_result=False)
def check_stalled() -> CheckReport:
    """Look after every rollout whose time has come, then at every flow run that went astray."""
    report = check_rollouts()
    repair_flow_runs()
    return report
