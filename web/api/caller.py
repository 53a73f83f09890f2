"""Who calls: the person that a bearer token acts for, and what every call needs besides."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Path, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.exceptions import HTTPException

from domain.errors import TokenRefused
from domain.reasons import Reason
from models.database import Database
from operations.seeing import require_seen
from operations.tokens import person_of
from operations.workspace import Actor
from web.house import House

CHANNEL, ASSURANCE = "api", "token"
UNSUPPORTED_MEDIA_TYPE = 415
_bearer = HTTPBearer(auto_error=False, description="A token made by `etappe token create`")


@dataclass(frozen=True)
class Caller:
    """One call: by whom, when, and at which installation."""

    house: House
    address: str
    now: datetime

    @property
    def db(self) -> Database:
        """The installation's database."""
        return self.house.database

    @property
    def keys(self) -> Sequence[bytes]:
        """The installation's secret keys."""
        return self.house.settings.secret_keys

    @property
    def actor(self) -> Actor:
        """Whom the record names."""
        return Actor(self.address, CHANNEL, ASSURANCE)


def _caller(request: Request, shown: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]) -> Caller:
    house: House = request.app.state.house
    if shown is None:
        raise TokenRefused(Reason("This needs a token: send it as “Authorization: Bearer etappe_…”."))
    now = house.now()
    return Caller(house, person_of(house.database, shown.credentials, now), now)


Me = Annotated[Caller, Depends(_caller)]
"""Whoever calls. Nothing below /api/v1 but its description is given without a token."""

RolloutId = Annotated[str, Path(pattern=r"^[a-z0-9]{1,16}$", description="A rollout's id")]
GateId = Annotated[str, Path(pattern=r"^[a-z0-9-]{1,60}$", description="A gate's id in the plan")]


def _seen(rollout_id: RolloutId, me: Me) -> str:
    require_seen(me.db, rollout_id, me.address)
    return rollout_id


SeenRollout = Annotated[str, Depends(_seen)]
"""The id of a rollout that the caller may look at; for others there is none."""


def _takes(media_type: str) -> Callable[[Request], None]:
    def refuse_others(request: Request) -> None:
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != media_type:
            raise HTTPException(UNSUPPORTED_MEDIA_TYPE, f"Send {media_type}, and say so in Content-Type.")

    return refuse_others


TakesJson, TakesCsv = Depends(_takes("application/json")), Depends(_takes("text/csv"))
"""Refuse a body that does not say that it is of this kind."""
