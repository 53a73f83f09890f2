"""`etappe deploy`: register the deployments with Prefect."""

from __future__ import annotations

import click

from cli import prefect
from domain.errors import EtappeError
from operations.installation import Installation
from settings import Settings
from worker.prefect_facts import PrefectFacts


@click.command()
@prefect.prefect_options
def deploy(api: PrefectFacts) -> None:
    """Register `rollout/start`, `check-stalled/scheduled` and `shift-traffic/sample` with Prefect. Repeat it after
    adding a plan."""
    settings = Settings.from_environment()
    if not api.answers():
        raise EtappeError(f"Prefect does not answer at {api.url}; start it, or say where it is with PREFECT_API_URL.")
    prefect.use(settings.home, api)
    from flows.deploy import deploy as register  # imports Prefect, which takes seconds

    register(Installation(settings))
    click.echo(f"Registered rollout/start, check-stalled/scheduled and shift-traffic/sample at {api.pages}.")
