"""What the pages are given when the application is put together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from models.database import Database
from settings import Settings


def utc_now() -> datetime:
    """Return the moment, aware."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class House:
    """One installation as its pages see it. `prefect_ui_url` is shown to people, "" when there is none to show."""

    settings: Settings
    database: Database
    prefect_ui_url: str = ""
    now: Callable[[], datetime] = utc_now
