"""What a run of the check costs, counted in statements: idle, whatever is open; and for every gate that is due.

How long it takes is measured by benchmarks/check.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import event

from models.database import Database
from tests.company import Company
from tests.sample_plans import SIGN_OFF, one_gate

REMINDED = one_gate(f"{SIGN_OFF}, remind: every 2 days, expires: {{after: 30 days}}")
A_REMINDER = 17
"""Statements to remind three people at one gate, in a rollout of its own: lock, look (who is away, who keeps which
hours, who has a chat), write, and the transaction's own."""


@contextmanager
def counted(db: Database) -> Iterator[list[str]]:
    """The statements that are executed meanwhile."""
    statements: list[str] = []

    def count(connection: object, cursor: object, statement: str, *more: object) -> None:
        statements.append(statement)

    event.listen(db.engine, "before_cursor_execute", count)
    try:
        yield statements
    finally:
        event.remove(db.engine, "before_cursor_execute", count)


def cost(company: Company) -> int:
    with counted(company.db) as statements:
        company.checks()
    return len(statements)


def test_an_idle_check_costs_the_same_however_many_gates_are_open(db: Database) -> None:
    company = Company(db)
    company.start(REMINDED)
    company.checks()
    few = cost(company)
    for _ in range(10):
        company.start(REMINDED)
    assert cost(company) == few


def test_every_gate_that_is_due_costs_the_same_few_statements(db: Database) -> None:
    company = Company(db)
    company.checks()
    idle = cost(company)
    open_by_now = 0
    for more in (1, 4):
        for _ in range(more):
            company.start(REMINDED)
        open_by_now += more
        company.later(days=2)
        assert cost(company) - idle <= A_REMINDER * open_by_now


def test_gates_of_one_rollout_that_are_due_together_share_a_transaction(db: Database) -> None:
    company = Company(db)
    gates = "".join(
        f"      - {{id: gate-{number}, title: Gate, {SIGN_OFF}, remind: every 2 days}}\n" for number in range(5)
    )
    company.start(one_gate(SIGN_OFF) + gates)
    company.later(days=2)
    with counted(db) as statements:
        assert company.checks().reminded == 5
    assert sum("FOR UPDATE" in one or one == "BEGIN IMMEDIATE" for one in statements) == (3 if db.is_sqlite else 1)
