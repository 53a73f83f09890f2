"""What a plan says about times: that the steps of a gate come one after the other, and that renewals can come at all.

Part of the plan check; paths are of the gate.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise

from domain.durations import Duration, Unit
from domain.plan import Gate, Plan, Stage
from domain.renewal import rule_of
from domain.stage_graph import comes_before

Path = tuple[str | int, ...]
Finding = tuple[Path, str]


def steps_in_time(plan: Plan, stage: Stage, gate: Gate) -> Iterator[Finding]:
    """Find steps of one gate that come before those that they should follow."""
    steps: list[tuple[Path, str, Duration]] = [
        (("escalate", e, "after"), "escalation", step.after) for e, step in enumerate(gate.escalate)
    ]
    if gate.expires:
        steps.append((("expires", "after"), "expiry", gate.expires.after))
    for (_, what, earlier), (path, this, after) in pairwise(steps):
        if not _may_be_later(after, earlier):
            yield path, f"this {this} comes no later than the {what} before it ({earlier}); write a longer time"
    if gate.remind and gate.expires and not _may_be_later(gate.expires.after, gate.remind):
        yield ("remind",), f"time is up after {gate.expires.after}, before the first reminder; remind sooner"


def renewals(plan: Plan, stage: Stage, gate: Gate) -> Iterator[Finding]:
    """Find renewals without time between them, and those that can never come."""
    rule = rule_of(gate)
    if rule is None:
        return
    if not _may_be_later(rule.every, rule.within):
        instead = "renew less often, or write a shorter time under “within”"
        yield ("renew",), f"with {rule.within} to answer, it cannot be asked again {rule.every}; {instead}"
    others = {one.id for one in plan.stages} - {stage.id}
    if len(stage.gates) == 1 and all(comes_before(plan.needs(), other, stage.id) for other in others):
        yield ("renew",), "the rollout ends when this gate passes, so it is never asked again; leave “renew” out"


def _may_be_later(span: Duration, than: Duration) -> bool:
    if span.unit is than.unit:
        return span.amount > than.amount
    return _days(span, longest=True) > _days(than, longest=False)


def _days(span: Duration, longest: bool) -> Decimal:
    """Return a span in days; business days depend on when they begin, so the shortest or longest they usually take."""
    amount = Decimal(span.amount)
    if span.unit is Unit.BUSINESS_DAY:
        return amount * 7 / 5 + 4 if longest else amount
    minutes = {Unit.MINUTE: 1, Unit.HOUR: 60, Unit.DAY: 1440, Unit.WEEK: 7 * 1440}
    return amount * minutes[span.unit] / 1440
