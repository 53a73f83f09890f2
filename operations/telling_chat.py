"""What the chat channels of a plan and of its stages hear: stored in the outbox, like mails."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from domain.reasons import Reason
from models.gates import GateRow
from models.outbox import CHAT
from models.rollouts import StageRow
from notifications import dedup
from operations.telling import tell
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


def _tell(ws: Workspace, stages: Sequence[StageRow], about: str, **facts: Any) -> None:
    for channel in ws.plan.channels(*map(ws.planned_stage, stages)):
        ws.told[ws.rollout.sequence, channel] += 1
        number = ws.told[ws.rollout.sequence, channel]
        key = dedup.chat(ws.rollout.id, ws.rollout.sequence, channel, number)
        tell(ws, CHAT, channel, key, about=about, **facts)
