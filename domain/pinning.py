"""What an approval is given for, and in which words it is said that this has changed.

An approval is pinned to its gate's own words, to the budget or the list it is about, and to what the plan names under
`pinned_to`. It lapses when one of these changes, and only then; a change back does not bring it back to life.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from domain.budget import BudgetLine, total
from domain.evidence import digest
from domain.plan import BudgetGate, Gate, InputKind, Plan
from domain.reasons import Fact, Reason
from domain.resolved import resolved

ATTACHMENTS = "attachments"
"""What `pinned_to` calls everything that is attached to the rollout."""
WORDS = (
    "question",
    "text",
    "details",
    "items",
    "metric",
    "at_least",
    "at_most",
    "holds_for",
    "minimum_sample",
)
"""The keys of a gate that say what is asked, and what must be met. A title only names it: it may be put right."""
_SHORT = 60


@dataclass(frozen=True)
class Matters:
    """What a rollout is about now: its inputs, the lists that were filled in (by gate), and its attachments."""

    plan: Plan
    inputs: Mapping[str, Any]
    answers: Mapping[str, Any] = field(default_factory=dict)
    attachments: Mapping[str, str] = field(default_factory=dict)
    """By name: the digest of a file, or the address of a link."""

    def content(self, name: str) -> Any:
        """Return what a name stands for: plain JSON, None when there is nothing of this name."""
        if name == ATTACHMENTS:
            return dict(self.attachments)
        if name in self.plan.inputs:
            return self.inputs.get(name)
        gate = next((gate for stage in self.plan.stages for gate in stage.gates if gate.id == name), None)
        return None if gate is None else {**words_of(resolved(gate, self.inputs)), "answers": self.answers.get(name)}


def pins(gate: Gate) -> list[str]:
    """Return the names of what an answer at this gate is pinned to: inputs, gates, or the attachments."""
    own = [gate.id, *([gate.input] if isinstance(gate, BudgetGate) else [])]
    return list(dict.fromkeys([*own, *getattr(gate, "pinned_to", [])]))


def changed_since(pinned: Mapping[str, str], now: Matters) -> list[str]:
    """Return the names of what is no longer what it was; `pinned` maps each name to the digest of what it stood for."""
    return [name for name, before in pinned.items() if digest(now.content(name)) != before]


def words_of(gate: Gate) -> dict[str, Any]:
    """Return what a gate asks, and what must be met, as plain JSON."""
    written = gate.model_dump(mode="json")
    return {key: written[key] for key in WORDS if written.get(key) is not None}


def why_lapsed(name: str, plan: Plan, before: Any, after: Any, language: str) -> Reason:
    """Return what has changed, in words, such as “Budget” went from 20 000 to 26 000, with names in `language`."""
    asked = plan.inputs.get(name)
    if asked is None:
        return _of_gate_or_attachments(name, plan, before, after, language)
    title = asked.title.in_language(language) if asked.title else name
    return _OF_KIND.get(asked.kind, _plain)(title, before, after, asked.currency or "")


def _budget(title: str, before: Any, after: Any, currency: str) -> Reason:
    old, new = (total(BudgetLine.model_validate(line) for line in lines or []) for lines in (before, after))
    unit = f" {currency}" if currency else ""
    if old == new:
        facts: dict[str, Fact] = {"what": title, "total": f"{_grouped(old)}{unit}"}
        return Reason("the lines of “{what}” have changed; the total is still {total}", facts)
    return _went(title, f"{_grouped(old)}{unit}", f"{_grouped(new)}{unit}")


def _number(title: str, before: Any, after: Any, currency: str) -> Reason:
    return _went(title, _grouped(Decimal(before)) if before else "–", _grouped(Decimal(after)) if after else "–")


def _plain(title: str, before: Any, after: Any, currency: str) -> Reason:
    old, new = (_in_words(value) for value in (before, after))
    if max(len(old), len(new)) > _SHORT:
        return Reason("“{what}” was reworded", {"what": title})
    return _went(title, old, new)


def _went(title: str, old: str, new: str) -> Reason:
    return Reason("“{what}” went from {before} to {after}", {"what": title, "before": old, "after": new})


def _in_words(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "–" if value in (None, "") else str(value)


_OF_KIND: Mapping[InputKind, Callable[[str, Any, Any, str], Reason]] = {
    InputKind.BUDGET: _budget,
    InputKind.NUMBER: _number,
}


def _of_gate_or_attachments(name: str, plan: Plan, before: Any, after: Any, language: str) -> Reason:
    if name == ATTACHMENTS:
        old, new = dict(before or {}), dict(after or {})
        changed = sorted(one for one in old.keys() | new.keys() if old.get(one) != new.get(one))
        return Reason("the attachments have changed: {names}", {"names": ", ".join(changed)})
    gates = [gate for stage in plan.stages for gate in stage.gates if gate.id == name]
    title = gates[0].title.in_language(language) if gates else name
    if (before or {}).get("answers") != (after or {}).get("answers"):
        return Reason("the list “{what}” was filled in anew", {"what": title})
    return Reason("what “{what}” asks was reworded", {"what": title})


def _grouped(amount: Decimal) -> str:
    """Return a number with groups of three, set apart by a blank (ISO 80000-1, 7.3.1): 26 000, 1 250.50."""
    return f"{amount:,f}".replace(",", " ").removesuffix(".00")
