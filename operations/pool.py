"""Who may settle a gate, resolved from its plan and the directory as they are when it opens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from domain import budget
from domain.eligibility import Separation, eligible
from domain.errors import QuorumImpossible, RoleNotHeld
from domain.plan import (
    AcknowledgementGate,
    AutomaticGate,
    BudgetGate,
    ChecklistGate,
    DecidedGate,
    Each,
    Gate,
    MeasurementGate,
    Quorum,
)
from domain.quorum import Requirement, requirements
from operations.directory import Directory


@dataclass(frozen=True)
class Pool:
    """Who is asked to settle a gate, in the plan's order, for which roles, and what it takes."""

    requirements: tuple[Requirement, ...]
    asked_for: dict[str, list[str]]
    """Person to the roles or addresses they are asked for, in order of asking."""


NOBODY = Pool((), {})


def pool(gate: Gate, directory: Directory, inputs: Mapping[str, Any], separation: Separation | None = None) -> Pool:
    """Return who may settle a gate: nobody where facts do.

    `separation` is what keeps people from it beside its groups; left out, nobody but those whom the plan excludes.
    Raises QuorumImpossible or RoleNotHeld when the quorum could never be met.
    """
    if isinstance(gate, AutomaticGate) or (isinstance(gate, ChecklistGate) and not gate.approvers):
        return NOBODY
    if isinstance(gate, AcknowledgementGate):
        everybody = eligible({"audience": directory.people(gate.audience)}, [])
        return _pool(gate.id, requirements(gate.share, everybody), directory, gate.audience)
    apart = separation or Separation(frozenset(directory.people(gate.exclude)))
    extra_entries = added_by_bands(gate, inputs)
    _refuse_unheld(gate, directory, [*gate.approvers, *extra_entries])
    groups = _allowed(directory.resolve_all(gate.approvers), apart)
    extra = _allowed(directory.resolve_all(extra_entries), apart)
    needed = requirements(_quorum(gate, inputs), groups, extra)
    return _pool(gate.id, needed, directory, [*gate.approvers, *extra_entries])


def _allowed(groups: Mapping[str, Sequence[str]], apart: Separation) -> dict[str, frozenset[str]]:
    members = eligible(groups, apart.excluded)
    return {name: frozenset(filter(apart.allows, people)) for name, people in members.items()}


def first_asked(gate: Gate, directory: Directory) -> list[str]:
    """Return who has something to bring before others can decide: who fills in a checklist, who measures.

    Nobody where a database is asked for the value. Raises RoleNotHeld when the plan names a role that nobody holds.
    """
    entry = gate.filled_by if isinstance(gate, ChecklistGate) else gate.measured_by if isinstance(
        gate, MeasurementGate
    ) and gate.queried is None else None  # fmt: skip
    if entry is None:
        return []
    _refuse_unheld(gate, directory, [entry])
    return directory.resolve(entry)


def added_by_bands(gate: DecidedGate, inputs: Mapping[str, Any]) -> list[str]:
    """Return the roles that bands add; one whose voice the quorum needs anyway is not needed a second time."""
    needed_anyway = gate.approvers if _quorum(gate, inputs) == "all" or isinstance(gate.quorum, Each) else []
    return [role for role in budget.bands_above(gate.bands, _amount(gate, inputs)) if role not in needed_anyway]


def _quorum(gate: DecidedGate, inputs: Mapping[str, Any]) -> Quorum:
    return budget.quorum_above(gate.bands, _amount(gate, inputs), gate.quorum)


def _amount(gate: DecidedGate, inputs: Mapping[str, Any]) -> Decimal:
    """Return what the bands look at: the total of budget lines, or a number; nought when nothing was given."""
    name = gate.bands_on or (gate.input if isinstance(gate, BudgetGate) else "")
    given = inputs.get(name) or []
    if isinstance(given, list):
        return budget.total(budget.BudgetLine.model_validate(line) for line in given)
    return Decimal(given)


def _refuse_unheld(gate: Gate, directory: Directory, entries: list[str]) -> None:
    for entry in entries:
        if not directory.resolve(entry):
            raise RoleNotHeld(
                f"The gate “{gate.id}” needs the role “{entry}”, which nobody holds: import somebody who does, "
                f"or name them under “people” when starting."
            )


def _pool(gate_id: str, needed: tuple[Requirement, ...], directory: Directory, entries: list[str]) -> Pool:
    may = {person for requirement in needed for person in requirement.members}
    asked_for: dict[str, list[str]] = {}
    for entry in entries:
        for person in directory.resolve(entry):
            if person in may:
                asked_for.setdefault(person, []).append(entry)
    if not asked_for:
        raise QuorumImpossible(f"Nobody may decide the gate “{gate_id}”.")
    return Pool(needed, asked_for)
