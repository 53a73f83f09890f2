"""The schema as a whole: every table, and bringing a database up to it."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from models import (
    absences,
    access,
    base,
    checks,
    conditions,
    delegations,
    evidence,
    exclusive,
    gates,
    measurements,
    outbox,
    people,
    prefect_page,
    record,
    requests,
    rollouts,
)
from models.database import Database

TABLES = (people, rollouts, gates, requests, measurements, evidence, conditions, delegations, absences, exclusive,
          record, outbox, access, prefect_page, checks)  # fmt: skip
metadata = base.Base.metadata
_MIGRATIONS = Path(__file__).parent / "migrations"


def upgrade(db: Database) -> None:
    """Bring the database up to the newest revision, creating it when it is empty."""
    from alembic import command

    with db.without_foreign_keys().begin() as connection:
        command.upgrade(_config(connection), "head")


def is_current(db: Database) -> bool:
    """Whether the database is at the newest revision. Every command asks, so alembic is not imported for it."""
    with db.engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return False
        return connection.scalars(text("SELECT version_num FROM alembic_version")).all() == [newest_revision()]


def newest_revision() -> str:
    """The revision that this Etappe needs: the files of the migrations are named by revision, one after the other."""
    return max(path.name for path in (_MIGRATIONS / "versions").glob("[0-9]*.py")).partition("_")[0]


def _config(connection: Connection):  # type: ignore[no-untyped-def]  # alembic is imported only when needed
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    return config
