"""`etappe board`: the address of the page with all rollouts."""

from __future__ import annotations

import click

from cli.opening import require_set_up
from cli.printing import json_option, print_json
from domain import links
from settings import Settings


@click.command()
@json_option
def board(as_json: bool) -> None:
    """Print the address of the page with all rollouts, those that need somebody first. Whoever has it can read them."""
    settings = Settings.from_environment()
    require_set_up(settings)
    address = links.board(settings.base_url, settings.secret_keys[0])
    if as_json:
        print_json({"page": address})
    else:
        click.echo(address)
