"""`etappe migrate`: set the database up, or bring it up to date."""

from __future__ import annotations

import time

import click

from cli.opening import DatabaseFailed, NotCurrent, NotSetUp, connected, require_set_up, sqlite_file
from cli.printing import now_utc, plural
from domain.errors import EtappeError
from models import schema
from models.database import Database
from models.people import all_people
from operations.import_people import import_people
from operations.installation import Installation
from plans.catalogue import BUNDLED
from plans.directory import read_directory
from settings import Settings

LOOK_EVERY_SECONDS = 1
SAMPLE = BUNDLED / "people" / "sample.yaml"


@click.command()
@click.option("--sample-people", is_flag=True, help="Import the sample people when the directory is empty.")
@click.option(
    "--wait", is_flag=True, help="Set nothing up, but end when somebody else has, for what starts after that."
)
def migrate(sample_people: bool, wait: bool) -> None:
    """Set the database up, or bring it up to date; what it holds is kept."""
    settings = Settings.from_environment()
    if wait:
        _wait(settings)
        return
    file = sqlite_file(settings)
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
    _ = Installation(settings).keys  # made on first use, and refused when too short
    with connected(settings) as db:
        click.echo("The database is set up." if _upgrade(db) else "The database is up to date.")
        if sample_people:
            _import_sample(db)


def _wait(settings: Settings) -> None:
    """Return when the database can be used, and say what is in the way until then, each thing once."""
    said = ""
    while True:
        try:
            require_set_up(settings)
        except (NotSetUp, NotCurrent, DatabaseFailed) as not_yet:
            if str(not_yet) != said:
                click.echo(said := str(not_yet))
            time.sleep(LOOK_EVERY_SECONDS)
        else:
            click.echo("The database is set up.")
            return


def _upgrade(db: Database) -> bool:
    """Upgrade the database; returns whether there was anything to do."""
    from alembic.util.exc import CommandError

    if schema.is_current(db):
        return False
    try:
        schema.upgrade(db)
    except CommandError as failure:
        raise EtappeError(f"The database comes from another version of Etappe: {failure}.") from failure
    return True


def _import_sample(db: Database) -> None:
    with db.read() as session:
        if session.scalars(all_people().limit(1)).first():
            return
    imported = import_people(db, read_directory(SAMPLE.read_bytes(), str(SAMPLE)), now_utc())
    click.echo(f"The sample directory is imported: {plural(imported.present, 'person', 'people')}.")
