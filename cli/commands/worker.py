"""`etappe worker`: the relay and a Prefect worker, in the foreground."""

from __future__ import annotations

import click

from cli import prefect
from cli.opening import require_set_up
from cli.parts import worker_parts
from domain.errors import EtappeError
from settings import Settings
from worker import supervisor
from worker.prefect_facts import PrefectFacts


@click.command()
@prefect.prefect_options
def worker(api: PrefectFacts) -> int:
    """Run the relay and a Prefect worker until Ctrl-C. Mail goes out, and flow runs run; both are ended together."""
    settings = Settings.from_environment()
    require_set_up(settings)
    if not api.answers():
        raise EtappeError(f"Prefect does not answer at {api.url}; start it, or run `etappe relay` for the mail alone.")
    return supervisor.run(worker_parts(settings, api), settings.home / "worker", when_ready=_say)


def _say() -> None:
    click.echo("Working; Ctrl-C ends it.")
