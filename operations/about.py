"""What a rollout is about, in texts that can be compared and shown: its inputs and its attachments. Read only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain import budget, inputs
from domain.attachments import size_in_words
from domain.budget import BudgetLine
from domain.plan import InputKind
from models.evidence import Attachment, attachments_of
from operations.evidence import kept
from operations.workspace import Workspace

ATTACHMENTS = "attachments"
_LONGEST_SHOWN = 1000  # characters of a text before and after
_MARK = 8  # characters of a digest, so that two versions of a file can be told apart


def about(ws: Workspace) -> dict[str, dict[str, str]]:
    """Return the inputs by their names and the attachments by theirs, as texts."""
    attached = ws.read(attachments_of, ws.rollout.id)
    return {
        "inputs": {name: input_as_typed(ws, name) for name in ws.plan.inputs},
        ATTACHMENTS: {one.name: _in_words(one) for one in attached},
    }


def changes_since(ws: Workspace, digest: str) -> list[list[str]]:
    """Return [input or “attachments”, before, after] of all that is different from what was kept under `digest`."""
    before: dict[str, dict[str, str]] = kept(ws, digest)
    after = about(ws)
    of_inputs = _different(before["inputs"], after["inputs"])
    of_attachments = _different(before[ATTACHMENTS], after[ATTACHMENTS])
    return [*of_inputs, *([ATTACHMENTS, old, new] for _, old, new in of_attachments)]


def input_as_typed(ws: Workspace, name: str) -> str:
    """Return an input the way somebody would type it; a budget line by line; "" for nothing."""
    value: Any = ws.rollout.inputs.get(name)
    if ws.plan.inputs[name].kind is InputKind.BUDGET:
        return budget.as_typed(BudgetLine.model_validate(line) for line in value or [])
    return inputs.as_typed(value)


def _different(before: Mapping[str, str], after: Mapping[str, str]) -> list[list[str]]:
    names = dict.fromkeys((*before, *after))
    pairs = ((name, before.get(name, ""), after.get(name, "")) for name in names)
    return [[name, _cut(old), _cut(new)] for name, old, new in pairs if old != new]


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


def _in_words(one: Attachment) -> str:
    if one.digest is None:
        return f"{one.name} ({one.url})"
    return f"{one.name} ({size_in_words(one.size)}, {one.digest[:_MARK]})"
