"""Signed calls by other systems at a check, as Standard Webhooks has them; no token, a signature."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, Request
from fastapi.security import APIKeyHeader
from pydantic import BaseModel, ConfigDict, Field

from domain import signatures
from domain.checks import read_answer
from domain.errors import EtappeError, SignatureRefused
from domain.reasons import Reason
from operations.record_check import Call, record_check
from settings import Settings
from web.api.caller import GateId, RolloutId
from web.house import House

router = APIRouter(tags=["checks"])
_signature = APIKeyHeader(
    name="webhook-signature",
    scheme_name="StandardWebhooks",
    description="“v1,” and the HMAC-SHA256 over “id.timestamp.body”, in base64: https://www.standardwebhooks.com",
    auto_error=False,
)
Keys = Mapping[str, Sequence[bytes]]
_AT_MOST = 200


class CheckBody(BaseModel):
    """What another system says."""

    verdict: Literal["pass", "fail"] = Field(description="Whether the gate may pass")
    message: str = Field(default="", description="Why, for people to read; at most 1000 characters of it are kept")


class CheckFacts(BaseModel):
    """What was recorded."""

    model_config = ConfigDict(extra="forbid")

    rollout: str
    gate: str
    round: int
    verdict: Literal["pass", "fail"]
    message: str
    recorded_at: datetime
    repeated: bool = Field(description="Whether it was recorded by an earlier call of the same id")


def known_keys(settings: Settings) -> Keys:
    """Return the keys that calls may be signed with, by name. Raises EtappeError for what is no key."""
    keys: dict[str, list[bytes]] = {}
    for name, secret in settings.check_keys:
        try:
            keys.setdefault(name, []).append(signatures.key(secret))
        except ValueError as wrong:
            raise EtappeError(f"The key “{name}” in ETAPPE_CHECK_KEYS {wrong}.") from None
    return keys


async def _as_sent(request: Request) -> bytes:
    return await request.body()


_BODY = {"requestBody": {"required": True, "content": {"application/json": {"schema": CheckBody.model_json_schema()}}}}
_Given = Annotated[str, Header(max_length=_AT_MOST)]


@router.post("/checks/{rollout_id}/{gate_id}", response_model=CheckFacts, openapi_extra=_BODY)
def call(
    request: Request,
    rollout_id: RolloutId,
    gate_id: GateId,
    body: Annotated[bytes, Depends(_as_sent)],
    signature: Annotated[str | None, Depends(_signature)],
    webhook_id: _Given = "",
    webhook_timestamp: _Given = "",
) -> dict[str, Any]:
    """Say pass or fail at a check, signed with the key that its plan names. The same call once more changes nothing."""
    house: House = request.app.state.house
    now = house.now()
    signer = _signer(request.app.state.check_keys, webhook_id, webhook_timestamp, signature or "", body, now)
    answer = read_answer(body, may_wait=False)
    made = Call(signer, webhook_id)
    recorded = record_check(house.database, house.settings.secret_keys, rollout_id, gate_id, answer, made, now)
    return {
        "rollout": rollout_id,
        "gate": gate_id,
        "round": recorded.round,
        "verdict": recorded.answer.verdict.value,
        "message": recorded.answer.message,
        "recorded_at": recorded.recorded_at,
        "repeated": recorded.repeated,
    }


def _signer(keys: Keys, message_id: str, timestamp: str, given: str, body: bytes, now: datetime) -> str:
    """Return the name of the key a call is signed with. Raises SignatureRefused."""
    signed = [name for name, each in keys.items() if signatures.is_signed(each, message_id, timestamp, given, body)]
    if not signed:
        raise SignatureRefused(Reason("The call is not signed with a key that is known here; nothing was recorded."))
    if not signatures.is_timely(timestamp, now):
        raise SignatureRefused(Reason("The call was not sent within the last five minutes; nothing was recorded."))
    return signed[0]
