"""Whether a plan can work for a rollout: whatever would stop it later for want of people or lines stops it at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from domain.errors import InvalidInput, RoleNotHeld
from domain.plan import BudgetGate, Gate
from operations.directory import Directory
from operations.pool import first_asked, pool


def refuse_what_cannot_work(gates: Iterable[Gate], directory: Directory, inputs: Mapping[str, Any]) -> None:
    """Raise RoleNotHeld, QuorumImpossible or InvalidInput for a gate that nobody could be asked at."""
    for gate in gates:
        if isinstance(gate, BudgetGate):
            _refuse_no_lines(gate, inputs)
        pool(gate, directory, inputs)
        first_asked(gate, directory)
        for entry in gate.waiver:
            if not directory.resolve(entry):
                raise RoleNotHeld(f"The gate “{gate.id}” may be waived by “{entry}”, which nobody holds.")
        for escalation in gate.escalate:
            if not directory.resolve(escalation.to):
                raise RoleNotHeld(f"The gate “{gate.id}” escalates to “{escalation.to}”, which nobody holds.")


def _refuse_no_lines(gate: BudgetGate, inputs: Mapping[str, Any]) -> None:
    if not inputs.get(gate.input):
        raise InvalidInput(
            f"The plan asks for a budget (gate “{gate.id}”): give at least one line with item and amount."
        )
