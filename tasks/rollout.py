"""The steps of a rollout as Prefect shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from typing import Any

from prefect import task
from prefect.logging import get_run_logger
from prefect.states import Completed, Failed

from domain.budget import BudgetLine
from domain.errors import EtappeError
from models.rollouts import rollout_of_flow_run
from operations import advance as operations_advance
from operations import conclude_rollout, start_rollout
from operations.advance import Progress
from operations.attach_flow_run import paint_again
from operations.conclude_rollout import Conclusion
from operations.installation import Installation


@dataclass(frozen=True)
class StartForm:
    """What was typed into Prefect's form."""

    plan: str
    title: str
    requester: str
    owner: str
    language: str
    start_on: date | None
    people: Mapping[str, Sequence[str]]
    budget: Sequence[BudgetLine]
    inputs: Mapping[str, Any]


@cache
def installation() -> Installation:
    """The installation that this process works for."""
    return Installation.from_environment()


@task(name="start", task_run_name="Start the rollout", persist_result=False)
def start(form: StartForm, flow_run_id: str) -> Any:
    """Start a rollout, or find the one that this flow run has started; return its id.

    A refusal ends the task as Failed, with its one sentence and without a traceback.
    """
    here = installation()
    if rollout_id := _started_before(here, flow_run_id):
        return Completed(data=rollout_id)
    try:
        loaded = here.catalogue.load(form.plan)
        wanted = start_rollout.Start(
            plan=loaded.plan,
            source=loaded.source,
            title=form.title,
            requester=form.requester,
            owner=form.owner,
            language=form.language,
            start_on=form.start_on,
            people=form.people,
            budget=form.budget,
            inputs=form.inputs,
            flow_run_id=flow_run_id,
        )
        rollout_id = start_rollout.start_rollout(here.db, here.keys, wanted, datetime.now(UTC))
    except EtappeError as refusal:
        return Failed(name="Refused", message=refusal.sentence)
    get_run_logger().info("rollout %s", rollout_id)
    return Completed(data=rollout_id)


def _started_before(here: Installation, flow_run_id: str) -> str | None:
    """Return what this flow run has started; its plan's file may be gone or broken by now, and does not matter."""
    with here.db.read() as session:
        rollout = session.scalars(rollout_of_flow_run(flow_run_id)).first()
        return rollout.id if rollout else None


@task(name="advance", task_run_name="Advance", persist_result=False)
def advance(rollout_id: str) -> Progress:
    """Do whatever is due in the rollout, and have Prefect's page painted as it stands."""
    here = installation()
    progress = operations_advance.advance(here.db, here.keys, rollout_id, datetime.now(UTC))
    paint_again(here.db, rollout_id)
    get_run_logger().info("rollout %s is %s", rollout_id, progress.state)
    return progress


@task(name="conclude", task_run_name="Conclude", persist_result=False)
def conclude(rollout_id: str) -> Conclusion:
    """Take the rollout's end from the database."""
    return conclude_rollout.conclude_rollout(installation().db, rollout_id)
