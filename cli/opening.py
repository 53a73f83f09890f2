"""What commands begin with: the settings, and a database that has been set up. Nothing here creates one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from domain.authority import OPERATOR
from domain.eligibility import normalise_address
from domain.errors import EtappeError, UnknownPerson
from models import schema
from models.database import Database
from models.people import Person
from operations.workspace import Actor
from settings import Settings

CHANNEL = "command"


class NotSetUp(EtappeError):
    """The database has not been set up; run `etappe start` or `etappe migrate`."""


class NotCurrent(EtappeError):
    """The database is at another version than this Etappe; run `etappe migrate`."""


class DatabaseFailed(EtappeError):
    """The database cannot be used."""

    def __init__(self, url: str, why: Exception) -> None:
        words = " ".join(str(getattr(why, "orig", None) or why).split())
        super().__init__(f"The database {url} cannot be used: {words[:300]}")


@contextmanager
def connected(settings: Settings) -> Iterator[Database]:
    """Give the database as it is, set up or not. Raises DatabaseFailed for whatever the database itself refuses."""
    try:
        url = make_url(settings.database_url).render_as_string(hide_password=True)
        db = Database(settings.database_url)
    except (ArgumentError, NoSuchModuleError, ImportError):
        raise EtappeError(
            "ETAPPE_DATABASE_URL is no address of a database; write sqlite:///… or postgresql://…"
        ) from None
    try:
        yield db
    except DBAPIError as failure:
        raise DatabaseFailed(url, failure) from failure
    finally:
        db.close()


@contextmanager
def opened(settings: Settings) -> Iterator[Database]:
    """Give the database. Raises NotSetUp, NotCurrent or DatabaseFailed."""
    if is_missing(settings):
        raise NotSetUp()
    with connected(settings) as db:
        require_current(db)
        yield db


def require_set_up(settings: Settings) -> None:
    """Refuse in one sentence, before a part is started that would only write it to its log. Raises as `opened` does."""
    with opened(settings):
        return


def require_current(db: Database) -> None:
    """Raise NotSetUp or NotCurrent when the database does not have the tables of this Etappe."""
    if not schema.is_current(db):
        raise NotCurrent() if has_tables(db) else NotSetUp()


def has_tables(db: Database) -> bool:
    """Whether an Etappe, of whatever version, has set this database up."""
    from sqlalchemy import inspect

    return inspect(db.engine).has_table("alembic_version")


def is_missing(settings: Settings) -> bool:
    """Whether the database is a file that does not exist; opening it would create it."""
    file = sqlite_file(settings)
    return file is not None and not file.exists()


def sqlite_file(settings: Settings) -> Path | None:
    """The file of a SQLite database; None for any other database."""
    prefix = "sqlite:///"
    url = settings.database_url
    return Path(url.removeprefix(prefix)).absolute() if url.startswith(prefix) and ":memory:" not in url else None


def actor(db: Database, by: str) -> Actor:
    """Return who gives a command: the person named with --by, or the operator. Raises UnknownPerson."""
    if not by:
        return Actor(OPERATOR, CHANNEL)
    email = normalise_address(by)
    with db.read() as session:
        person = session.get(Person, email)
    if person is None or person.gone_at is not None:
        raise UnknownPerson(f"“{email}” is not in the directory; `etappe people list` shows who is.")
    return Actor(email, CHANNEL)
