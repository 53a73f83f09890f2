"""One thing that one person is asked, under its rollout's lock: what every answer begins with, whatever its channel."""

from __future__ import annotations

from dataclasses import dataclass

from domain.errors import EvidenceChanged, GateSettled, NotEligible
from domain.reasons import Reason
from models.gates import GateRow
from models.requests import Request, RequestState
from operations.delegating import delegation_behind
from operations.question import shown_digest
from operations.show_request import RequestPage, page
from operations.workspace import Workspace


@dataclass(frozen=True)
class Asked:
    """One request under its rollout's lock, and the gate at which it asks."""

    ws: Workspace
    request: Request
    gate: GateRow


def page_of(asked: Asked) -> RequestPage:
    """Return the page of what was asked, as it is once the answer is committed."""
    return page(asked.ws, asked.request)


def refuse_what_is_over(asked: Asked, digest: str) -> None:
    """Raise GateSettled when this request is no longer open, EvidenceChanged when it is about something else now.

    Raises NotEligible when it was answered in another one's place, and that one's voice is no longer lent.
    """
    if asked.request.state is not RequestState.OPEN:
        raise GateSettled()
    refuse_what_is_no_longer_lent(asked)
    now_shown = shown_digest(asked.ws, asked.gate, asked.request)
    if digest != now_shown:
        raise EvidenceChanged(now_shown)


def refuse_what_is_no_longer_lent(asked: Asked) -> None:
    """Raise NotEligible when a delegation has ended, though the scheduled check has not taken its requests back yet."""
    delegator = asked.request.on_behalf_of
    if delegator and delegation_behind(asked.ws, asked.request) is None:
        raise NotEligible(Reason("You can no longer answer in the place of {person}.", {"person": delegator}))
