"""What a plan's gate comes to in one rollout: values that the plan takes from an input, put in their place."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from domain.plan import FromInput, Gate, MeasurementGate


def resolved(gate: Gate, inputs: Mapping[str, Any]) -> Gate:
    """Return a gate with its targets as numbers; a target whose input is not given stays as it is written."""
    if not isinstance(gate, MeasurementGate):
        return gate
    targets = {"at_least": gate.at_least, "at_most": gate.at_most}
    numbers = {
        name: Decimal(inputs[target.input])
        for name, target in targets.items()
        if isinstance(target, FromInput) and inputs.get(target.input) not in (None, "")
    }
    return gate.model_copy(update=numbers) if numbers else gate
