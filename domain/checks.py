"""What another system says at a check: pass, fail or wait, and a message for people."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum

from domain.errors import InvalidInput
from domain.reasons import Reason
from domain.typed_text import clean_text

LONGEST_MESSAGE = 1000  # characters


class CheckVerdict(StrEnum):
    """One word of another system."""

    PASS = "pass"  # noqa: S105  # no password
    FAIL = "fail"
    WAIT = "wait"  # it cannot say yet, and is asked again


@dataclass(frozen=True)
class CheckAnswer:
    """What another system said."""

    verdict: CheckVerdict
    message: str = ""


def read_answer(body: bytes, *, may_wait: bool) -> CheckAnswer:
    """Read {"verdict": "pass", "message": "..."}; the message may be left out, and other keys are passed over.

    Raises InvalidInput for anything else, and for “wait” where the other system calls by itself.
    """
    words = [verdict for verdict in CheckVerdict if may_wait or verdict is not CheckVerdict.WAIT]
    said = _object(body)
    word = next((word for word in words if word == said.get("verdict")), None)
    if word is None:
        text = "The key “verdict” must be one of these words: {words}."
        raise InvalidInput(Reason(text, {"words": ", ".join(words)}))
    message = said.get("message", "")
    if message is not None and not isinstance(message, str):
        raise InvalidInput(Reason("The key “message” must be a text."))
    line = " ".join(clean_text((message or "")[:LONGEST_MESSAGE], LONGEST_MESSAGE).split())
    return CheckAnswer(word, line)


def _object(body: bytes) -> dict[str, object]:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise InvalidInput(Reason("A JSON object is expected, such as {example}.", {"example": '{"verdict": "pass"}'}))
    return said


def because(system: str, answer: CheckAnswer) -> Reason:
    """Return why a check comes to what it does: who said what."""
    facts = {"system": system, "message": answer.message}
    texts = _WITH_MESSAGE if answer.message else _WITHOUT
    return Reason(texts[answer.verdict], facts)


def unanswered(system: str, times: int, problem: str) -> Reason:
    """Return that another system did not answer, so many times in a row, the last time for this reason (English)."""
    facts: dict[str, str | int] = {"system": system, "count": times, "problem": problem}
    if times == 1:
        return Reason("{system} did not answer: {problem}", facts)
    return Reason("{system} did not answer {count} times in a row, the last time because: {problem}", facts)


_WITH_MESSAGE = {
    CheckVerdict.PASS: "{system} says pass: {message}",
    CheckVerdict.FAIL: "{system} says fail: {message}",
    CheckVerdict.WAIT: "{system} says wait: {message}",
}
_WITHOUT = {
    CheckVerdict.PASS: "{system} says pass",
    CheckVerdict.FAIL: "{system} says fail",
    CheckVerdict.WAIT: "{system} says wait",
}
