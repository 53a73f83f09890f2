"""Whole days of somebody, by API: what absences and delegations have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import Path

from domain.delegation import Term, whole_days
from domain.errors import EtappeError
from operations.list_delegations import time_zone_of
from web.api.bodies import DaysBody
from web.api.caller import Caller

Number = Annotated[int, Path(ge=1, lt=2**31, description="Its id")]


def person_and_term(me: Caller, body: DaysBody) -> tuple[str, Term]:
    """Return whose days a body means, the caller's own where it names nobody, and from when until when they are.

    Raises UnknownPerson for somebody who is not in the directory.
    """
    person = body.person or me.address
    return person, whole_days(body.from_, body.until, time_zone_of(me.db, person))


def numbered(found: Sequence[dict[str, Any]], number: int, unknown: type[EtappeError]) -> dict[str, Any]:
    """Return the one of these facts with this id. Raises `unknown`: what strangers may not see is not there."""
    for one in found:
        if one["id"] == number:
            return one
    raise unknown()
