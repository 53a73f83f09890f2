"""Plans whose gates may be waived, and somebody who does."""

from __future__ import annotations

from collections.abc import Callable

from operations.waive_gate import waive_gate
from operations.workspace import Actor
from tests.company import KEYS, Company
from tests.sample_plans import ROLES, SIGN_OFF, one_gate

WAIVED = f"{SIGN_OFF}, waiver: [chair]"
MEASURED = "kind: measurement, metric: visits, at_least: 100, measured_by: finance, waiver: [chair]"
WHY = "the fair is on Friday"


def stages(*gates: str) -> str:
    """A plan with one stage for each of these gates, called a, b, c, and their gates gate-a and so on."""
    blocks = "".join(
        f"  - {{id: {name}, title: Stage {name}, gates: [{{id: gate-{name}, title: Gate {name}, {gate}}}]}}\n"
        for name, gate in zip("abc", gates, strict=False)
    )
    return f"plan: several\ntitle: Several\n{ROLES}\nstages:\n{blocks}"


def two_gates(first: str, second: str) -> str:
    """A plan with one stage and these two gates, called first and second."""
    return one_gate(first).replace("id: gate,", "id: first,") + f"      - {{id: second, title: Second, {second}}}\n"


def waiving(company: Company, person: str, reason: str = WHY, key: str = "gate") -> Callable[[], object]:
    actor = Actor(person, "command")
    return lambda: waive_gate(company.db, KEYS, company.rollout_id, key, reason, actor, company.now)
