"""Rollouts of three stages in a row, the first of which passes on conditions."""

from __future__ import annotations

from domain.conditions import TypedCondition
from models.conditions import Condition, conditions_of
from models.database import Database
from tests.company import ANNA, Company
from tests.sample_plans import ROLES

OUTSIDER = "max@elsewhere.example"
WITH_CONDITIONS = "approve-with-conditions"


def plan(quorum: str = "any", more: str = "", kind: str = "sign-off", b: str = "", c: str = "") -> str:
    """Three stages in a row: the board decides at `x`, finance at `y`, the chair at `z`; `b` and `c` are keys more."""
    return f"""
plan: three
title: Three
calendar: {{holidays: CH-ZH, time_zone: Europe/Zurich}}
{ROLES}
inputs: {{money: {{kind: number}}}}
stages:
  - id: a
    title: Stage A
    gates: [{{id: x, title: Gate X, kind: {kind}, question: "?", approvers: [board], quorum: {quorum}{more}}}]
  - id: b
    title: Stage B
    owner: emil@example.com
    gates: [{{id: y, title: Gate Y, kind: sign-off, question: "?", approvers: [finance]{b}}}]
  - id: c
    title: Stage C
    gates: [{{id: z, title: Gate Z, kind: sign-off, question: "?", approvers: [chair]{c}}}]
"""


def agreed(db: Database, *conditions: TypedCondition, source: str = "") -> Company:
    """A rollout whose first gate Anna let pass on conditions (one, for Ben, within a week, unless others are given)."""
    company = Company(db)
    company.start(source or plan())
    company.decides(ANNA, WITH_CONDITIONS, conditions=conditions)
    return company


def keys(company: Company, stage: str) -> list[str]:
    """The gates of a stage."""
    return next([gate["id"] for gate in one["gates"]] for one in company.rollout()["stages"] if one["id"] == stage)


def kept(company: Company) -> list[Condition]:
    """The conditions as they are stored."""
    with company.db.read() as session:
        return list(session.scalars(conditions_of(company.rollout_id)))
