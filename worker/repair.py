"""Compare every rollout with its flow run, from wherever it is asked for: the scheduled check or the command line."""

from __future__ import annotations

from prefect.client.orchestration import get_client

from operations.installation import Installation
from worker.flow_runs import launch, repair_all
from worker.post import now


def repair(installation: Installation) -> None:
    """Put right what went astray in Prefect. Raises whatever Prefect's client raises when Prefect is down."""
    with get_client(sync_client=True) as client:
        repair_all(client, installation, now())
        launch(client, installation)
