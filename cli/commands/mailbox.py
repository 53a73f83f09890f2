"""`etappe mailbox`: take every mail on this machine, for trying things out."""

from __future__ import annotations

from urllib.parse import urlsplit

import click

from cli.prefect import PORT
from notifications.mailbox import run_mailbox
from settings import DEFAULT_SMTP_PORT, Settings


@click.command()
@click.option(
    "--smtp-port", type=PORT, help=f"Default: the port of ETAPPE_SMTP_URL on this machine, or {DEFAULT_SMTP_PORT}."
)
def mailbox(smtp_port: int | None) -> None:
    """Run the local mailbox until Ctrl-C; its mails are shown at /mailbox of the web page."""
    settings = Settings.from_environment()
    configured = urlsplit(settings.smtp_url).port if settings.has_own_mailbox else None
    port = smtp_port or configured or DEFAULT_SMTP_PORT
    run_mailbox(settings.mailbox_folder, port, _say)


def _say(port: int) -> None:
    click.echo(f"Taking mail on 127.0.0.1, port {port}; Ctrl-C ends it.")
