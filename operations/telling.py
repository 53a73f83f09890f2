"""Writing to the outbox: every message a verb causes is stored in the verb's own transaction, with when it goes out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from domain import mail_times
from domain.mail_times import Hours, Occasion
from domain.plan import Calendar
from domain.reasons import Reason
from models.appending import append
from models.gates import GateRow
from models.outbox import Message
from models.people import Person
from models.requests import Decision, Request
from notifications import dedup
from operations.calendars import company_closures
from operations.hours import hours_in_directory, hours_of, look_up_hours
from operations.telling_chat import tell_of_mail
from operations.workspace import Workspace


def tell(
    ws: Workspace,
    topic: str,
    recipient: str,
    dedup_key: str,
    occasion: Occasion,
    *,
    about: GateRow | None = None,
    **facts: Any,
) -> None:
    """Store one message for the relay to deliver, when its reader likes to get it. `about` is the gate it is about."""
    urgent = about is not None and ws.planned_gate(about).urgent
    _store(ws.session, hours_of(ws, recipient), ws.now, occasion, urgent=urgent, rollout_id=ws.rollout.id,
           recipient=recipient, topic=topic, dedup_key=dedup_key, facts=facts)  # fmt: skip


def _store(session: Session, hours: Hours, now: datetime, occasion: Occasion, *, urgent: bool, **said: Any) -> None:
    due_at = mail_times.due_at(occasion, hours, now, urgent=urgent)
    append(session, Message, occasion=occasion, urgent=urgent, created_at=now, due_at=due_at,
           wanted_at=due_at if due_at > now else None, **said)  # fmt: skip


def tell_request(ws: Workspace, request: Request, *, lapsed: bool = False) -> None:
    """Ask somebody: as a request, as an escalation when others were silent, or because what they said has lapsed."""
    if lapsed:
        _ask(ws, "lapsed", request, dedup.lapsed(request.id, request.link_number))
    elif request.escalation_level:
        _ask(ws, "escalation", request, dedup.escalation(request.id, request.link_number))
    else:
        _ask(ws, "request", request, dedup.request(request.id, request.link_number))


def tell_again(ws: Workspace, request: Request) -> None:
    """Ask somebody once more by the same link. Say it after the audit entry it belongs to."""
    _ask(ws, "request", request, dedup.asked_again(request.id, ws.rollout.sequence))


def tell_code(ws: Workspace, request: Request) -> None:
    """Give somebody who has typed too many wrong codes a new link and code."""
    key = dedup.code(request.id, request.link_number)
    tell(ws, "code", request.person, key, Occasion.ANSWER, request_id=request.id)


def remind(ws: Workspace, gate: GateRow, requests: Sequence[Request], due_at: datetime) -> None:
    """Ask those again who have not answered; `due_at` is the date that has come."""
    occasion = mail_times.occasion_of_reminder(ws.planned_gate(gate))
    look_up_hours(ws, [request.person for request in requests])
    for request in requests:
        _ask(ws, "reminder", request, dedup.reminder(request.id, due_at), occasion)


def _ask(ws: Workspace, topic: str, request: Request, key: str, occasion: Occasion = Occasion.EVENT) -> None:
    """Mail somebody what they are asked, with link and code; their own chat, if any, says that it is there."""
    gate = ws.session.get_one(GateRow, request.gate_id)
    tell(ws, topic, request.person, key, occasion, about=gate, request_id=request.id)
    tell_of_mail(ws, topic, request, key)


def tell_receipt(ws: Workspace, decision: Decision) -> None:
    """Give somebody what they decided, in writing, and a copy to whoever had lent them their voice."""
    look_up_hours(ws, [decision.person, ws.rollout.requester, ws.rollout.owner])  # who hears what it comes to, as well
    tell(ws, "receipt", decision.person, dedup.receipt(decision.id), Occasion.ANSWER, decision_id=decision.id)
    if lender := decision.on_behalf_of:
        gate = ws.session.get_one(GateRow, decision.gate_id)
        tell(ws, "receipt", lender, dedup.copy(decision.id), Occasion.EVENT, about=gate, decision_id=decision.id)


def tell_outcome(ws: Workspace, gate: GateRow) -> None:
    """Tell requester and owner what a gate came to; of a condition, also whoever was to see to it."""
    condition = ws.condition_of(gate)
    responsible = [condition.who] if condition else []
    for person in _once((ws.rollout.requester, ws.rollout.owner, *responsible)):
        tell(ws, "outcome", person, dedup.outcome(gate.id, person), Occasion.EVENT, about=gate, gate_id=gate.id)


def inform(
    ws: Workspace,
    recipients: Iterable[str],
    headline: Reason,
    sentences: Sequence[Reason] = (),
    what_to_do: Sequence[Reason] = (),
    *,
    gate: GateRow | None = None,
    quote: str = "",
    quoted: str = "",
    in_the_morning: bool = False,
) -> None:
    """Tell people something that asks nothing of them. Say it after the audit entry it belongs to.

    `in_the_morning` is for what comes by the clock alone: it can wait for the reader's next morning, and for company.
    """
    people = _once(recipients)
    look_up_hours(ws, people)
    for person in people:
        ws.told[ws.rollout.sequence, person] += 1
        tell(
            ws,
            "information",
            person,
            dedup.information(ws.rollout.id, ws.rollout.sequence, person, ws.told[ws.rollout.sequence, person]),
            Occasion.MORNING if in_the_morning else Occasion.EVENT,
            about=gate,
            headline=headline.to_json(),
            sentences=[sentence.to_json() for sentence in sentences],
            what_to_do=[sentence.to_json() for sentence in what_to_do],
            gate=gate.key if gate else "",
            quote=quote,
            quoted=quoted,
        )


def tell_person(
    session: Session, now: datetime, person: str, dedup_key: str, headline: Reason, sentences: Sequence[Reason] = (),
    what_to_do: Sequence[Reason] = (), *, in_the_morning: bool = False,
) -> None:  # fmt: skip
    """Tell somebody of the directory something that is about no one rollout, and asks nothing of them.

    `in_the_morning` is as with `inform`.
    """
    occasion = Occasion.MORNING if in_the_morning else Occasion.EVENT
    hours = hours_in_directory(session, [person], lambda _: Calendar(), company_closures(session))[person]
    facts = {
        "headline": headline.to_json(),
        "sentences": [sentence.to_json() for sentence in sentences],
        "what_to_do": [sentence.to_json() for sentence in what_to_do],
    }
    _store(session, hours, now, occasion, urgent=False, recipient=person, topic="information", dedup_key=dedup_key,
           facts=facts)  # fmt: skip


def who_has_said_so(session: Session, by: str) -> Reason:
    """Return by whom something was said for somebody who did not say it themself; the operator has no name."""
    giver = session.get(Person, by)
    if giver is None:
        return Reason("Somebody who looks after Etappe has said so for you.")
    return Reason("{by} has said so for you.", {"by": giver.name})


def _once(addresses: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(addresses))
