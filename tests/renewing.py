"""Rollouts whose first gate is asked again every ninety days, and the moments at which it is."""

from __future__ import annotations

from datetime import timedelta

from models.database import Database
from models.requests import Purpose, RequestState
from tests.company import ANNA, MONDAY, Company
from tests.sample_plans import ROLES, SIGN_OFF

BOARD = f"{SIGN_OFF}, quorum: any"
FINANCE = 'kind: sign-off, question: "Still?", approvers: [finance]'
RENEWED = f"{BOARD}, renew: every 90 days"
BLOCKING = f"{BOARD}, renew: {{every: every 90 days, within: 10 business days, blocks_new_stages: true}}"
IN_90_DAYS = MONDAY + timedelta(days=90, hours=-1)  # 10:00 in Zurich stays 10:00 there, in summer time
DEADLINE = IN_90_DAYS + timedelta(days=12)  # from a Sunday, ten business days: to the second Friday


def stage(name: str, *gates: str, needs: str = "", more: str = "") -> str:
    """A stage with these gates, called like it: a, a2, a3."""
    keys = [name, *(f"{name}{number}" for number in range(2, len(gates) + 1))]
    lines = "".join(
        f"      - {{id: {key}, title: Gate {key}, {gate}}}\n" for key, gate in zip(keys, gates, strict=True)
    )
    needed = f"    needs: {needs}\n" if needs else ""
    return f"  - id: {name}x\n    title: Stage {name}\n{needed}{more}    gates:\n{lines}"


def plan(*stages: str) -> str:
    return (
        f"plan: renewed\ntitle: Renewed\ncalendar: {{holidays: CH-ZH, time_zone: Europe/Zurich}}\n{ROLES}\n"
        f"stages:\n{''.join(stages)}"
    )


def begun(db: Database, *stages: str) -> Company:
    """A rollout whose first gate, a, Anna has let pass on the Monday."""
    company = Company(db)
    company.start(plan(*stages))
    company.decides(ANNA)
    return company


def asked_again(db: Database, *stages: str) -> Company:
    """The same, ninety days later, when the check has run."""
    company = begun(db, *stages)
    company.now = IN_90_DAYS
    company.checks()
    return company


def overdue(db: Database, *stages: str) -> Company:
    """The same, when the time to answer is over."""
    company = asked_again(db, *stages)
    company.now = DEADLINE
    company.checks_on_schedule()
    return company


def settle(company: Company, key: str, person: str, decision: str = "approve") -> None:
    """Let somebody decide at this gate, whatever else they are asked."""
    [request] = [
        row
        for row in company.requests(person, RequestState.OPEN)
        if row.purpose is Purpose.DECIDE and company.page(row).question.gate_key == key
    ]
    company.decides(person, decision, request=request)
