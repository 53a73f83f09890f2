"""`etappe people feed`: the address of somebody's calendar feed."""

from __future__ import annotations

import click

from cli.opening import opened
from operations.renew_feed import renew_feed
from settings import Settings


@click.command("feed")
@click.argument("email")
@click.option("--renew", is_flag=True, help="Give it a new address; the old one leads nowhere from then on.")
def feed(email: str, renew: bool) -> None:
    """Print the address of EMAIL's calendar with all that they are asked. Whoever has it can read that: give it to
    EMAIL alone."""
    settings = Settings.from_environment()
    with opened(settings) as db:
        click.echo(renew_feed(db, settings.secret_keys, settings.base_url, email, renew=renew))
