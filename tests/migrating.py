"""Plans of several gates and stages that get a newer version, and what tests want to know then."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from models.base import Base
from models.database import Database
from models.gates import GateRow
from tests.company import Company
from tests.sample_plans import ROLES, SIGN_OFF, one_gate

ALL = one_gate(f"{SIGN_OFF}, quorum: all")


def gate(key: str, more: str = "", *, question: str = "Yes?", approvers: str = "board", quorum: str = "all") -> str:
    return (
        f'{{id: {key}, title: Gate {key}, kind: sign-off, question: "{question}", approvers: [{approvers}], '
        f"quorum: {quorum}{more and f', {more}'}}}"
    )


def stage(key: str, *gates: str, more: str = "") -> str:
    return f"  - {{id: {key}, title: Stage {key}, {more}gates: [{', '.join(gates)}]}}\n"


def plan(*stages: str, inputs: str = "") -> str:
    return f"""
plan: several
title: Several
calendar: {{holidays: CH-ZH, time_zone: Europe/Zurich}}
{ROLES}
inputs: {{budget: {{kind: budget, currency: CHF}}{inputs}}}
stages:
{"".join(stages)}"""


def everything(db: Database) -> dict[str, list[Any]]:
    """Every row of every table."""
    with db.read() as session:
        tables = Base.metadata.sorted_tables
        return {table.name: [tuple(row) for row in session.execute(select(table))] for table in tables}


def rows_of(company: Company, key: str) -> list[tuple[int, str, bool]]:
    """A gate's rounds: number, state, and whether it is the newest."""
    with company.db.read() as session:
        rows = session.scalars(
            select(GateRow).where(GateRow.rollout_id == company.rollout_id, GateRow.key == key).order_by(GateRow.round)
        )
        return [(row.round, row.state.value, row.current) for row in rows]
