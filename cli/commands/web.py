"""`etappe web`: the pages, in the foreground."""

from __future__ import annotations

import click

from cli.opening import require_set_up
from cli.prefect import PORT
from settings import DEFAULT_WEB_PORT, Settings
from worker.prefect_facts import PrefectFacts


@click.command()
@click.option("--web-port", type=PORT, default=DEFAULT_WEB_PORT, show_default=True)
@click.option("--prefect-url", envvar="PREFECT_API_URL", default="", hidden=True)
@click.option("--access-log", is_flag=True, help="Log every request; links are masked.")
def web(web_port: int, prefect_url: str, access_log: bool) -> None:
    """Serve the pages on 127.0.0.1 until Ctrl-C."""
    settings = Settings.from_environment()
    require_set_up(settings)
    from web.serve import serve  # imports FastAPI

    click.echo(f"Serving on http://127.0.0.1:{web_port}; Ctrl-C ends it.")
    serve(settings, port=web_port, prefect_ui_url=PrefectFacts(prefect_url).pages, access_log=access_log)
