"""Why a link no longer counts, in words."""

from __future__ import annotations

from domain.states import GateState
from models.requests import Purpose, VoidReason
from operations.show_request import RequestPage
from web import wording


def title_and_sentence(found: RequestPage) -> tuple[str, str]:
    """Return what a page says whose request no longer counts, as msgids."""
    reason = _reason(found)
    if reason is VoidReason.SETTLED and found.settlement is None:  # a list that somebody else has filled in
        return wording.DONE_BY_OTHERS
    if reason is VoidReason.NOT_NEEDED and found.purpose is Purpose.RESPOND:
        return wording.VOID_TITLES[reason], wording.NO_LONGER_ASKED_FOR
    if reason is VoidReason.EXPIRED and found.question.silence_is_consent:
        return wording.VOID_TITLES[reason], wording.NO_CONSENT
    if reason is VoidReason.SPOKEN_FOR and found.purpose is Purpose.DECIDE and found.spoken is None:
        return wording.VOID_TITLES[reason], wording.SPOKEN_YOURSELF
    return wording.VOID_TITLES[reason], wording.VOID_SENTENCES[reason]


def _reason(found: RequestPage) -> VoidReason:
    """Never “time was up” when the gate came to something else."""
    reason = found.void_reason or VoidReason.WITHDRAWN
    if reason is VoidReason.EXPIRED and found.settlement and found.settlement.state is not GateState.EXPIRED:
        return VoidReason.SETTLED
    return reason
