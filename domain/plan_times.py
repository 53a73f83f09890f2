"""What a plan says about times: that the steps of a gate come one after the other, and that renewals can come at all.

Part of the plan check; paths are of the gate.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise

from domain.durations import Deadline, Duration, Unit, WeekMoment
from domain.plan import Gate, Plan, Stage
from domain.renewal import rule_of
from domain.stage_graph import comes_before

Path = tuple[str | int, ...]
Finding = tuple[Path, str]


def steps_in_time(plan: Plan, stage: Stage, gate: Gate) -> Iterator[Finding]:
    """Find steps of one gate that come before those that they should follow.

    After an escalation that starts the clock anew there is no earlier step to follow.
    """
    steps: list[tuple[Path, str, Deadline, bool]] = [
        (("escalate", e, "after"), "escalation", step.after, step.restart_clock) for e, step in enumerate(gate.escalate)
    ]
    if gate.expires:
        steps.append((("expires", "after"), "expiry", gate.expires.after, False))
    for (_, what, earlier, restarts), (path, this, after, _) in pairwise(steps):
        if not restarts and not _may_be_later(after, earlier):
            yield path, f"this {this} comes no later than the {what} before it ({earlier}); write a longer time"
    if gate.remind and gate.expires and not any(step.restart_clock for step in gate.escalate):
        up, first = gate.expires.after, gate.remind.pauses[0]
        if not _may_be_later(up, first):
            yield ("remind",), f"time is up after {up}, before the first reminder; remind sooner"


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


def _may_be_later(deadline: Deadline, than: Deadline) -> bool:
    if isinstance(deadline, Duration) and isinstance(than, Duration) and deadline.unit is than.unit:
        return deadline.amount > than.amount
    return deadline != than and _days(deadline, longest=True) > _days(than, longest=False)


def _days(deadline: Deadline, longest: bool) -> Decimal:
    """Return a deadline in days. Business days and moments of the week depend on when they begin, so the shortest or
    longest they usually take.
    """
    if isinstance(deadline, WeekMoment):
        return Decimal(7 if longest else 0)
    amount = Decimal(deadline.amount)
    if deadline.unit is Unit.BUSINESS_DAY:
        return amount * 7 / 5 + 4 if longest else amount
    minutes = {Unit.MINUTE: 1, Unit.HOUR: 60, Unit.DAY: 1440, Unit.WEEK: 7 * 1440}
    return amount * minutes[deadline.unit] / 1440
