"""Rollouts whose owners are asked for changes."""

from __future__ import annotations

from models.database import Database
from models.requests import Purpose, Request, RequestState
from tests.company import DORA, Company
from tests.integration.test_lapse import gate, plan, stage
from tests.sample_plans import SIGN_OFF, one_gate

OWNED = one_gate(f"{SIGN_OFF}, quorum: all").replace(
    "title: Only stage\n", "title: Only stage\n    owner: finance-head\n"
)
MONEY = plan(
    stage(
        "one",
        gate("sign", more="pinned_to: [budget]"),
        gate("style", more="pinned_to: [concept]"),
    ),
    stage("two", gate("end")),
)


def asked(company: Company, person: str, purpose: Purpose = Purpose.RESPOND) -> Request:
    [request] = [row for row in company.requests(person, RequestState.OPEN) if row.purpose is purpose]
    return request


def started(db: Database, source: str = OWNED, **more: object) -> Company:
    company = Company(db)
    company.start(source, **{"owner": DORA, **more})  # type: ignore[arg-type]
    return company
