"""What somebody is asked, by API: shown with its digest, and answered."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

from fastapi import APIRouter, Query

from domain.conditions import TypedCondition
from domain.errors import EtappeError, EvidenceChanged, GateSettled
from notifications.language import Words
from operations.describe_request import describe_request
from operations.record_answers import record_answers_as
from operations.record_decision import DecisionForm, record_decision_as
from operations.seeing import require_seen
from operations.show_gate import open_questions, show_gate
from operations.show_request import RequestPage
from web.api.bodies import Address, AnswersBody, DecisionBody
from web.api.caller import Caller, GateId, Me, RolloutId, SeenRollout, TakesJson
from web.api.problems import Refused
from web.api.question_facts import QuestionFacts
from web.voided import title_and_sentence

router = APIRouter(tags=["gates"])
OnBehalfOf = Annotated[Address, Query(description="Whose voice it is, if not your own")]


@router.get("/requests", response_model=list[QuestionFacts])
def requests(me: Me) -> Any:
    """List what you are asked now, in every rollout, oldest first."""
    return [describe_request(page) for page in open_questions(me.db, me.address, me.now)]


@router.get("/rollouts/{rollout_id}/gates/{gate_id}", response_model=QuestionFacts)
def show(me: Me, rollout_id: SeenRollout, gate_id: GateId, on_behalf_of: OnBehalfOf = "") -> Any:
    """Show what you are asked at a gate, or were in its newest round, with the digest that a decision gives back."""
    return describe_request(show_gate(me.db, rollout_id, gate_id, me.address, me.now, on_behalf_of))


@router.post("/rollouts/{rollout_id}/gates/{gate_id}/decisions", response_model=QuestionFacts, dependencies=[TakesJson])
def decide(me: Me, rollout_id: RolloutId, gate_id: GateId, body: DecisionBody) -> Any:
    """Decide. The same decision again is answered with what was recorded; nothing is recorded twice."""
    promised = [TypedCondition(one.what, one.who, one.due_on, one.stage) for one in body.conditions]
    form = DecisionForm(body.decision, "", body.digest, body.comment, promised, body.lessons)
    voice = body.on_behalf_of or ""
    with _only_if_seen(me, rollout_id), _shown_beside_a_refusal(me, rollout_id, gate_id, voice):
        page = record_decision_as(me.db, me.keys, rollout_id, gate_id, form, me.actor, me.now, voice)
    return describe_request(page)


@router.post("/rollouts/{rollout_id}/gates/{gate_id}/answers", response_model=QuestionFacts, dependencies=[TakesJson])
def answer(me: Me, rollout_id: SeenRollout, gate_id: GateId, body: AnswersBody) -> Any:
    """Fill in the list that you are asked for. The same list again is answered with what was recorded."""
    voice, given = body.on_behalf_of or "", body.answers
    with _shown_beside_a_refusal(me, rollout_id, gate_id, voice):
        page = record_answers_as(me.db, me.keys, rollout_id, gate_id, given, body.digest, me.actor, me.now, voice)
    return describe_request(page)


@contextmanager
def _only_if_seen(me: Caller, rollout_id: str) -> Iterator[None]:
    """Tell whoever may not look at a rollout nothing else. Whoever decides is asked there, so they may."""
    try:
        yield
    except EtappeError:
        require_seen(me.db, rollout_id, me.address)
        raise


@contextmanager
def _shown_beside_a_refusal(me: Caller, rollout_id: str, gate_id: str, voice: str = "") -> Iterator[None]:
    """Tell whoever comes too late who decided what and when, and whoever saw something else what holds now."""
    try:
        yield
    except (GateSettled, EvidenceChanged) as refusal:
        page = show_gate(me.db, rollout_id, gate_id, me.address, me.now, voice)
        raise Refused(refusal, _why_closed(page), asked=describe_request(page)) from refusal


def _why_closed(page: RequestPage) -> str:
    if page.void_reason is None:
        return ""
    words = Words(page.reader.language, page.reader.time_zone)
    return words.text(title_and_sentence(page)[1])
