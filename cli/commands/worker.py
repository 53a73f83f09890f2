"""`etappe worker`: the relay and a stock Prefect worker, in the foreground."""

from __future__ import annotations

import click

from cli import prefect
from cli.opening import opened
from cli.parts import worker_parts
from domain.errors import EtappeError
from settings import Settings
from worker import supervisor


@click.command()
@prefect.prefect_options
def worker(**prefect_place: str) -> int:
    """Run the relay and a Prefect worker until Ctrl-C. Mail goes out, and flow runs run; both are ended together."""
    settings = Settings.from_environment()
    with opened(settings):
        api = prefect.facts_of(**prefect_place)  # type: ignore[arg-type]  # click gives an int for the port
    if not api.answers():
        raise EtappeError(f"Prefect does not answer at {api.url}; start it, or run `etappe relay` for the mail alone.")
    return supervisor.run(worker_parts(settings, api), settings.home / "worker", when_ready=_say)


def _say() -> None:
    click.echo("Working; Ctrl-C ends it.")
