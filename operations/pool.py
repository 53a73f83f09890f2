"""Who may settle a gate, resolved from its plan and the directory as they are when it opens."""

from __future__ import annotations

from dataclasses import dataclass

from domain import budget
from domain.eligibility import eligible
from domain.errors import QuorumImpossible, RoleNotHeld
from domain.plan import (
    AcknowledgementGate,
    BudgetGate,
    ChecklistGate,
    Each,
    Gate,
    MeasurementGate,
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


def pool(gate: Gate, directory: Directory, budget_lines: list[budget.BudgetLine]) -> Pool:
    """Return who may settle a gate. Raises QuorumImpossible or RoleNotHeld when the quorum could never be met."""
    if isinstance(gate, MeasurementGate) or (isinstance(gate, ChecklistGate) and not gate.approvers):
        return NOBODY
    if isinstance(gate, AcknowledgementGate):
        everybody = eligible({"audience": directory.people(gate.audience)}, [])
        return _pool(gate.id, requirements(gate.share, everybody), directory, gate.audience, [])
    extra_entries = roles_above(gate, budget_lines) if isinstance(gate, BudgetGate) else []
    excluded = directory.people(gate.exclude)
    _refuse_unheld(gate, directory, [*gate.approvers, *extra_entries])
    groups = eligible(directory.resolve_all(gate.approvers), excluded)
    extra = eligible(directory.resolve_all(extra_entries), excluded)
    needed = requirements(gate.quorum, groups, extra)
    return _pool(gate.id, needed, directory, [*gate.approvers, *extra_entries], excluded)


def first_asked(gate: Gate, directory: Directory) -> list[str]:
    """Return who has something to bring before others can decide: who fills in a checklist, who measures.

    Raises RoleNotHeld when that is nobody.
    """
    entry = gate.filled_by if isinstance(gate, ChecklistGate) else gate.measured_by if isinstance(
        gate, MeasurementGate
    ) else None  # fmt: skip
    if entry is None:
        return []
    _refuse_unheld(gate, directory, [entry])
    return directory.resolve(entry)


def roles_above(gate: BudgetGate, lines: list[budget.BudgetLine]) -> list[str]:
    """Return the roles that bands add; one whose voice the quorum needs anyway is not needed a second time."""
    needed_anyway = gate.approvers if gate.quorum == "all" or isinstance(gate.quorum, Each) else []
    return [role for role in budget.bands_above(gate.bands, budget.total(lines)) if role not in needed_anyway]


def _refuse_unheld(gate: Gate, directory: Directory, entries: list[str]) -> None:
    for entry in entries:
        if not directory.resolve(entry):
            raise RoleNotHeld(
                f"The gate “{gate.id}” needs the role “{entry}”, which nobody holds: import somebody who does, "
                f"or name them under “people” when starting."
            )


def _pool(
    gate_id: str, needed: tuple[Requirement, ...], directory: Directory, entries: list[str], excluded: list[str]
) -> Pool:
    may = {person for requirement in needed for person in requirement.members}
    asked_for: dict[str, list[str]] = {}
    for entry in entries:
        for person in directory.resolve(entry):
            if person in may:
                asked_for.setdefault(person, []).append(entry)
    if not asked_for:
        raise QuorumImpossible(f"Nobody may decide the gate “{gate_id}”.")
    return Pool(needed, asked_for)
