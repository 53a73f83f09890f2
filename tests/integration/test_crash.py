"""A crash in the middle of an operation leaves nothing half done: the next try finds everything as it was."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select

from models.database import Database
from models.gates import GateRow
from models.outbox import Message
from models.record import AuditEntry
from models.requests import Decision, Link, Request
from models.rollouts import PlanVersion, Rollout, StageRow
from operations.workspace import Workspace
from tests.company import Company
from tests.sample_plans import SIGN_OFF, one_gate

ANNA, BEN = "anna@example.com", "ben@example.com"
TABLES = (AuditEntry, Decision, GateRow, Link, Message, PlanVersion, Request, Rollout, StageRow)


class PowerCut(Exception):
    """The machine is gone."""


def everything(db: Database) -> list[Any]:
    """How many rows there are of each kind, and where everything stands."""
    with db.read() as session:
        counts = [session.scalar(select(func.count()).select_from(table)) for table in TABLES]
        rollouts = [(row.state, row.sequence, row.head_hash, row.wake_at) for row in session.scalars(select(Rollout))]
        gates = [
            (row.state, row.outcome, row.remind_at) for row in session.scalars(select(GateRow).order_by(GateRow.id))
        ]
        requests = [(row.state, row.link_number) for row in session.scalars(select(Request).order_by(Request.id))]
    return [counts, rollouts, gates, requests]


def cut_at(monkeypatch: pytest.MonkeyPatch, action: str) -> None:
    whole = Workspace.note

    def note(self: Workspace, noted: str, **facts: Any) -> Any:
        entry = whole(self, noted, **facts)
        self.session.flush()
        if noted == action:
            raise PowerCut
        return entry

    monkeypatch.setattr(Workspace, "note", note)


def late(company: Company) -> None:
    company.later(days=2)
    company.checks()


@pytest.mark.parametrize(
    ("action", "operation"),
    [
        ("decision.recorded", lambda company: company.decides(ANNA)),
        ("gate.passed", lambda company: company.decides(ANNA)),
        ("rollout.completed", lambda company: company.decides(ANNA)),
        ("gate.rejected", lambda company: company.decides(ANNA, "reject")),
        ("stage.held", lambda company: company.decides(ANNA, "reject")),
        ("gate.withdrawn", lambda company: company.cancels()),
        ("rollout.cancelled", lambda company: company.cancels()),
        ("gate.opened", lambda company: company.start(one_gate(SIGN_OFF))),
        ("rollout.started", lambda company: company.start(one_gate(SIGN_OFF))),
    ],
)
def test_a_crash_in_the_middle_of_an_operation_leaves_nothing_half_done(
    db: Database, monkeypatch: pytest.MonkeyPatch, action: str, operation: Callable[[Company], object]
) -> None:
    company = Company(db)
    quorum = "all" if action in ("gate.rejected", "stage.held") else "any"
    company.start(one_gate(f"{SIGN_OFF}, quorum: {quorum}"))
    before = everything(db)
    with monkeypatch.context() as patch:
        cut_at(patch, action)
        with pytest.raises(PowerCut):
            operation(company)
    assert everything(db) == before
    operation(company)
    assert everything(db) != before


@pytest.mark.parametrize("action", ["gate.reminded", "gate.escalated"])
def test_a_crash_in_the_check_is_made_good_by_the_next_one(
    db: Database, monkeypatch: pytest.MonkeyPatch, action: str
) -> None:
    company = Company(db)
    company.start(one_gate(f"{SIGN_OFF}, remind: every 2 days, escalate: [{{after: 2 days, to: chair}}]"))
    company.later(days=2)
    before = everything(db)
    with monkeypatch.context() as patch:
        cut_at(patch, action)
        assert company.checks().failed == 1
    assert everything(db) == before
    report = company.checks()
    assert (report.reminded, report.escalated) == (1, 1)
