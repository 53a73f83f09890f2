"""The plans that rollouts keep, read from their stored versions."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy.orm import Session

from domain.plan import Gate, Plan
from models.rollouts import PlanVersion, plan_versions, plan_versions_in_full


def plan_of(version: PlanVersion) -> Plan:
    """Return the plan of a stored version. A version never changes, so it is read once per process."""
    if version.digest not in _plans:
        _plans[version.digest] = version.plan
    return _plans[version.digest]


def plans_of(session: Session, version_ids: Collection[int]) -> dict[int, Plan]:
    """Return the plans of stored versions by their ids, those that this process has not read yet all at once."""
    versions = session.scalars(plan_versions(version_ids)).all()
    unread = [version.id for version in versions if version.digest not in _plans]
    if unread:
        session.scalars(plan_versions_in_full(unread)).all()
    return {version.id: plan_of(version) for version in versions}


_plans: dict[str, Plan] = {}


def gate_of(plan: Plan, gate_id: str) -> Gate:
    """Return a gate of a plan by its id. Raises KeyError when there is none."""
    for stage in plan.stages:
        for gate in stage.gates:
            if gate.id == gate_id:
                return gate
    raise KeyError(gate_id)
