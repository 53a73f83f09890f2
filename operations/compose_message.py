"""Turn an outbox message into a typed mail, as things are when it is sent. Read only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from domain import links
from domain.reasons import Reason
from domain.states import ENDED, GateState, Outcome, RolloutState, StageState
from models.evidence import lapses_at_gate
from models.gates import GateRow
from models.outbox import Message
from models.people import Person
from models.requests import Decision, Request, RequestState, VoidReason, newest_link, requests_at
from models.rollouts import Rollout
from notifications.facts import Reader
from notifications.messages import (
    Asking,
    CodeMail,
    EscalationMail,
    InformationMail,
    LapsedMail,
    Mail,
    OutcomeMail,
    ReceiptMail,
    ReminderMail,
    RequestMail,
)
from operations.chasing import because_away
from operations.feeds import address_of
from operations.list_deadlines import deadline_of
from operations.naming import name_of, reader_of
from operations.progress import recycle_target
from operations.question import question, said, said_at, settlement
from operations.workspace import Workspace

NAME = "Etappe"
"""What stands where a mail about a rollout has the rollout's title."""


@dataclass(frozen=True)
class Composer:
    """What composing needs beside the database: the keys that links come from, and where the pages are."""

    keys: Sequence[bytes]
    base_url: str

    def compose(self, ws: Workspace, message: Message) -> Mail | None:
        """Return the mail of one message; None when it is no longer true, such as a request that is void by now."""
        return _TOPICS[message.topic](self, ws, message)

    def compose_for_person(self, session: Session, message: Message) -> Mail:
        """Return the mail of a message that is about no one rollout, to somebody of the directory."""
        person = session.get_one(Person, message.recipient)
        reader = Reader(person.email, person.name, person.language, person.time_zone)
        facts = message.facts
        return InformationMail(
            reader,
            rollout_id="",
            rollout_title=NAME,
            headline=Reason.from_json(facts["headline"]),
            sentences=tuple(Reason.from_json(sentence) for sentence in facts["sentences"]),
            what_to_do=tuple(Reason.from_json(sentence) for sentence in facts["what_to_do"]),
        )

    def page(self, rollout_id: str) -> str:
        """Return the address of a rollout's page."""
        return links.rollout_page(self.base_url, self.keys[0], rollout_id)

    def link_and_code(self, ws: Workspace, request: Request) -> tuple[str, str]:
        """Return the address and the code of a request's newest link."""
        [newest] = ws.read(newest_link, request.id)
        key = next((key for key in self.keys if links.key_id(key) == newest.key_id), self.keys[0])
        token = links.link_token(key, request.id, newest.number)
        return f"{self.base_url}/decide/{token}", links.code(key, request.id, newest.number)


def _asking(composer: Composer, ws: Workspace, message: Message) -> dict[str, Any] | None:
    request = ws.session.get_one(Request, message.facts["request_id"])
    if request.state is not RequestState.OPEN:
        return None
    gate = ws.session.get_one(GateRow, request.gate_id)
    reader = reader_of(ws, request.person)
    link, code = composer.link_and_code(ws, request)
    asked = question(ws, gate, request, reader)
    deadline = deadline_of(ws.rollout, gate, request, asked.gate_title)
    return {**_common(ws, reader), "question": asked, "link": link, "code": code, "deadline": deadline}


def _common(ws: Workspace, reader: Reader) -> dict[str, Any]:
    return {"reader": reader, "rollout_id": ws.rollout.id, "rollout_title": ws.rollout.title}


def _request(composer: Composer, ws: Workspace, message: Message) -> Asking | None:
    facts = _asking(composer, ws, message)
    return RequestMail(**facts) if facts else None


def _code(composer: Composer, ws: Workspace, message: Message) -> Asking | None:
    facts = _asking(composer, ws, message)
    return CodeMail(**facts) if facts else None


def _reminder(composer: Composer, ws: Workspace, message: Message) -> Asking | None:
    facts = _asking(composer, ws, message)
    request = ws.session.get_one(Request, message.facts["request_id"])
    return ReminderMail(**facts, asked_at=request.created_at) if facts else None


def _escalation(composer: Composer, ws: Workspace, message: Message) -> Asking | None:
    facts = _asking(composer, ws, message)
    if facts is None:
        return None
    request = ws.session.get_one(Request, message.facts["request_id"])
    gate = ws.session.get_one(GateRow, request.gate_id)
    rows = ws.read(requests_at, gate.id)
    before = [row for row in rows if _was_silent(row, request) and not row.on_behalf_of]
    return EscalationMail(
        **facts,
        asked_at=min((row.created_at for row in before), default=gate.opened_at or request.created_at),
        silent=tuple(name_of(ws, row.person) for row in before),
        away=tuple(name_of(ws, person) for person in because_away(ws, gate, request.escalation_level)),
        replaces=ws.planned_gate(gate).escalate[request.escalation_level - 1].replace,
    )


def _lapsed(composer: Composer, ws: Workspace, message: Message) -> Asking | None:
    facts = _asking(composer, ws, message)
    request = ws.session.get_one(Request, message.facts["request_id"])
    gate = ws.session.get_one(GateRow, request.gate_id)
    gone = ws.session.execute(lapses_at_gate(gate.rollout_id, gate.key))
    before = next(((lapse, decision) for lapse, decision in gone if decision.voice == request.voice), None)
    if facts is None or before is None:
        return None
    lapse, decision = before
    return LapsedMail(**facts, because=Reason.from_json(lapse.because), mine=said(ws, decision))


_NOT_SILENT = (VoidReason.SPOKEN_FOR, VoidReason.REASSIGNED, VoidReason.NOT_NEEDED, VoidReason.SEPARATED)


def _was_silent(row: Request, request: Request) -> bool:
    has_an_answer = row.state is RequestState.DONE or row.void_reason in _NOT_SILENT
    return row.escalation_level < request.escalation_level and not has_an_answer


def _receipt(composer: Composer, ws: Workspace, message: Message) -> ReceiptMail:
    """For whoever decided; and for whoever had lent them their voice, by their own request."""
    decision = ws.session.get_one(Decision, message.facts["decision_id"])
    gate = ws.session.get_one(GateRow, decision.gate_id)
    request = ws.session.get_one(Request, decision.request_id)
    if message.recipient != decision.person:
        rows = ws.read(requests_at, gate.id)
        theirs = (row for row in rows if row.person == message.recipient and not row.on_behalf_of)
        request = next(row for row in theirs if row.purpose is request.purpose)
    reader = reader_of(ws, message.recipient)
    return ReceiptMail(
        **_common(ws, reader),
        question=question(ws, gate, request, reader),
        mine=said(ws, decision),
        link=composer.link_and_code(ws, request)[0],
        feed=_feed(composer, ws, message.recipient),
    )


def _feed(composer: Composer, ws: Workspace, person: str) -> str:
    found = ws.session.get(Person, person)
    return address_of(composer.keys, composer.base_url, found) if found and found.gone_at is None else ""


def _outcome(composer: Composer, ws: Workspace, message: Message) -> OutcomeMail | None:
    gate = ws.session.get_one(GateRow, message.facts["gate_id"])
    reader = reader_of(ws, message.recipient)
    came_to = settlement(ws, gate)
    if came_to is None:
        return None
    return OutcomeMail(
        **_common(ws, reader),
        gate=gate.key,
        gate_title=ws.planned_gate(gate).title.in_language(reader.language),
        stage_title=ws.planned_stage(ws.stage_of(gate)).title.in_language(reader.language),
        settlement=came_to,
        said=said_at(ws, gate),
        follows=_follows(ws, gate, reader.language),
        page=composer.page(ws.rollout.id),
        urgent=message.urgent,
    )


def _follows(ws: Workspace, gate: GateRow, language: str) -> Reason:
    if gate.outcome is Outcome.HOLD and ws.stage_of(gate).state is StageState.WAITING:
        return Reason("Its stage is put on hold as soon as it opens, unless this is asked again before.")
    if gate.outcome is Outcome.HOLD:
        return Reason("The stage is on hold until somebody resumes it or calls the rollout off.")
    if gate.outcome is Outcome.KILL:
        return Reason("The rollout has ended for good.")
    if gate.outcome is Outcome.RECYCLE:
        stage = ws.plan_of(gate).stage(recycle_target(ws, gate)).title.in_language(language)
        return Reason("The rollout goes back to “{stage}”.", {"stage": stage})
    if ws.rollout.state in ENDED:
        return _ended(ws, gate)
    open_gates = ws.gates(GateState.OPEN)
    titles = ", ".join(ws.planned_gate(row).title.in_language(language) for row in open_gates)
    if not titles:
        return Reason("The rollout goes on.")
    return Reason("The rollout goes on. Open now: {gates}", {"gates": titles})


def _ended(ws: Workspace, gate: GateRow) -> Reason:
    """News may come late: the rollout may have ended by another gate, and later."""
    if ws.rollout.state is not RolloutState.COMPLETED:
        return Reason("The rollout has ended for good.")
    if gate.settled_at == ws.rollout.ended_at:
        return Reason("This was the last one: the rollout is completed.")
    return Reason("The rollout is completed by now.")


def _information(composer: Composer, ws: Workspace, message: Message) -> InformationMail:
    facts = message.facts
    return InformationMail(
        **_common(ws, reader_of(ws, message.recipient)),
        headline=Reason.from_json(facts["headline"]),
        sentences=tuple(Reason.from_json(sentence) for sentence in facts["sentences"]),
        what_to_do=tuple(Reason.from_json(sentence) for sentence in facts["what_to_do"]),
        quote=facts["quote"],
        quoted=name_of(ws, facts["quoted"]) if facts["quoted"] else "",
        gate=facts["gate"],
        page=composer.page(ws.rollout.id),
        urgent=message.urgent,
    )


_TOPICS: dict[str, Callable[[Composer, Workspace, Message], Mail | None]] = {
    "request": _request,
    "reminder": _reminder,
    "escalation": _escalation,
    "code": _code,
    "lapsed": _lapsed,
    "receipt": _receipt,
    "outcome": _outcome,
    "information": _information,
}


def workspace_for(session: Session, message: Message, now: datetime) -> Workspace:
    """Return the rollout a message is about, to look at."""
    return Workspace.to_look_at(session, session.get_one(Rollout, message.rollout_id), now)
