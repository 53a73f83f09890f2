"""`etappe web`: the pages, in the foreground."""

from __future__ import annotations

import click

from cli.opening import require_set_up
from cli.parts import HOST, WEB_PROCESSES_VARIABLE
from cli.prefect import PORT
from settings import DEFAULT_WEB_PORT, Settings
from worker.prefect_facts import PrefectFacts
from worker.processes import together


@click.command()
@click.option("--web-port", type=PORT, default=DEFAULT_WEB_PORT, show_default=True)
@click.option("--host", default=HOST, show_default=True, help="The address to listen on; in a container 0.0.0.0.")
@click.option(
    "--processes",
    type=click.IntRange(1, 64),
    envvar=WEB_PROCESSES_VARIABLE,
    default=1,
    show_default=True,
    help="How many processes answer; each uses one core at most.",
)
@click.option("--prefect-url", envvar="PREFECT_API_URL", default="", hidden=True)
@click.option("--prefect-ui-url", envvar="PREFECT_UI_URL", default="", hidden=True)
@click.option("--access-log", is_flag=True, help="Log every request; links are masked.")
def web(web_port: int, host: str, processes: int, prefect_url: str, prefect_ui_url: str, access_log: bool) -> None:
    """Serve the pages on this machine until Ctrl-C."""
    settings = Settings.from_environment()
    require_set_up(settings)
    from web.serve import listening  # imports FastAPI

    pages = prefect_ui_url or PrefectFacts(prefect_url).pages
    with listening(settings, host=host, port=web_port, prefect_ui_url=pages, access_log=access_log) as serve:
        click.echo(f"Serving on http://{host}:{web_port}; Ctrl-C ends it.")
        together(processes, serve)
