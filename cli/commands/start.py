"""`etappe start`: everything on this machine, from nothing to the addresses; Ctrl-C ends it all."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import click

from cli.parts import Layout, all_parts
from cli.prefect import PORT, credentials_option
from notifications.senders import SmtpSender
from settings import CHECKOUT, DEFAULT_PREFECT_PORT, DEFAULT_SMTP_PORT, DEFAULT_WEB_PORT
from settings.last_start import remember
from worker import supervisor


@click.command()
@click.option(
    "--home",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="ETAPPE_HOME",
    default=CHECKOUT / "var",
    show_default="var",
    help="The folder that holds everything.",
)
@click.option("--web-port", type=PORT, default=DEFAULT_WEB_PORT, show_default=True, help="The port of the pages.")
@click.option("--prefect-port", type=PORT, default=DEFAULT_PREFECT_PORT, show_default=True, help="Prefect's port.")
@click.option("--smtp-port", type=PORT, default=DEFAULT_SMTP_PORT, show_default=True, help="The local mailbox's port.")
@click.option("--base-url", envvar="ETAPPE_BASE_URL", default="", hidden=True)
@click.option("--smtp-url", envvar="ETAPPE_SMTP_URL", default="", hidden=True)
@credentials_option
def start(
    home: Path, web_port: int, prefect_port: int, smtp_port: int, base_url: str, smtp_url: str, prefect_credentials: str
) -> int:
    """Run all of Etappe on this machine: database, Prefect, deployments, mailbox, pages, relay and worker."""
    place = home.expanduser().resolve()
    layout = Layout(place, web_port, prefect_port, smtp_port, base_url, smtp_url, prefect_credentials)
    SmtpSender(layout.settings().smtp_url)  # an address that cannot be used is said before anything is set up
    return supervisor.run(all_parts(layout), place, when_ready=lambda: _is_up(layout))


def _is_up(layout: Layout) -> None:
    remember(layout.home, layout.addresses())
    with suppress(OSError):  # the terminal may have gone
        click.echo(welcome(layout, _deployment_page(layout)))


def _deployment_page(layout: Layout) -> str:
    try:
        deployment = layout.prefect.deployment_id("rollout/start")
    except OSError:
        deployment = None
    return f"{layout.prefect.pages}/deployments/deployment/{deployment}" if deployment else layout.prefect.pages


def welcome(layout: Layout, deployment_page: str) -> str:
    """Return what is said when everything runs: the addresses, and what to do next."""
    mails = f"{layout.web_url}/mailbox" if not layout.smtp_url else "sent by your own mail server"
    reading = f"Read the mails at {mails}." if not layout.smtp_url else "The approvers read their mails."
    return f"""
Etappe runs.

  Start a rollout   {deployment_page}
  Mails             {mails}
  Pages             {layout.web_url}

What to do next:
  1. Open the first address: the deployment rollout/start in Prefect. Choose Run, then Custom run, the plan
     social-media-introduction (Prefect opens lists by their arrow), a title, as requester lea.brunner@example.com,
     and a line of budget.
  2. {reading} The executive board is asked first.
  3. Follow the link in a mail, decide, and type the code that stands in the mail.
  4. All rollouts, those that need somebody first: .venv/bin/etappe board prints the address of that page.

Ctrl-C ends all.
"""
