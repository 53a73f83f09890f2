"""Who is waited for, said in the states of suspended flow runs: by one request for all that wait for the same."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.states import Paused

Sentence = tuple[str, str]
"""The name and the message of a state."""
ACCEPTED = "ACCEPT"
MOST_AT_ONCE = 8
"""Prefect looks which are suspended, and then sets one after the other, which hides that one is cancelled just then."""


def say(client: SyncPrefectClient, wanted: Iterable[tuple[FlowRun, Sentence]]) -> set[UUID]:
    """Say this of these flow runs, as far as it is not said; return those of which it cannot be said by now.

    Somebody may cancel or resume a flow run after it was looked up, so only those that still are suspended are meant.
    """
    together: dict[Sentence, list[str]] = defaultdict(list)
    for run, sentence in wanted:
        if run.state is None or (run.state.name, run.state.message) != sentence:
            together[sentence].append(str(run.id))
    unsaid = {UUID(run_id) for ids in together.values() for run_id in ids}
    for sentence, ids in together.items():
        for first in range(0, len(ids), MOST_AT_ONCE):
            unsaid.difference_update(_said(client, sentence, ids[first : first + MOST_AT_ONCE]))
    return unsaid


def _said(client: SyncPrefectClient, sentence: Sentence, ids: list[str]) -> list[UUID]:
    """Forced, since Prefect allows no suspended flow run to be suspended."""
    name, message = sentence
    state: State[Any] = Paused(name=name, message=message, reschedule=True)
    still_suspended = {"id": {"any_": ids}, "state": {"type": {"any_": [StateType.PAUSED.value]}}}
    wanted = state.model_dump(mode="json", include={"type", "name", "message", "state_details"})
    answer = client.request(
        "POST",
        "/flow_runs/bulk_set_state",  # type: ignore[arg-type]  # the client's list of routes lacks it
        json={"flow_runs": still_suspended, "state": wanted, "force": True, "limit": len(ids)},
    )
    return [UUID(result["flow_run_id"]) for result in answer.json()["results"] if result["status"] == ACCEPTED]
