"""`etappe people delegate`, `delegations`, `end-delegation`: who answers in whose place, and for how long."""

from __future__ import annotations

from datetime import date

import click

from cli.opening import actor, opened
from cli.printing import json_option, now_utc, print_json, print_table
from cli.typed import Day
from domain.delegation import whole_days
from operations.delegate import delegate, end_delegation
from operations.list_delegations import list_delegations, time_zone_of
from settings import Settings

_BY = click.option("--by", default="", metavar="EMAIL", help="Who says so, for the record; else the operator.")


@click.command("delegate")
@click.argument("email")
@click.option("--to", required=True, metavar="EMAIL", help="Who answers in their place.")
@click.option("--from", "first", required=True, type=Day(), help="The first day, where EMAIL lives.")
@click.option("--until", "last", required=True, type=Day(), help="The last day.")
@_BY
def give(email: str, to: str, first: date, last: date, by: str) -> None:
    """Have somebody asked in the place of EMAIL as well: what waits already, and what comes."""
    settings = Settings.from_environment()
    with opened(settings) as db:
        term = whole_days(first, last, time_zone_of(db, email))
        who = actor(db, by)
        number = delegate(db, settings.secret_keys, email, to, term.starts_at, term.ends_at, who, now_utc())
    click.echo(
        f"From {first} until {last}, {to} is asked in the place of {email} as well; both are told. "
        f"To end it early: etappe people end-delegation {number}"
    )


@click.command("delegations")
@json_option
def list_(as_json: bool) -> None:
    """List every delegation, newest first."""
    with opened(Settings.from_environment()) as db:
        found = list_delegations(db, now_utc())
    if as_json:
        print_json(found)
    elif found:
        names = ("id", "state", "delegator", "delegate", "first_day", "last_day", "given_by")
        print_table([name.upper().replace("_", " ") for name in names], [[str(one[n]) for n in names] for one in found])
    else:
        click.echo("Nobody has lent their voice yet.")


@click.command("end-delegation")
@click.argument("number", metavar="ID", type=click.IntRange(min=1))
@_BY
def end(number: int, by: str) -> None:
    """End a delegation before its time; what is asked by it is taken back."""
    settings = Settings.from_environment()
    with opened(settings) as db:
        end_delegation(db, settings.secret_keys, number, actor(db, by), now_utc())
    click.echo(f"The delegation {number} is over; both are told.")
