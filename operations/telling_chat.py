"""Writing to the outbox for chat: what the channels of a plan and of its stages hear, and that somebody got a mail."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from domain.reasons import Reason
from models.appending import append
from models.gates import GateRow
from models.outbox import CHAT, Message
from models.requests import Request
from models.rollouts import StageRow
from notifications import dedup
from operations.workspace import Workspace


def tell_channels(
    ws: Workspace, headline: Reason, sentences: Sequence[Reason] = (), *, stages: Sequence[StageRow] = ()
) -> None:
    """Tell the plan's channels, and those of these stages. Say it after the audit entry it belongs to."""
    facts = {"headline": headline.to_json(), "sentences": [sentence.to_json() for sentence in sentences]}
    _tell(ws, stages, "news", **facts)


def tell_channels_of_opening(ws: Workspace, stage: StageRow) -> None:
    """Tell them that a stage is open; who is asked, and by when, is read when it is sent."""
    _tell(ws, [stage], "stage", stage_id=stage.id)


def tell_channels_of_outcome(ws: Workspace, gate: GateRow) -> None:
    """Tell them what a gate came to."""
    _tell(ws, [ws.stage_of(gate)], "gate", gate_id=gate.id)


def tell_of_mail(ws: Workspace, topic: str, request: Request, mail_key: str) -> None:
    """Say in somebody's own chat, if they have one, that they got a mail that asks them something, once they have."""
    if request.person in ws.in_chat:
        facts = {"beside": mail_key, "mail": topic, "request_id": request.id}
        _store(ws, request.person, dedup.beside_mail(mail_key), "mail", **facts)


def _tell(ws: Workspace, stages: Sequence[StageRow], about: str, **facts: Any) -> None:
    for channel in ws.plan.channels(*map(ws.planned_stage, stages)):
        ws.told[ws.rollout.sequence, channel] += 1
        number = ws.told[ws.rollout.sequence, channel]
        _store(ws, channel, dedup.chat(ws.rollout.id, ws.rollout.sequence, channel, number), about, **facts)


def _store(ws: Workspace, recipient: str, dedup_key: str, about: str, **facts: Any) -> None:
    said = {"about": about, **facts}
    append(ws.session, Message, dedup_key=dedup_key, rollout_id=ws.rollout.id, recipient=recipient, topic=CHAT,
           facts=said, due_at=ws.now, created_at=ws.now)  # fmt: skip
