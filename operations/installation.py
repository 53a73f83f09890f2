"""One installation, opened: its settings, its database, its keys and its plans."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from domain import links
from domain.errors import SecretKeyTooShort
from models.database import Database
from plans.catalogue import Catalogue
from settings import Settings


@dataclass(frozen=True)
class Installation:
    """What the edges (web, worker, flows, command line) hand to the verbs."""

    settings: Settings

    @classmethod
    def from_environment(cls) -> Installation:
        """Open the installation that the environment describes."""
        return cls(Settings.from_environment())

    @cached_property
    def db(self) -> Database:
        """The database; it must have been brought up to date (models/schema.py)."""
        return Database(self.settings.database_url)

    @cached_property
    def keys(self) -> Sequence[bytes]:
        """The keys that links and codes are derived from. Raises SecretKeyTooShort."""
        keys = self.settings.secret_keys
        if any(len(key) < links.SHORTEST_KEY for key in keys):
            raise SecretKeyTooShort()
        return keys

    @cached_property
    def catalogue(self) -> Catalogue:
        """The plans that can be started."""
        return Catalogue(self.settings.plan_folders)
