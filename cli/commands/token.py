"""`etappe token`: people's tokens for the API."""

from __future__ import annotations

import click

from cli.opening import opened
from cli.printing import json_option, moment, now_utc, print_json, print_table
from operations.tokens import list_tokens, make_token, revoke_token
from settings import Settings


@click.group()
def token() -> None:
    """Make, list and revoke people's tokens for the API."""


@token.command()
@click.argument("email")
@click.option("--name", required=True, metavar="TEXT", help="What it is for, such as “build server”.")
@click.option("--days", type=click.IntRange(min=1), help="How long it holds; until it is revoked when it is left out.")
@json_option
def create(email: str, name: str, days: int | None, as_json: bool) -> None:
    """Make a token that acts for the person with this address. It is shown once and kept by its hash alone."""
    with opened(Settings.from_environment()) as db:
        made = make_token(db, email, name, now_utc(), days)
    if as_json:
        expires_at = made.expires_at.isoformat() if made.expires_at else None
        print_json({"id": made.id, "person": made.person, "expires_at": expires_at, "token": made.token})
    else:
        until = f"until {moment(made.expires_at)}" if made.expires_at else "until it is revoked"
        click.echo(made.token)
        click.echo(f"It acts for {made.person} {until}, and is not shown again: keep it like a password.", err=True)


@token.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List every token, oldest first."""
    with opened(Settings.from_environment()) as db:
        found = list_tokens(db, now_utc())
    if as_json:
        print_json(found)
    elif found:
        rows = [
            [
                *(str(one[name]) for name in ("id", "person", "name", "state")),
                moment(one["created_at"]),
                moment(one["expires_at"]) if one["expires_at"] else "never",
            ]
            for one in found
        ]
        print_table(["ID", "PERSON", "NAME", "STATE", "MADE", "EXPIRES"], rows)
    else:
        click.echo("There is no token yet; make one with `etappe token create EMAIL --name TEXT`.")


@token.command()
@click.argument("token_id", metavar="ID", type=click.IntRange(min=1, max=2**31 - 1))
def revoke(token_id: int) -> None:
    """Let the token with this ID open nothing any more."""
    with opened(Settings.from_environment()) as db:
        revoke_token(db, token_id, now_utc())
    click.echo(f"The token {token_id} opens nothing any more.")
