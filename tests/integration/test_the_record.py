"""The record: one entry for every change of state, chained, and not to be changed afterwards."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from domain.record import first_break
from models.database import Database
from models.gates import all_gates
from models.rollouts import all_stages
from tests.company import REQUESTER, Company
from tests.sample_plans import ROLES, SIGN_OFF, one_gate

ANNA, BEN, CARLA = "anna@example.com", "ben@example.com", "carla@example.com"
DORA = "dora@example.com"

PLAN = f"""
plan: recorded
title: Recorded
{ROLES}
stages:
  - id: a
    title: A
    gates:
      - {{id: x, title: X, {SIGN_OFF}, quorum: any}}
      - {{id: m, title: M, kind: measurement, metric: hits, measured_by: owner, at_least: 10}}
  - {{id: b, title: B, gates: [{{id: y, title: Y, kind: review, question: "?", approvers: [finance]}}]}}
"""


def eventful(db: Database) -> Company:
    """A rollout that is held, resumed, sent back and called off."""
    company = Company(db, now=datetime(2026, 3, 2, 9, 0, 0, 123456, tzinfo=UTC))
    company.start(PLAN)
    company.decides(ANNA, "approve-with-conditions", conditions=[company.condition("nur im März – “wirklich”")])
    company.later(microseconds=1)
    company.measures("hits", "9.50")
    company.later(days=1)
    company.measures("hits", "10")
    company.decides(DORA, "recycle", comment="noch einmal")
    company.later(hours=1)
    company.cancels()
    return company


def chain(company: Company) -> list[dict[str, object]]:
    return [entry.written() for entry in company.entries()]


def test_the_chain_verifies_when_it_is_read_back(db: Database) -> None:
    company = eventful(db)
    entries = chain(company)
    assert len(entries) > 15
    assert first_break(entries) is None


def test_a_change_of_any_entry_shows_and_says_where(db: Database) -> None:
    entries = chain(eventful(db))
    for place in range(len(entries)):
        changed = [dict(entry) for entry in entries]
        changed[place]["actor"] = "somebody@example.com"
        assert first_break(changed) == place + 1


def test_every_change_of_state_has_its_entry(db: Database) -> None:
    company = eventful(db)
    noted = Counter((entry.action, entry.stage, entry.gate, entry.round) for entry in company.entries())
    with db.read() as session:
        gates = session.scalars(all_gates(company.rollout_id)).all()
        stages = {stage.id: stage for stage in session.scalars(all_stages(company.rollout_id))}
    for gate in gates:
        at = (stages[gate.stage_id].key, gate.key, gate.round)
        assert noted["gate.opened", *at] == (gate.opened_at is not None)
        assert noted[f"gate.{gate.state}", *at] == 1
    for stage in stages.values():
        at_stage = (stage.key, None, stage.round)
        assert noted["stage.opened", *at_stage] == (stage.opened_at is not None)
        assert noted[f"stage.{stage.state}", *at_stage] == 1
    actions = [entry.action for entry in company.entries() if entry.action.startswith("rollout.")]
    assert actions == [
        "rollout.started", "rollout.opened", "rollout.held", "rollout.resumed", "rollout.recycled", "rollout.cancelled",
    ]  # fmt: skip


def test_an_entry_says_who_by_which_door_and_what_follows_by_itself_is_said_to_be_done_by_the_rules(
    db: Database,
) -> None:
    company = Company(db)
    company.start(one_gate(f"{SIGN_OFF}, quorum: any"))
    page = company.page(company.asked(ANNA))
    company.decides(ANNA, "approve", comment="gladly")
    [decided] = company.entries("decision.recorded")
    assert (decided.actor, decided.channel, decided.assurance) == (ANNA, "link", "link-code")
    assert (decided.gate, decided.round, decided.decision, decided.comment) == ("gate", 1, "approve", "gladly")
    assert decided.shown_digest == page.digest
    assert {entry.actor for entry in company.entries("gate.passed")} == {"etappe"}
    assert {entry.actor for entry in company.entries("rollout.started")} == {REQUESTER}


@pytest.mark.parametrize("table", ["audit_entries", "decisions"])
@pytest.mark.parametrize("change", ["UPDATE {} SET comment = 'something else'", "DELETE FROM {}"])
def test_the_database_refuses_to_change_what_was_recorded(db: Database, table: str, change: str) -> None:
    company = eventful(db)
    before = chain(company)
    with pytest.raises(DBAPIError, match="append-only"), db.write() as session:
        session.execute(text(change.format(table)))
    assert chain(company) == before
