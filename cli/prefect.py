"""Which Prefect a command talks to: PREFECT_API_URL, or the one on this machine that `etappe start` runs or ran."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click

from settings import DEFAULT_PREFECT_PORT, Settings
from settings.last_start import remembered
from worker.prefect_facts import PrefectFacts
from worker.prefect_server import prefect_environment

_F = TypeVar("_F", bound=Callable[..., Any])
PORT = click.IntRange(1, 65535)


credentials_option = click.option(
    "--prefect-credentials",
    envvar=["PREFECT_API_AUTH_STRING", "PREFECT_SERVER_API_AUTH_STRING"],
    default="",
    hidden=True,
)


def prefect_options(command: _F) -> Callable[..., Any]:
    """Add what says which Prefect is meant; the command is given it as `api`."""

    @wraps(command)
    def with_api(
        *arguments: Any, prefect_port: int | None, prefect_url: str, prefect_credentials: str, **more: Any
    ) -> Any:
        return command(*arguments, api=_facts_of(prefect_port, prefect_url, prefect_credentials), **more)

    port = click.option(
        "--prefect-port",
        type=PORT,
        help="Prefect's port on this machine; default: what PREFECT_API_URL says, or the last `etappe start`.",
    )
    url = click.option("--prefect-url", envvar="PREFECT_API_URL", default="", hidden=True)
    return port(url(credentials_option(with_api)))


def _facts_of(prefect_port: int | None, prefect_url: str, prefect_credentials: str) -> PrefectFacts:
    """Return the Prefect that is meant: by a port that was given, else by PREFECT_API_URL, else this machine's own."""
    if prefect_port:
        return PrefectFacts(_here(prefect_port), prefect_credentials)
    started = remembered(Settings.from_environment().home).get("PREFECT_API_URL")
    return PrefectFacts(prefect_url or started or _here(DEFAULT_PREFECT_PORT), prefect_credentials)


def _here(port: int) -> str:
    return f"http://127.0.0.1:{port}/api"


def client_environment(home: Path, prefect: PrefectFacts) -> dict[str, str]:
    """Return the variables with which Prefect's own code finds this Prefect, and nobody's profile."""
    environment = prefect_environment(home, DEFAULT_PREFECT_PORT, credentials=prefect.credentials)
    only_clients = {name: value for name, value in environment.items() if not name.startswith("PREFECT_SERVER_")}
    return {**only_clients, "PREFECT_API_URL": prefect.url}


def use(home: Path, prefect: PrefectFacts) -> None:
    """Make this process talk to that Prefect; to be called before Prefect is imported."""
    os.environ.update(client_environment(home, prefect))
