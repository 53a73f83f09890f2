"""One voice: once it was heard at a gate, whoever has a part in it is not asked there for another one any more."""

from __future__ import annotations

from domain.eligibility import Voice
from models.gates import GateRow
from models.requests import Purpose, Request, VoidReason
from operations.asking import open_requests, void
from operations.voices import why_not
from operations.workspace import Workspace


def close_what_is_spoken_for(ws: Workspace, gate: GateRow, request: Request) -> None:
    """Take back what nobody can answer any more because this request was: the same voice's, and a second voice's.

    A second voice is one in which somebody would have a part who has one in what was just said.
    """
    others = [row for row in open_requests(ws, gate, [request.purpose]) if row.id != request.id]
    void(ws, [row for row in others if _is_spoken_for(ws, gate, row, request)], VoidReason.SPOKEN_FOR)


def _is_spoken_for(ws: Workspace, gate: GateRow, row: Request, request: Request) -> bool:
    if row.voice == request.voice:
        return True
    has_a_part = {row.person, row.voice} & {request.person, request.voice}
    return request.purpose is Purpose.DECIDE and bool(has_a_part) and why_not(ws, gate, voice_of(row)) is not None


def voice_of(request: Request) -> Voice:
    """Return whose voice a request asks for, and from whom."""
    return Voice(request.voice, request.person)
