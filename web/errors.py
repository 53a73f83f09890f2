"""What each refusal means for HTTP, and how it is told to the person who reads the page."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from domain.errors import (
    CallTaken,
    EtappeError,
    EvidenceChanged,
    GateNotOpen,
    GateSettled,
    InvalidFile,
    InvalidInput,
    LinkUnknown,
    LinkVoid,
    NotAllowed,
    NotEligible,
    NotFound,
    RolloutEnded,
    SignatureRefused,
    TokenRefused,
    TransitionNotAllowed,
    WrongCode,
)
from notifications.language import Words

STATUS: Mapping[type[EtappeError], HTTPStatus] = {
    LinkUnknown: HTTPStatus.NOT_FOUND,
    NotFound: HTTPStatus.NOT_FOUND,
    LinkVoid: HTTPStatus.GONE,
    RolloutEnded: HTTPStatus.GONE,
    GateSettled: HTTPStatus.CONFLICT,
    GateNotOpen: HTTPStatus.CONFLICT,
    CallTaken: HTTPStatus.CONFLICT,
    SignatureRefused: HTTPStatus.UNAUTHORIZED,
    EvidenceChanged: HTTPStatus.CONFLICT,
    TransitionNotAllowed: HTTPStatus.CONFLICT,
    # 403 and not 422: the form was understood and complete, what is missing is the proof that its sender got the mail.
    WrongCode: HTTPStatus.FORBIDDEN,
    TokenRefused: HTTPStatus.UNAUTHORIZED,
    NotEligible: HTTPStatus.FORBIDDEN,
    NotAllowed: HTTPStatus.FORBIDDEN,
    InvalidFile: HTTPStatus.UNPROCESSABLE_ENTITY,
    InvalidInput: HTTPStatus.UNPROCESSABLE_ENTITY,
    EtappeError: HTTPStatus.BAD_REQUEST,
}
"""The nearest class of a refusal counts."""


def status_of(error: EtappeError) -> HTTPStatus:
    """Return the HTTP status of a refusal."""
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def told(words: Words, error: EtappeError) -> str:
    """Return the refusal in the reader's language."""
    if isinstance(error, WrongCode):
        return _wrong_code(words, error.tries_left)
    if isinstance(error, EvidenceChanged):
        return words.text("What you were asked about has changed since you opened this page. Nothing was recorded.")
    if isinstance(error, GateSettled):
        return words.text("This was decided in the meantime. What you sent came too late and was not recorded.")
    if isinstance(error, RolloutEnded):
        return words.text("The rollout has ended in the meantime. What you sent was not recorded.")
    if isinstance(error, NotEligible):
        why = f" {words.say(error.explanation)}" if error.explanation else ""
        return words.text("You cannot decide this. Nothing was recorded.") + why
    return words.say(error.explanation) if error.explanation else words.text(error.sentence)


def _wrong_code(words: Words, tries_left: int) -> str:
    if tries_left == 0:
        return words.text(
            "The code was wrong five times. A new mail with a new link and a new code is on its way to you."
        )
    if tries_left == 1:
        return words.text("The code does not match. You can try once more.")
    return words.text("The code does not match. You can try {count} more times.", count=tries_left)
