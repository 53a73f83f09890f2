"""Writing to the outbox: every message a verb causes is stored in the verb's own transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from domain.reasons import Reason
from models.gates import Decision, GateRow, Request
from models.outbox import Message
from notifications import dedup
from operations.telling_chat import tell_of_mail
from operations.workspace import Workspace


def tell(ws: Workspace, topic: str, recipient: str, dedup_key: str, **facts: Any) -> None:
    """Store one message for the relay to deliver."""
    ws.session.add(
        Message(
            dedup_key=dedup_key,
            rollout_id=ws.rollout.id,
            recipient=recipient,
            topic=topic,
            facts=facts,
            due_at=ws.now,
            created_at=ws.now,
        )
    )


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


def tell_reminder(ws: Workspace, request: Request, due_at: datetime) -> None:
    """Remind somebody of what they are asked, once for this due date."""
    _ask(ws, "reminder", request, dedup.reminder(request.id, due_at))


def _ask(ws: Workspace, topic: str, request: Request, dedup_key: str) -> None:
    """Mail somebody what they are asked, with link and code; their own chat, if any, says that it is there."""
    tell(ws, topic, request.person, dedup_key, request_id=request.id)
    tell_of_mail(ws, topic, request, dedup_key)


def tell_receipt(ws: Workspace, decision: Decision) -> None:
    """Give somebody what they decided, in writing, and a copy to whoever had lent them their voice."""
    tell(ws, "receipt", decision.person, dedup.receipt(decision.id), decision_id=decision.id)
    if decision.on_behalf_of:
        tell(ws, "receipt", decision.on_behalf_of, dedup.copy(decision.id), decision_id=decision.id)


def tell_outcome(ws: Workspace, gate: GateRow) -> None:
    """Tell requester and owner what a gate came to; of a condition, also whoever was to see to it."""
    condition = ws.condition_of(gate)
    responsible = [condition.who] if condition else []
    for person in _once((ws.rollout.requester, ws.rollout.owner, *responsible)):
        tell(ws, "outcome", person, dedup.outcome(gate.id, person), gate_id=gate.id)


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
    for person in _once(recipients):
        ws.told[ws.rollout.sequence, person] += 1
        tell(
            ws,
            "information",
            person,
            dedup.information(ws.rollout.id, ws.rollout.sequence, person, ws.told[ws.rollout.sequence, person]),
            headline=headline.to_json(),
            sentences=[sentence.to_json() for sentence in sentences],
            what_to_do=[sentence.to_json() for sentence in what_to_do],
            gate=gate.key if gate else "",
            quote=quote,
            quoted=quoted,
            in_the_morning=in_the_morning,
        )


def tell_person(
    session: Session, now: datetime, person: str, dedup_key: str, headline: Reason, sentences: Sequence[Reason] = (),
    what_to_do: Sequence[Reason] = (), *, in_the_morning: bool = False,
) -> None:  # fmt: skip
    """Tell somebody of the directory something that is about no one rollout, and asks nothing of them.

    `in_the_morning` is as with `inform`.
    """
    facts = {
        "in_the_morning": in_the_morning,
        "headline": headline.to_json(),
        "sentences": [sentence.to_json() for sentence in sentences],
        "what_to_do": [sentence.to_json() for sentence in what_to_do],
    }
    session.add(Message(dedup_key=dedup_key, recipient=person, topic="information", facts=facts, due_at=now,
                        created_at=now))  # fmt: skip


def _once(addresses: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(addresses))
