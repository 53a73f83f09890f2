"""Inputs as somebody types them into a form: what of them is to change, and what cannot be used. Read only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain import budget, inputs
from domain.errors import InvalidInput
from domain.plan import BudgetGate, Input, InputKind
from domain.reasons import Reason
from operations.workspace import Workspace

_WRONG = {
    InputKind.TEXT: Reason("This holds something that cannot be stored, or too much of it; type it again."),
    InputKind.NUMBER: Reason("Write a number, such as 1200 or 3.5."),
    InputKind.DATE: Reason("Write a date, such as 2026-03-02."),
    InputKind.YES_NO: Reason("Choose yes or no."),
}


def read_changes(ws: Workspace, typed: Mapping[str, Any], fields: dict[str, Reason]) -> dict[str, Any]:
    """Return what is different from what holds now, as apply_changes takes it; what is wrong is added to `fields`.

    A name that the plan does not ask for is left for apply_changes to refuse.
    """
    changes: dict[str, Any] = {}
    for name, value in typed.items():
        asked = ws.plan.inputs.get(name)
        if asked is None:
            changes[name] = value
            continue
        try:
            _read(ws, name, asked, value, changes)
        except InvalidInput as refusal:
            fields[name] = refusal.explanation or Reason(refusal.sentence)
    return changes


def _read(ws: Workspace, name: str, asked: Input, value: Any, changes: dict[str, Any]) -> None:
    now = ws.rollout.inputs.get(name)
    if asked.kind is InputKind.BUDGET:
        lines = budget.lines_given(value)
        if not lines and _is_needed(ws, name):
            raise InvalidInput(Reason("Leave at least one line."))
        if [line.model_dump(mode="json") for line in lines] != (now or []):
            changes[name] = lines
        return
    read = _plain(name, asked, value)
    if read is None and asked.required:
        raise InvalidInput(Reason("Please fill this in."))
    if read != now:
        changes[name] = value if read is not None else None


def _plain(name: str, asked: Input, value: Any) -> Any:
    """Return the value as it is stored; None for nothing."""
    optional = asked.model_copy(update={"required": False})
    try:
        return inputs.read({name: optional}, {name: value}).get(name)
    except InvalidInput as wrong:
        raise InvalidInput(_WRONG[asked.kind]) from wrong


def _is_needed(ws: Workspace, name: str) -> bool:
    gates = [gate for stage in ws.plan.stages for gate in stage.gates]
    return ws.plan.inputs[name].required or any(isinstance(gate, BudgetGate) and gate.input == name for gate in gates)
