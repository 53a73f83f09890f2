"""What every verb that comes by a link is given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from models.database import Database
from web.forms import Upload


@dataclass(frozen=True)
class Deed:
    """One answer by a link; `uploads` are the files that came with it."""

    database: Database
    keys: Sequence[bytes]
    token: str
    now: datetime
    uploads: Sequence[Upload] = ()
