"""`etappe people away`, `absences`, `back`, `calendar`: who is away, as it is said or as their calendar says."""

from __future__ import annotations

from datetime import date

import click

from cli.opening import actor, opened
from cli.printing import json_option, moment, now_utc, print_json, print_table
from cli.typed import Day
from domain.delegation import whole_days
from domain.eligibility import normalise_address
from domain.errors import UnknownAbsence
from operations.be_away import be_away
from operations.come_back import come_back, come_back_now
from operations.list_absences import list_absences, list_calendars
from operations.list_delegations import time_zone_of
from operations.set_calendar import set_calendar
from settings import Settings

_BY = click.option("--by", default="", metavar="EMAIL", help="Who says so, for the record; else the operator.")


@click.command("away")
@click.argument("email")
@click.option("--from", "first", required=True, type=Day(), help="The first day, where EMAIL lives.")
@click.option("--until", "last", required=True, type=Day(), help="The last day.")
@click.option("--delegate", default="", metavar="EMAIL", help="Who answers in their place; default: nobody.")
@_BY
def away(email: str, first: date, last: date, delegate: str, by: str) -> None:
    """Say that EMAIL is away: somebody answers for them, or whatever cannot wait is asked of others at once."""
    settings = Settings.from_environment()
    with opened(settings) as db:
        term = whole_days(first, last, time_zone_of(db, email))
        number = be_away(db, settings.secret_keys, email, term, delegate, actor(db, by), now_utc())
    meanwhile = (
        f"{delegate} answers for them"
        if delegate
        else "what cannot wait for them is asked at once of others whom its plan names"
    )
    click.echo(
        f"From {first} until {last}, {email} is away; {meanwhile}. To end it early: etappe people back {email} {number}"
    )


@click.command("absences")
@click.argument("email", default="")
@json_option
def absences(email: str, as_json: bool) -> None:
    """List who is away or will be (only EMAIL), and which calendars could not be read."""
    person = normalise_address(email) if email else ""
    with opened(Settings.from_environment()) as db:
        if person:
            time_zone_of(db, person)  # whoever is unknown is refused
        found, calendars = list_absences(db, now_utc(), person), list_calendars(db, person)
    if as_json:
        print_json({"absences": found, "calendars": calendars})
        return
    if found:
        names = ("id", "state", "person", "first_day", "last_day", "delegate", "source")
        titles = [name.upper().replace("_", " ") for name in names]
        print_table(titles, [[str(one[name] or "nobody") for name in names] for one in found])
    else:
        click.echo("Nobody is away, as far as it is known.")
    for calendar in calendars:
        if calendar["problem"]:
            read_at = moment(calendar["read_at"])
            click.echo(f"The calendar of {calendar['person']} could not be read, {read_at}: {calendar['problem']}.")


@click.command("back")
@click.argument("email")
@click.argument("number", metavar="[ID]", required=False, type=click.IntRange(min=1))
@_BY
def back(email: str, number: int | None, by: str) -> None:
    """Say that EMAIL is back: ends the absence ID, or whatever says that they are away now."""
    settings = Settings.from_environment()
    with opened(settings) as db:
        who, now = actor(db, by), now_utc()
        if number is None:
            come_back_now(db, settings.secret_keys, email, who, now)
        else:
            _refuse_others(list_absences(db, now, normalise_address(email)), number)
            come_back(db, settings.secret_keys, number, who, now)
    click.echo(f"{email} is back." if number is None else f"The absence {number} is over.")


def _refuse_others(theirs: list[dict[str, object]], number: int) -> None:
    if all(one["id"] != number for one in theirs):
        raise UnknownAbsence()


@click.command("calendar")
@click.argument("email")
@click.argument("address", metavar="[URL]", default="")
@click.option("--none", "takes_away", is_flag=True, help="No calendar any more; what it said is forgotten.")
@_BY
def calendar(email: str, address: str, takes_away: bool, by: str) -> None:
    """Read the iCalendar at URL once a day to know when EMAIL is away; of it, only these days are kept."""
    if bool(address) == takes_away:
        raise click.UsageError("Write either the calendar's address or --none.")
    settings = Settings.from_environment()
    with opened(settings) as db:
        set_calendar(db, email, address, actor(db, by), now_utc())
    if address:
        click.echo(f"The relay reads it soon, and daily. To see what it says: etappe people absences {email}")
    else:
        click.echo(f"{email} has no calendar here any more.")
