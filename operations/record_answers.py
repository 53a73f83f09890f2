"""Record a checklist as it was filled in; those who approve it are then asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from domain import checklist
from domain.errors import InvalidInput
from domain.plan import ChecklistGate
from domain.reasons import Reason
from models.database import Database
from models.gates import Purpose, RequestState, VoidReason
from operations.asked import Asked, refuse_what_is_over
from operations.asking import void_requests
from operations.by_link import by_link
from operations.opening import ask_deciders
from operations.progress import progress
from operations.show_request import RequestPage, page


def record_answers(
    db: Database,
    keys: Sequence[bytes],
    token: str,
    fields: Mapping[str, str],
    code: str,
    digest: str,
    now: datetime,
) -> RequestPage:
    """Record a filled-in checklist; `fields` maps item ids to what was typed. The page as it is then is returned.

    Raises InvalidInput with a sentence for every item that is missing or below its minimum, and what by_link raises.
    """

    def change(asked: Asked) -> RequestPage:
        planned = asked.ws.planned_gate(asked.gate)
        if not isinstance(planned, ChecklistGate) or asked.request.purpose is not Purpose.ANSWER:
            raise InvalidInput(Reason("This page asks for a decision, not for a list."))
        answers = checklist.normalise(planned.items, fields)
        if asked.request.state is RequestState.DONE and answers == asked.gate.answers:
            return page(asked.ws, asked.request)
        refuse_what_is_over(asked, digest)
        _refuse_the_incomplete(planned, answers)
        _record(asked, planned, answers)
        return page(asked.ws, asked.request)

    return by_link(db, keys, token, code, now, change)


def _refuse_the_incomplete(planned: ChecklistGate, answers: Mapping[str, object]) -> None:
    problems = checklist.check(planned.items, answers)
    if problems:
        raise InvalidInput(Reason("The list is not complete yet; nothing was recorded."), problems)


def _record(asked: Asked, planned: ChecklistGate, answers: dict[str, object]) -> None:
    ws, gate, request = asked.ws, asked.gate, asked.request
    gate.answers, gate.answered_by, gate.answered_at = answers, request.person, ws.now
    request.state, request.closed_at = RequestState.DONE, ws.now
    void_requests(ws, gate, VoidReason.SETTLED, [Purpose.ANSWER])
    ws.note("checklist.filled", gate=gate, facts={"answers": answers})
    if planned.approvers:
        ask_deciders(ws, gate)
    ws.session.flush()
    progress(ws)
