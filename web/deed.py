"""What every verb that comes by a link is given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from models.database import Database
from operations.show_request import RequestPage
from web.forms import Upload

Shown = Callable[[], RequestPage]
"""Gives the page as it is now, for what cannot be read without it."""


@dataclass(frozen=True)
class Deed:
    """One answer by a link; `uploads` are the files that came with it."""

    database: Database
    keys: Sequence[bytes]
    token: str
    now: datetime
    uploads: Sequence[Upload] = ()
