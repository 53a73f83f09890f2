"""One thing that one person is asked, under its rollout's lock: what every answer begins with, whatever its channel."""

from __future__ import annotations

from dataclasses import dataclass

from domain.errors import EvidenceChanged, GateSettled
from models.gates import GateRow, Request, RequestState
from operations.question import shown_digest
from operations.workspace import Workspace


@dataclass(frozen=True)
class Asked:
    """One request under its rollout's lock, and the gate at which it asks."""

    ws: Workspace
    request: Request
    gate: GateRow


def refuse_what_is_over(asked: Asked, digest: str) -> None:
    """Raise GateSettled when this request is no longer open, EvidenceChanged when it is about something else now."""
    if asked.request.state is not RequestState.OPEN:
        raise GateSettled()
    now_shown = shown_digest(asked.ws, asked.gate)
    if digest != now_shown:
        raise EvidenceChanged(now_shown)
