"""A rollout: started from Prefect's form, it waits without a process until its gates are decided."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal
from uuid import uuid4

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.flow_runs import suspend_flow_run
from prefect.runtime import flow_run
from prefect.states import Cancelled, Completed, Failed
from pydantic import Field

from domain.budget import BudgetLine
from domain.states import RolloutState
from operations.conclude_rollout import Conclusion
from tasks.rollout import StartForm, advance, conclude, start

Address = Annotated[str, Field(pattern=r"^\s*[^@\s]+@[^@\s]+\.[^@\s]+\s*$")]


# A resumed run counts as never run, so Prefect would try a run that has ended as Failed once more: 0 runs are within 0.
NO_RETRIES = -1


@flow(name="rollout", flow_run_name="{title}", persist_result=False, validate_parameters=True, retries=NO_RETRIES)
def rollout(
    plan: str,
    title: Annotated[str, Field(min_length=1, max_length=200)],
    requester: Address,
    owner: str = "",
    language: Literal["en", "de"] = "en",
    start_on: date | None = None,
    people: dict[str, list[str]] | None = None,
    budget: list[BudgetLine] | None = None,
    inputs: dict[str, Any] | None = None,
) -> State[Any]:
    """Roll something out in stages: each gate asks the people it needs, and the next stage opens when they say yes.

    Args:
        plan: Which plan the rollout follows.
        title: What it is called in mails, on pages, and in Prefect's list of runs.
        requester: E-mail address of whoever asks for it. They hear every outcome, and do not decide themselves.
        owner: E-mail address of whoever looks after it; empty means the requester.
        language: The language of this page and of mails to people who are not in the directory.
        start_on: The first day; empty means at once.
        people: Who holds a role in this rollout, as JSON: `{"executive-board": ["anna.keller@example.com"]}`. Roles
            that are not named here come from the directory.
        budget: What it costs, line by line, in the plan's currency. Plans with a budget gate need at least one line,
            `social-media-introduction` for one.
        inputs: What else the plan asks for, as JSON by name, such as `{"policy": "the wording"}`.
    """
    form = StartForm(plan, title, requester, owner, language, start_on, people or {}, budget or [], inputs or {})
    started = start(form, str(flow_run.id), return_state=True)
    if started.name == "Refused":
        return Failed(name="Refused", message=started.message)
    rollout_id: str = started.result()
    while not advance(rollout_id).finished:
        suspend_flow_run(timeout=None, key=str(uuid4()))  # the process ends; waiting costs nothing
    return _ended(conclude(rollout_id))


def _ended(conclusion: Conclusion) -> State[Any]:
    match conclusion.state:
        case RolloutState.COMPLETED:
            return Completed(message=f"Completed: {conclusion.because}")
        case RolloutState.CANCELLED:
            return Cancelled(message=f"Called off: {conclusion.because}")
    return Failed(name="Killed", message=f"Stopped for good: {conclusion.because}")
