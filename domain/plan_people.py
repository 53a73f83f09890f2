"""Who a plan names: that each is an address or a role of the plan, and that a gate can be decided by those it asks.

Part of the plan check. Paths are relative to the gate, except in `unknown`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from domain.eligibility import normalise_address
from domain.errors import InvalidInput, QuorumImpossible
from domain.nearest import suggestion
from domain.plan import (
    BUILT_IN_ROLES,
    AcknowledgementGate,
    BudgetGate,
    ChecklistGate,
    Each,
    Gate,
    MeasurementGate,
    Plan,
    Quorum,
    ReviewGate,
    SignOffGate,
    Stage,
)
from domain.quorum import requirements

Path = tuple[str | int, ...]
Finding = tuple[Path, str]
_ASKING = (SignOffGate, BudgetGate, ReviewGate, ChecklistGate)


def unknown(plan: Plan, named: Iterable[tuple[Path, str]]) -> Iterator[Finding]:
    """Find what is neither an address nor a role of the plan nor one that every rollout has."""
    known = {*plan.roles, *BUILT_IN_ROLES}
    for path, name in named:
        if "@" in name:
            yield from ((path, sentence) for sentence in _broken_address(name))
        elif name not in known:
            yield path, f"“{name}” is neither an address nor a role of this plan{_or_add(name, plan.roles)}"


def _or_add(name: str, roles: Iterable[str]) -> str:
    guess = suggestion(name, {*roles, *BUILT_IN_ROLES})
    return guess if guess.startswith("; did") else "; add it under “roles”, or write an address"


def _broken_address(name: str) -> Iterator[str]:
    try:
        normalise_address(name)
    except InvalidInput as reason:
        yield reason.sentence.removesuffix(".")


def _folded(name: str) -> str:
    return name.strip().casefold()


def names(plan: Plan, stage: Stage, gate: Gate) -> Iterator[Finding]:
    """Find unknown roles and broken addresses wherever the gate names somebody, and names that stand twice."""
    yield from unknown(plan, _named(gate))
    for key, listed in _lists(gate):
        for i, name in enumerate(listed):
            if _folded(name) in [_folded(one) for one in listed[:i]]:
                yield (key, i), f"“{name}” is named twice; keep one"


def _lists(gate: Gate) -> Iterator[tuple[str, list[str]]]:
    if isinstance(gate, _ASKING):
        yield "approvers", gate.approvers
        yield "exclude", gate.exclude
    if isinstance(gate, AcknowledgementGate):
        yield "audience", gate.audience
    yield "waiver", gate.waiver


def _named(gate: Gate) -> Iterator[tuple[Path, str]]:
    for key, listed in _lists(gate):
        yield from (((key, i), name) for i, name in enumerate(listed))
    if isinstance(gate, _ASKING):
        for b, band in enumerate(gate.bands):
            yield from ((("bands", b, "approvers", i), name) for i, name in enumerate(band.approvers))
    if isinstance(gate, ChecklistGate):
        yield ("filled_by",), gate.filled_by
    if isinstance(gate, MeasurementGate):
        yield ("measured_by",), gate.measured_by
    yield from ((("escalate", e, "to"), step.to) for e, step in enumerate(gate.escalate))


def pool(plan: Plan, stage: Stage, gate: Gate) -> Iterator[Finding]:
    """Find gates that nobody may decide, and a quorum that those who may decide can never meet."""
    if not isinstance(gate, _ASKING) or not gate.approvers:
        return
    excluded = {_folded(name) for name in gate.exclude}
    may_decide = [name for name in gate.approvers if _folded(name) not in excluded]
    if not may_decide:
        yield ("approvers",), "everyone asked is also excluded; ask somebody else, or change “exclude”"
    elif sentence := _out_of_reach(gate.quorum, may_decide):
        yield ("quorum",), sentence


def _out_of_reach(quorum: Quorum, may_decide: list[str]) -> str | None:
    """Return why the quorum cannot be met. How many hold a role is not known here, so roles may give any number."""
    single = {name: frozenset({_folded(name)}) for name in may_decide if "@" in name or name in BUILT_IN_ROLES}
    if not single or (len(single) < len(may_decide) and not isinstance(quorum, Each)):
        return None
    try:
        requirements(quorum, single)
    except QuorumImpossible as reason:
        sentence = reason.sentence.removesuffix(".")
        return f"{sentence[:1].lower()}{sentence[1:]}; lower the quorum, or ask more people"
    return None


def waivers(plan: Plan, stage: Stage, gate: Gate) -> Iterator[Finding]:
    """Find names under `waiver` that may never waive, because the gate excludes them."""
    excluded = {_folded(name) for name in gate.exclude} if isinstance(gate, _ASKING) else set()
    for w, name in enumerate(gate.waiver):
        if _folded(name) in excluded:
            yield ("waiver", w), f"“{name}” is excluded from this gate; name somebody else, or change “exclude”"


def escalations(plan: Plan, stage: Stage, gate: Gate) -> Iterator[Finding]:
    """Find escalations to somebody who is asked already, which would change nothing."""
    asked = {_folded(name) for name in _asked(gate)}
    for e, step in enumerate(gate.escalate):
        if _folded(step.to) in asked:
            yield ("escalate", e, "to"), f"“{step.to}” is asked already; escalate to somebody else"
        elif isinstance(gate, _ASKING) and _folded(step.to) in {_folded(name) for name in gate.exclude}:
            yield ("escalate", e, "to"), f"“{step.to}” is excluded from this gate; escalate to somebody else"
        asked.add(_folded(step.to))


def _asked(gate: Gate) -> list[str]:
    if isinstance(gate, AcknowledgementGate):
        return gate.audience
    if isinstance(gate, MeasurementGate):
        return [] if gate.queried else [gate.measured_by]
    if isinstance(gate, ChecklistGate):
        return [*gate.approvers, gate.filled_by]
    return gate.approvers if isinstance(gate, _ASKING) else []
