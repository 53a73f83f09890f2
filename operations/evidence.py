"""What a rollout is about now, and what of it an answer is pinned to; its content is kept by its digest."""

from __future__ import annotations

from typing import Any

from domain.evidence import digest
from domain.pinning import Matters, pins
from models.appending import append_once
from models.evidence import Evidence, attachments_of, evidence_called
from models.gates import GateRow, answered_in_earlier_rounds
from operations.workspace import Workspace


def matters(ws: Workspace) -> Matters:
    """Return what the rollout is about now."""
    gates = [*ws.read(answered_in_earlier_rounds, ws.rollout.id), *ws.gates()]  # filled in anew, it stands until it is
    answers = {gate.key: gate.answers for gate in gates if gate.answers is not None}
    attached = {one.name: one.digest or one.url or "" for one in ws.read(attachments_of, ws.rollout.id)}
    return Matters(ws.plan, ws.rollout.inputs, answers, attached)


def pinned_now(ws: Workspace, gate: GateRow) -> dict[str, str]:
    """Return the digest of each thing that an answer at this gate is pinned to, and keep what it stands for."""
    now = matters(ws)
    return {name: keep(ws, now.content(name)) for name in pins(ws.planned_gate(gate))}


def keep(ws: Workspace, content: Any) -> str:
    """Keep something that people were shown, and return its digest."""
    name = digest(content)
    if name not in ws.kept:
        append_once(ws.session, Evidence, digest=name, content=content)
        ws.kept.add(name)
    return name


def kept(ws: Workspace, name: str) -> Any:
    """Return what is kept by a digest."""
    [evidence] = ws.read(evidence_called, name)
    return evidence.content
