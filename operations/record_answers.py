"""Record a checklist as it was filled in; those who approve it are then asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from domain import checklist
from domain.errors import InvalidInput
from domain.plan import ChecklistGate
from domain.reasons import Reason
from models.database import Database
from models.requests import Purpose, RequestState, VoidReason
from operations.asked import Asked, refuse_what_is_over
from operations.asking import void_requests
from operations.by_link import answer_by_link
from operations.by_person import Where, by_person
from operations.lapsing import lapse_what_changed
from operations.one_voice import close_what_is_spoken_for
from operations.opening import ask_deciders
from operations.progress import progress
from operations.show_request import RequestPage
from operations.workspace import Actor


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
    return answer_by_link(db, keys, token, code, now, lambda asked: _fill_in(asked, fields, digest))


def record_answers_as(
    db: Database,
    keys: Sequence[bytes],
    rollout_id: str,
    gate_key: str,
    fields: Mapping[str, Any],
    digest: str,
    actor: Actor,
    now: datetime,
    on_behalf_of: str = "",
) -> RequestPage:
    """Record the checklist of somebody who has proved who they are (`actor`). Raises what by_person raises, too."""
    where = Where(rollout_id, gate_key, on_behalf_of)
    return by_person(db, keys, where, actor, now, (Purpose.ANSWER,), lambda asked: _fill_in(asked, fields, digest))


def _fill_in(asked: Asked, fields: Mapping[str, Any], digest: str) -> None:
    planned = asked.ws.planned_gate(asked.gate)
    if not isinstance(planned, ChecklistGate) or asked.request.purpose is not Purpose.ANSWER:
        raise InvalidInput(Reason("This page asks for a decision, not for a list."))
    _refuse_the_unknown(planned, fields)
    answers = checklist.normalise(planned.items, fields)
    if asked.request.state is RequestState.DONE and answers == asked.gate.answers:
        return
    refuse_what_is_over(asked, digest)
    _refuse_the_incomplete(planned, answers)
    _record(asked, planned, answers)


def _refuse_the_unknown(planned: ChecklistGate, fields: Mapping[str, Any]) -> None:
    known = [item.id for item in planned.items]
    wrong = {name: Reason("The list has no such item.") for name in fields if name not in known}
    if wrong:
        raise InvalidInput(Reason("Something is missing or cannot be used; nothing was recorded yet."), wrong)


def _refuse_the_incomplete(planned: ChecklistGate, answers: Mapping[str, object]) -> None:
    problems = checklist.check(planned.items, answers)
    if problems:
        raise InvalidInput(Reason("The list is not complete yet; nothing was recorded."), problems)


def _record(asked: Asked, planned: ChecklistGate, answers: dict[str, object]) -> None:
    ws, gate, request = asked.ws, asked.gate, asked.request
    gate.answers, gate.answered_by, gate.answered_at = answers, request.person, ws.now
    request.state, request.closed_at = RequestState.DONE, ws.now
    close_what_is_spoken_for(ws, gate, request)
    void_requests(ws, gate, VoidReason.SETTLED, [Purpose.ANSWER])
    ws.note("checklist.filled", gate=gate, facts={"answers": answers}, on_behalf_of=request.on_behalf_of or None)
    if planned.approvers:
        ask_deciders(ws, gate)
    ws.session.flush()
    lapse_what_changed(ws)
    progress(ws)
