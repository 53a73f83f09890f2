"""`etappe people`: who can be asked, who holds which role, who is away, and who answers in whose place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from cli.commands import people_away, people_feed, people_lending
from cli.opening import opened
from cli.printing import json_option, now_utc, print_json, print_table
from models.database import Database
from models.people import holders_present, people_present
from operations.import_people import import_people
from plans.directory import read_directory
from settings import Settings


@click.group()
def people() -> None:
    """Import and list people and their roles; say who is away, and who answers in another one's place."""


for _command in (
    people_lending.give,
    people_lending.list_,
    people_lending.end,
    people_away.away,
    people_away.absences,
    people_away.back,
    people_away.calendar,
    people_feed.feed,
):
    people.add_command(_command)


@people.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@json_option
def import_(file: Path, as_json: bool) -> None:
    """Make the directory what FILE says. Whoever FILE does not name any more is marked as gone."""
    directory = read_directory(file.read_bytes(), str(file))
    with opened(Settings.from_environment()) as db:
        imported = import_people(db, directory, now_utc())
    if as_json:
        print_json(dict(vars(imported)))
    else:
        click.echo(f"In the directory: {imported.present}, of them new: {imported.new}. Gone: {imported.gone}.")
        if imported.closures or imported.closures_before:
            click.echo(f"Closures of the company: {imported.closures}; before, there were {imported.closures_before}.")


@people.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List who is in the directory, with their roles."""
    with opened(Settings.from_environment()) as db:
        found = _present(db)
    if as_json:
        print_json(found)
    elif found:
        rows = [
            [one["email"], one["name"], one["language"], one["time_zone"], ", ".join(one["roles"])] for one in found
        ]
        print_table(["EMAIL", "NAME", "LANGUAGE", "TIME ZONE", "ROLES"], rows)
    else:
        click.echo("Nobody is in the directory yet; import a file with `etappe people import FILE`.")


def _present(db: Database) -> list[dict[str, Any]]:
    with db.read() as session:
        roles: dict[str, list[str]] = {}
        for holder in session.scalars(holders_present()):
            roles.setdefault(holder.email, []).append(holder.role)
        return [
            {
                "email": person.email,
                "name": person.name,
                "language": person.language,
                "time_zone": person.time_zone,
                "holidays": person.holidays,
                "assistant": person.assistant,
                "quiet": person.quiet,
                "morning": person.morning,
                "roles": roles.get(person.email, []),
            }
            for person in session.scalars(people_present())
        ]
