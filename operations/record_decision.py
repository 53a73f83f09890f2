"""Record one person's word at a gate: the only place where a decision comes to be, whatever the channel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from domain import conditions, typed_text
from domain.conditions import Promise, TypedCondition
from domain.errors import InvalidInput, NotEligible
from domain.reasons import Reason
from domain.states import DecisionKind, Outcome
from models.database import Database
from models.requests import Decision, Purpose, RequestState
from operations.asked import Asked, refuse_what_is_over
from operations.by_link import answer_by_link
from operations.by_person import Where, by_person
from operations.changes import ask_for_changes, go_on_unless_changes_are_wanted
from operations.choosing import choices, why_not_offered
from operations.conditions import keep, read
from operations.evidence import pinned_now
from operations.one_voice import close_what_is_spoken_for, voice_of
from operations.opening import ask_next_in_turn
from operations.progress import progress
from operations.separating import separate
from operations.show_request import RequestPage
from operations.telling import tell_receipt
from operations.voices import latest_decisions, why_not
from operations.workspace import Actor

LONGEST_TEXT = 5000  # characters


@dataclass(frozen=True)
class DecisionForm:
    """What somebody typed. `decision` is a DecisionKind, or for reviews also hold, recycle or kill.

    `digest` stands for what they were shown; `code` goes with a link alone. A condition that is refused is named by its
    place in the list (domain/conditions.field_of).
    """

    decision: str
    code: str
    digest: str
    comment: str = ""
    conditions: Sequence[TypedCondition] = ()
    lessons: str = ""


@dataclass(frozen=True)
class _Word:
    kind: DecisionKind
    choice: Outcome | None
    comment: str
    promises: Sequence[Promise]
    lessons: str

    @property
    def conditions(self) -> str:
        return conditions.written(self.promises)


def record_decision(db: Database, keys: Sequence[bytes], token: str, form: DecisionForm, now: datetime) -> RequestPage:
    """Record a decision, and everything that follows from it, in one transaction; return the page as it is after it.

    The same decision again returns what was recorded. Raises LinkUnknown, LinkVoid, WrongCode, InvalidInput (with the
    fields), EvidenceChanged, GateSettled, NotEligible.
    """
    return answer_by_link(db, keys, token, form.code, now, lambda asked: _hear(asked, form))


def record_decision_as(
    db: Database,
    keys: Sequence[bytes],
    rollout_id: str,
    gate_key: str,
    form: DecisionForm,
    actor: Actor,
    now: datetime,
    on_behalf_of: str = "",
) -> RequestPage:
    """Record a decision of somebody who has proved who they are (`actor`), at what they are asked in the newest round.

    All else is as with a link; the form's code is not looked at. Raises UnknownRollout, NotEligible (also for whoever
    is not asked there), InvalidInput, EvidenceChanged, GateSettled.
    """
    where = Where(rollout_id, gate_key, on_behalf_of)
    return by_person(db, keys, where, actor, now, (Purpose.DECIDE, Purpose.CONFIRM),
                     lambda asked: _hear(asked, form), digest=form.digest)  # fmt: skip


def _hear(asked: Asked, form: DecisionForm) -> None:
    if not _is_repeated(asked, form):
        _record(asked, form)


def _is_repeated(asked: Asked, form: DecisionForm) -> bool:
    mine = latest_decisions(asked.ws, asked.gate).get(asked.request.voice)
    if mine is None or mine.request_id != asked.request.id:
        return False
    if mine.decision is DecisionKind.REQUEST_CHANGES:  # may be said again: in other words, or of what has changed since
        same = form.decision == mine.decision and form.digest == mine.shown_digest
        return same and _same_text(form.comment, mine.comment)
    return form.decision in (mine.decision, mine.choice) and asked.request.state is RequestState.DONE


def _same_text(typed: str, recorded: str) -> bool:
    try:
        return typed_text.clean_text(typed, LONGEST_TEXT) == recorded
    except InvalidInput:
        return False


def _record(asked: Asked, form: DecisionForm) -> None:
    ws, request, gate = asked.ws, asked.request, asked.gate
    refuse_what_is_over(asked, form.digest)
    _refuse_the_ineligible(asked)
    word = _read(asked, form)
    decision = Decision(
        rollout_id=ws.rollout.id,
        gate_id=gate.id,
        request_id=request.id,
        person=request.person,
        on_behalf_of=request.on_behalf_of or None,
        decision=word.kind,
        choice=word.choice,
        comment=word.comment,
        conditions=word.conditions,
        lessons=word.lessons,
        channel=ws.actor.channel,
        assurance=ws.actor.assurance,
        shown_digest=form.digest,
        pinned=pinned_now(ws, gate),
        decided_at=ws.now,
    )
    ws.session.add(decision)
    if word.kind.is_final:
        request.state, request.closed_at = RequestState.DONE, ws.now
    ws.session.flush()
    keep(ws, decision, word.promises)
    ws.note("decision.recorded", gate=gate, decision=word.kind, shown_digest=form.digest, comment=word.comment,
            on_behalf_of=decision.on_behalf_of,
            facts={"decision": decision.id, "choice": word.choice, "conditions": word.conditions,
                   "lessons": word.lessons})  # fmt: skip
    tell_receipt(ws, decision)
    _follow(asked, decision)


def _follow(asked: Asked, word: Decision) -> None:
    ws, gate = asked.ws, asked.gate
    if word.decision is DecisionKind.REQUEST_CHANGES:
        ask_for_changes(ws, gate, word)
    if word.decision.is_final:
        close_what_is_spoken_for(ws, gate, asked.request)
    separate(ws, gate)
    progress(ws)
    go_on_unless_changes_are_wanted(ws, gate)
    if gate.settled_at is None and word.decision.is_final:
        ask_next_in_turn(ws, gate)
        progress(ws)  # whoever is asked now may be away


def _refuse_the_ineligible(asked: Asked) -> None:
    if asked.request.purpose in (Purpose.ANSWER, Purpose.MEASURE, Purpose.RESPOND):
        raise InvalidInput(Reason("This page asks for something to be filled in, not for a decision."))
    if reason := why_not(asked.ws, asked.gate, voice_of(asked.request)):
        raise NotEligible(reason)


def _read(asked: Asked, form: DecisionForm) -> _Word:
    kind, choice = _chosen(asked, form.decision)
    fields: dict[str, Reason] = {}
    word = _Word(
        kind,
        choice,
        _clean("comment", form.comment, fields),
        _conditions(asked, kind, form, fields),
        _clean("lessons", form.lessons, fields),
    )
    fields |= _missing(asked, word)
    if fields:
        raise InvalidInput(Reason("Something is missing or cannot be used; nothing was recorded yet."), fields)
    return word


def _chosen(asked: Asked, decision: str) -> tuple[DecisionKind, Outcome | None]:
    ws, gate, request = asked.ws, asked.gate, asked.request
    offered = choices(ws, gate, request)
    if decision == DecisionKind.REJECT and gate.kind == "review":
        return DecisionKind.REJECT, None
    if decision not in offered:
        choose = why_not_offered(ws, gate, request, decision)
        raise InvalidInput(choose, {"decision": choose})
    if decision in DecisionKind.__members__.values():
        return DecisionKind(decision), None
    return DecisionKind.REJECT, Outcome(decision)


def _clean(name: str, text: str, fields: dict[str, Reason]) -> str:
    try:
        return typed_text.clean_text(text, LONGEST_TEXT)
    except InvalidInput as refusal:
        fields[name] = refusal.explanation or Reason(refusal.sentence)
        return ""


def _conditions(asked: Asked, kind: DecisionKind, form: DecisionForm, fields: dict[str, Reason]) -> Sequence[Promise]:
    try:
        if kind is DecisionKind.APPROVE_WITH_CONDITIONS:
            return read(asked.ws, asked.gate, form.conditions)
        conditions.refuse_stray(form.conditions)
    except InvalidInput as refusal:
        fields |= refusal.fields
    return ()


def _missing(asked: Asked, word: _Word) -> dict[str, Reason]:
    planned = asked.ws.planned_gate(asked.gate)
    missing: dict[str, Reason] = {}
    if not word.kind.is_approval and not word.comment:
        missing["comment"] = Reason("A reason is needed for this answer.")
    learned = word.kind.is_approval or word.kind is DecisionKind.REJECT
    if getattr(planned, "lessons", False) and learned and not word.lessons:
        missing["lessons"] = Reason("Write down what was learned.")
    return missing
