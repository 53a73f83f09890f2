"""Compare every rollout with its flow run, outside any flow run: for the command line."""

from __future__ import annotations

from datetime import UTC, datetime

from prefect.client.orchestration import get_client

from operations.installation import Installation
from tasks import flow_runs


def reconcile(installation: Installation) -> None:
    """Put right what went astray in Prefect. Raises whatever Prefect's client raises when Prefect is down."""
    with get_client(sync_client=True) as client:
        flow_runs.repair_all(client, installation, datetime.now(UTC))
        flow_runs.launch(client, installation)
