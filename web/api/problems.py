"""Refusals as application/problem+json (RFC 9457): what it means for HTTP, which refusal it is, and the sentence."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from domain.attachments import LARGEST
from domain.errors import EtappeError, InvalidFile, InvalidInput, TokenRefused
from notifications.language import Words
from web import errors, pages
from web.headers import LARGEST_BODY, TOO_LARGE, takes_a_file
from web.masking import masked

log = logging.getLogger(__name__)

UNSUPPORTED = 415
MEDIA_TYPE = "application/problem+json"
_FRAMEWORK: Mapping[int, tuple[str, str]] = {
    400: ("unreadable", "The body cannot be read; send one JSON object in UTF-8."),
    404: ("not-found", "There is nothing at this address."),
    405: ("method-not-allowed", "This address does not take that method."),
    413: ("too-large", f"At most {LARGEST_BODY // 1024} KB can be sent at once."),
}


class Problem(BaseModel):
    """Why something was refused (RFC 9457)."""

    model_config = ConfigDict(extra="allow")

    title: str = Field(description="The HTTP status in words")
    status: int = Field(description="The HTTP status")
    code: str = Field(description="Which refusal it is, for programs: gate-settled, evidence-changed, not-eligible, …")
    detail: str = Field(description="The refusal in one sentence, in the language of Accept-Language")
    fields: dict[str, str] = Field(default={}, description="What is wrong with each field, where fields are to blame")


class Refused(Exception):
    """A refusal that comes with more facts than its sentence, such as how things stand now."""

    def __init__(self, refusal: EtappeError, detail: str = "", **facts: Any) -> None:
        self.refusal, self.detail, self.facts = refusal, detail, facts
        super().__init__(refusal.sentence)


def problem(
    status: int,
    code: str,
    detail: str,
    fields: Mapping[str, str] | None = None,
    facts: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return a problem as an answer."""
    told = Problem(title=HTTPStatus(status).phrase, status=status, code=code, detail=detail, fields=dict(fields or {}))
    # What is repeated from a body may hold half a character, which only an escaped form can carry.
    content = json.dumps({**told.model_dump(), **(facts or {})}, ensure_ascii=True)
    return Response(content, status, dict(headers or {}), MEDIA_TYPE)


def answer_refusals(api: FastAPI) -> None:
    """Let the API answer every refusal with a problem."""
    api.add_exception_handler(EtappeError, _refused)
    api.add_exception_handler(Refused, _refused_with_facts)
    api.add_exception_handler(RequestValidationError, _misshapen)
    api.add_exception_handler(HTTPException, not_served)
    api.add_exception_handler(Exception, _failed)


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, EtappeError)
    return _of(pages.visitor_words(request), error)


def _refused_with_facts(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return _of(pages.visitor_words(request), error.refusal, error.detail, error.facts)


def _of(words: Words, error: EtappeError, detail: str = "", facts: Mapping[str, Any] | None = None) -> Response:
    headers = {"WWW-Authenticate": "Bearer"} if isinstance(error, TokenRefused) else {}
    sentence = detail or errors.told(words, error)
    return problem(errors.status_of(error), _code(error), sentence, _fields(words, error), facts, headers)


def _fields(words: Words, error: EtappeError) -> dict[str, str]:
    if isinstance(error, InvalidFile):
        lines = dict.fromkeys(each.line for each in error.problems)
        return {f"line {line}": "; ".join(p.sentence for p in error.problems if p.line == line) for line in lines}
    return {name: words.say(reason) for name, reason in error.fields.items()} if isinstance(error, InvalidInput) else {}


def _code(error: EtappeError) -> str:
    name = type(error).__name__
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name).removeprefix("-")


def _misshapen(request: Request, error: Exception) -> Response:
    """Answer a body or an address whose shape is wrong; an address that cannot be one of ours leads nowhere."""
    assert isinstance(error, RequestValidationError)
    wrong: Sequence[Mapping[str, Any]] = error.errors()
    if any(each["loc"][0] == "path" for each in wrong):
        return _framework(404)
    if any(each["type"] == "json_invalid" for each in wrong):
        return _framework(400)
    fields = {".".join(map(str, each["loc"][1:])) or "body": str(each["msg"]) for each in wrong}
    return problem(422, "invalid-input", "What was sent does not have the right shape; nothing was recorded.", fields)


def not_served(request: Request, error: Exception) -> Response:
    """Answer what the framework refuses: an unknown address, a method that is not offered, a body that is too large."""
    assert isinstance(error, HTTPException)
    if error.status_code == TOO_LARGE and takes_a_file(request.method, request.url.path):
        return problem(TOO_LARGE, "too-large", f"A file can have at most {LARGEST // 1024**2} MB.")
    if error.status_code == UNSUPPORTED:
        return problem(UNSUPPORTED, "unsupported-media-type", error.detail)
    return _framework(error.status_code, error.headers)


def _framework(status: int, headers: Mapping[str, str] | None = None) -> Response:
    code, sentence = _FRAMEWORK.get(status, _FRAMEWORK[400])
    return problem(status, code, sentence, headers=headers)


def _failed(request: Request, error: Exception) -> Response:
    log.error("%s %s failed: %s", request.method, masked(request.url.path), type(error).__name__)
    return problem(500, "failed", "Something went wrong on our side. What you sent was not recorded; try again.")
