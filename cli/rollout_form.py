"""What is typed to start a rollout, made into what the verb takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from pydantic import ValidationError

from cli.opening import CHANNEL
from domain.budget import BudgetLine
from domain.errors import InvalidInput
from domain.plan import InputKind, Plan
from domain.typed_text import plain_number, read_number
from operations.start_rollout import Start
from plans.catalogue import LoadedPlan

Pairs = Sequence[tuple[str, str]]
_YES_NO = {"yes": True, "true": True, "no": False, "false": False}


@dataclass(frozen=True)
class RolloutForm:
    """A rollout as it was typed: `budget` item and amount, `people` role and addresses, `inputs` key and value."""

    loaded: LoadedPlan
    title: str
    requester: str
    owner: str
    language: str
    start_on: date | None
    budget: Pairs
    people: Pairs
    inputs: Pairs

    def to_start(self) -> Start:
        """Return what start_rollout takes. Raises InvalidInput for an amount, a date or a number that is none."""
        return Start(
            plan=self.loaded.plan,
            source=self.loaded.source,
            title=self.title,
            requester=self.requester,
            owner=self.owner,
            language=self.language,
            start_on=self.start_on,
            people=self._people(),
            budget=[_budget_line(item, amount) for item, amount in self.budget],
            inputs={key: _input(self.loaded.plan, key, value) for key, value in self.inputs},
            channel=CHANNEL,
        )

    def _people(self) -> dict[str, list[str]]:
        people: dict[str, list[str]] = {}
        for role, addresses in self.people:
            people.setdefault(role, []).extend(one.strip() for one in addresses.split(",") if one.strip())
        return people


def typed_changes(plan: Plan, budget: Pairs, inputs: Pairs) -> dict[str, Any]:
    """Return what is to change, as change_inputs takes it. Raises InvalidInput for what cannot be read."""
    changes: dict[str, Any] = {key: _input(plan, key, value) for key, value in inputs}
    budgets = [name for name, asked in plan.inputs.items() if asked.kind is InputKind.BUDGET]
    if budget and not budgets:
        raise InvalidInput(f"The plan “{plan.name}” asks for no budget; there is none to change.")
    lines = [_budget_line(item, amount) for item, amount in budget]
    return {**changes, **{name: lines for name in budgets if budget}}


def _input(plan: Plan, key: str, value: str) -> Any:
    asked = plan.inputs.get(key)
    if asked is None:
        return value  # the verb says that there is no such input, and which one was meant
    if asked.kind is InputKind.BUDGET:
        raise InvalidInput(f"“{key}” is a budget; give its lines with --budget item=amount.")
    return _read(asked.kind, key, value)


def _budget_line(item: str, amount: str) -> BudgetLine:
    try:
        return BudgetLine.model_validate({"item": item, "amount": amount})
    except ValidationError as error:
        said = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise InvalidInput(f"The budget line “{item}={amount}” cannot be used: {said[:1].lower()}{said[1:]}") from None


def _read(kind: InputKind, key: str, value: str) -> str | bool:
    if kind is InputKind.NUMBER:
        return plain_number(read_number(value))
    if kind is InputKind.DATE:
        return _read_date(key, value)
    if kind is InputKind.YES_NO:
        if value.lower() not in _YES_NO:
            raise InvalidInput(f"“{key}” is a yes or a no; “{value}” is neither.")
        return _YES_NO[value.lower()]
    return value


def _read_date(key: str, value: str) -> str:
    try:
        return date.fromisoformat(value).isoformat()
    except ValueError:
        raise InvalidInput(f"“{key}” is a date; write it like 2026-03-02, not “{value}”.") from None
