"""What a plan must hold beyond its shape: that everything it names is there, and that it can come to an end.

The rules of who may decide are domain/quorum.py's, those of the calendar domain/deadlines.py's; this module asks them.
What has to do with people is in domain/plan_people.py, with conditions and silence in domain/plan_consent.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from domain import plan_automatic, plan_consent, plan_order, plan_people, plan_references, plan_runs, plan_times
from domain.deadlines import check_calendar
from domain.errors import InvalidInput
from domain.inputs import default_problem
from domain.nearest import suggestion
from domain.plan import (
    BudgetGate,
    Calendar,
    ChecklistGate,
    Choice,
    Gate,
    InputKind,
    Item,
    Plan,
    Recycle,
    ReviewGate,
    Stage,
    Text,
)
from domain.stage_graph import comes_before, find_cycle
from domain.typed_text import clean_line

Path = tuple[str | int, ...]
Finding = tuple[Path, str]
"""Where in the plan, and the sentence that says what is wrong and what to write instead."""

_LONGEST_TITLE = 150


def check(plan: Plan) -> list[Finding]:
    """Return everything that is wrong with a plan of the right shape; empty when it can be used."""
    findings = [finding for rule in _PLAN_RULES for finding in rule(plan)]
    for path, stage, gate in _gates(plan):
        findings += [(path + where, sentence) for rule in _GATE_RULES for where, sentence in rule(plan, stage, gate)]
    return findings


def _gates(plan: Plan) -> Iterator[tuple[Path, Stage, Gate]]:
    for s, stage in enumerate(plan.stages):
        for g, gate in enumerate(stage.gates):
            yield ("stages", s, "gates", g), stage, gate


def _twice(named: Iterable[tuple[Path, str]], what: str) -> Iterator[Finding]:
    seen: set[str] = set()
    for path, name in named:
        if name in seen:
            yield path, f"there is another {what} called “{name}”; give this one a name of its own"
        seen.add(name)


def _stage_ids(plan: Plan) -> Iterator[Finding]:
    return _twice(((("stages", s, "id"), stage.id) for s, stage in enumerate(plan.stages)), "stage")


def _gate_ids(plan: Plan) -> Iterator[Finding]:
    return _twice((((*path, "id"), gate.id) for path, _, gate in _gates(plan)), "gate")


def _needs(plan: Plan) -> Iterator[Finding]:
    known = {stage.id for stage in plan.stages}
    for s, stage in enumerate(plan.stages):
        for n, need in enumerate(stage.needs or []):
            if need not in known:
                guess = suggestion(need, known - {stage.id})
                yield ("stages", s, "needs", n), f"“{need}” is not a stage of this plan{guess}"
            elif need in (stage.needs or [])[:n]:
                yield ("stages", s, "needs", n), f"“{need}” is named twice; keep one"


def _cycle(plan: Plan) -> Iterator[Finding]:
    once = len({stage.id for stage in plan.stages}) == len(plan.stages)
    if once and (cycle := find_cycle(plan.needs())):
        first = next(s for s, stage in enumerate(plan.stages) if stage.id in cycle)
        ways = " → ".join(cycle)
        yield ("stages", first, "needs"), f"these stages wait for each other: {ways}; take one of the needs away"


def _calendar(plan: Plan) -> Iterator[Finding]:
    parts = {
        "time_zone": Calendar(time_zone=plan.calendar.time_zone),
        "holidays": Calendar(holidays=plan.calendar.holidays),
    }
    for key, calendar in parts.items():
        for sentence in check_calendar(calendar):
            yield ("calendar", key), _within(sentence)


def _inputs(plan: Plan) -> Iterator[Finding]:
    for name, asked in plan.inputs.items():
        if asked.currency and asked.kind is not InputKind.BUDGET:
            yield ("inputs", name, "currency"), "only a budget has a currency; leave it out"
        if problem := default_problem(asked):
            yield ("inputs", name, "default"), problem


def _titles(plan: Plan) -> Iterator[Finding]:
    """A title becomes the subject of a mail, so it is one line."""
    for path, title in _titled(plan):
        for language, text in (("de", title.de), ("en", title.en)):
            try:
                clean_line(text or "", _LONGEST_TITLE)
            except InvalidInput as reason:
                yield (*path, "title", language), _within(reason.sentence)


def _titled(plan: Plan) -> Iterator[tuple[Path, Text]]:
    yield (), plan.title
    yield from ((("roles", name), role.title) for name, role in plan.roles.items())
    yield from ((("stages", s), stage.title) for s, stage in enumerate(plan.stages))
    yield from ((path, gate.title) for path, _, gate in _gates(plan))


def _within(sentence: str) -> str:
    """Return another module's sentence as it stands after a place: without a capital and a full stop of its own."""
    return f"{sentence[:1].lower()}{sentence[1:]}".removesuffix(".")


def _stage_owner(plan: Plan) -> Iterator[Finding]:
    for s, stage in enumerate(plan.stages):
        yield from plan_people.unknown(plan, [(("stages", s, "owner"), stage.owner)])


def _recycle_targets(plan: Plan, stage: Stage, gate: Gate) -> Iterator[Finding]:
    known = {one.id for one in plan.stages}
    for path, target in _targets(gate):
        if target not in known:
            yield path, f"“{target}” is not a stage of this plan{suggestion(target, known)}"
        elif target != stage.id and not comes_before(plan.needs(), target, stage.id):
            yield path, f"“{target}” does not come before “{stage.id}”; go back to a stage before it, or to itself"


def _targets(gate: Gate) -> Iterator[tuple[Path, str]]:
    if isinstance(gate, ReviewGate) and gate.recycle_to:
        yield ("recycle_to",), gate.recycle_to
    if isinstance(gate.on_reject, Recycle):
        yield ("on_reject", "recycle"), gate.on_reject.recycle
    if gate.expires and isinstance(gate.expires.outcome, Recycle):
        yield ("expires", "outcome", "recycle"), gate.expires.outcome.recycle


def _choices(plan: Plan, stage: Stage, gate: Gate) -> Iterator[Finding]:
    offered: list[tuple[Path, list[Choice]]] = [(("choices",), gate.choices)] if isinstance(gate, ReviewGate) else []
    offered += [(("escalate", e, "choices"), step.choices) for e, step in enumerate(gate.escalate) if step.choices]
    for path, choices in offered:
        if not isinstance(gate, ReviewGate):
            yield path, "only a review has choices; leave them out"
        elif Choice.GO not in choices:
            yield path, "without “go” the gate could never pass; add it to the choices"
        elif len(set(choices)) < len(choices):
            yield path, "a choice is named twice; keep one"
    every = {choice for _, choices in offered for choice in choices}
    if isinstance(gate, ReviewGate) and gate.recycle_to and Choice.RECYCLE not in every:
        yield ("recycle_to",), "nobody can choose to recycle; add “recycle” to the choices, or leave this out"


def _budget(plan: Plan, stage: Stage, gate: Gate) -> Iterator[Finding]:
    if not isinstance(gate, BudgetGate):
        return
    budgets = [name for name, asked in plan.inputs.items() if asked.kind is InputKind.BUDGET]
    if gate.input not in budgets:
        guess = suggestion(gate.input, budgets) if budgets else f"; add “{gate.input}: {{kind: budget}}” to the inputs"
        yield ("input",), f"the plan does not ask for a budget called “{gate.input}”{guess}"


def _checklist(plan: Plan, stage: Stage, gate: Gate) -> Iterator[Finding]:
    if not isinstance(gate, ChecklistGate):
        return
    yield from _twice(((("items", i, "id"), item.id) for i, item in enumerate(gate.items)), "item in this list")
    for i, item in enumerate(gate.items):
        for key, sentence in _item(item, gate.items[:i]):
            yield ("items", i, key), sentence


def _item(item: Item, before: list[Item]) -> Iterator[tuple[str, str]]:
    people = [one.id for one in before if one.kind == "people"]
    if item.minimum is not None and item.kind in ("text", "yes-no"):
        yield "minimum", f"an item of the kind {item.kind} has no minimum; leave it out, or write “required: true”"
    if item.minimum is not None and item.kind == "people" and item.minimum != item.minimum.to_integral_value():
        yield "minimum", f"people are counted in whole numbers; write {item.minimum.to_integral_value('ROUND_UP')}"
    if item.each and item.kind != "number":
        yield "each", "only numbers are asked for each person; leave it out, or write “kind: number”"
    elif item.each and item.people_from is None:
        yield "each", "it is not said for each of whom; write “people_from:” and the item that names the people"
    elif item.people_from is not None and not item.each:
        yield "people_from", "this is only used with “each: true”; add that, or leave this out"
    elif item.people_from is not None and item.people_from not in people:
        guess = suggestion(item.people_from, people) or "; put an item of the kind people before this one"
        yield "people_from", f"“{item.people_from}” is not an item before this one that names people{guess}"


_PLAN_RULES: tuple[Callable[[Plan], Iterator[Finding]], ...] = (
    _calendar,
    _inputs,
    _titles,
    _stage_ids,
    _gate_ids,
    plan_consent.reserved,
    plan_consent.shared_expiry,
    _needs,
    _cycle,
    _stage_owner,
    plan_order.circles,
)
_GATE_RULES: tuple[Callable[[Plan, Stage, Gate], Iterator[Finding]], ...] = (
    plan_people.names,
    plan_people.pool,
    plan_people.escalations,
    plan_people.waivers,
    plan_references.pinned_to,
    plan_references.different_people,
    plan_references.same_person,
    plan_references.bands,
    _recycle_targets,
    _choices,
    _budget,
    _checklist,
    plan_times.steps_in_time,
    plan_times.renewals,
    plan_consent.silence,
    plan_consent.conditions_in,
    plan_order.ask_after,
    plan_automatic.nobody_asked,
    plan_automatic.window,
    plan_automatic.check,
    plan_automatic.measurement,
    plan_runs.runs,
)
