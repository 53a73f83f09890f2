"""`etappe relay`: deliver mail and keep Prefect's page in step, in the foreground."""

from __future__ import annotations

import logging
import signal
import threading
from types import FrameType

import click

from cli import prefect
from cli.opening import require_set_up
from operations.installation import Installation
from settings import Settings
from worker.prefect_facts import PrefectFacts


@click.command()
@prefect.prefect_options
def relay(api: PrefectFacts) -> None:
    """Deliver mail and keep Prefect in step with the database, until Ctrl-C or SIGTERM."""
    settings = Settings.from_environment()
    require_set_up(settings)
    prefect.use(settings.home, api)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    from worker.relay import run

    installation = Installation(settings)
    try:
        run(installation, _told_to_stop())
    finally:
        installation.db.close()


def _told_to_stop() -> threading.Event:
    """Return what is set by Ctrl-C and SIGTERM."""
    stop = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGINT, end)
    signal.signal(signal.SIGTERM, end)
    return stop
