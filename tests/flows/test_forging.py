"""Prefect's API and its Resume button carry no authority, but for cancelling: nothing moves, all is put right."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from operations.cancel_rollout import cancel_rollout
from operations.workspace import Actor
from tests.flows.conftest import Etappe, eventually
from tests.sample_plans import SIGN_OFF, one_gate

ANY = f"{SIGN_OFF}, quorum: any"
WAITING = "Waiting for: Anna Keller, Ben Frei, Carla Rossi"


def is_put_right(etappe: Etappe, flow_run_id: str) -> None:
    def waits_again() -> bool:
        run = etappe.flow_run(flow_run_id)
        return (run["state_name"], run["state"]["message"]) == ("Suspended", WAITING)

    eventually(waits_again, f"its sentence; it was {etappe.states(flow_run_id)}", seconds=60)


def had_a_process(etappe: Etappe, flow_run_id: str) -> None:
    eventually(lambda: etappe.processes(flow_run_id) == 1, "a process")


@pytest.fixture
def rollout(etappe: Etappe) -> tuple[str, str, int]:
    """A rollout that waits, its flow run, and the number of its last audit entry."""
    rollout_id, flow_run_id = etappe.start(one_gate(ANY))
    is_put_right(etappe, flow_run_id)
    return rollout_id, flow_run_id, etappe.row(rollout_id).sequence


def test_resume_moves_nothing(etappe: Etappe, rollout: tuple[str, str, int]) -> None:
    rollout_id, flow_run_id, sequence = rollout
    assert etappe.post(f"flow_runs/{flow_run_id}/resume")["status"] == "ACCEPT"
    had_a_process(etappe, flow_run_id)
    is_put_right(etappe, flow_run_id)
    assert etappe.row(rollout_id).sequence == sequence
    assert etappe.bars(flow_run_id) == {"Stage: Only stage": "Waiting", "Gate: The gate (0 of 1)": "Waiting"}
    assert etappe.processes(flow_run_id) == 1


def test_a_forged_state_moves_nothing(etappe: Etappe) -> None:
    rollouts = {state: etappe.start(one_gate(ANY)) for state in ("COMPLETED", "SCHEDULED", "FAILED", "CRASHED")}
    before = {rollout_id: etappe.row(rollout_id).sequence for rollout_id, _ in rollouts.values()}
    for state, (_, flow_run_id) in rollouts.items():
        etappe.force(flow_run_id, state)
    for rollout_id, flow_run_id in rollouts.values():
        had_a_process(etappe, flow_run_id)
        is_put_right(etappe, flow_run_id)
        assert etappe.row(rollout_id).sequence == before[rollout_id]
        assert etappe.rollout(rollout_id)["state"] == "open"


def test_a_flow_run_that_only_claims_to_be_running_is_taken_up_when_that_takes_too_long(
    etappe: Etappe, rollout: tuple[str, str, int]
) -> None:
    rollout_id, flow_run_id, sequence = rollout
    etappe.force(flow_run_id, "RUNNING")
    with etappe.client() as client:
        etappe.flow_runs.repair_recent(client, etappe.installation, datetime.now(UTC))
        assert etappe.flow_run(flow_run_id)["state_type"] == "RUNNING"
        etappe.flow_runs.repair_recent(client, etappe.installation, datetime.now(UTC) + timedelta(minutes=6))
    had_a_process(etappe, flow_run_id)
    is_put_right(etappe, flow_run_id)
    assert etappe.row(rollout_id).sequence == sequence


def test_a_rollout_goes_on_and_ends_while_somebody_forges_its_flow_run(
    etappe: Etappe, rollout: tuple[str, str, int]
) -> None:
    rollout_id, flow_run_id, _ = rollout
    etappe.force(flow_run_id, "FAILED")
    etappe.decides(rollout_id, "anna@example.com")
    assert etappe.rollout(rollout_id)["state"] == "completed"
    etappe.until(flow_run_id, "Completed")
    eventually(lambda: etappe.row(rollout_id).wake_at is None, "the wake being cleared")


def test_a_flow_run_that_goes_astray_again_and_again_is_taken_up_with_growing_pauses(etappe: Etappe) -> None:
    rollout_id, flow_run_id = etappe.start(one_gate(ANY))
    here, begun = etappe.installation, datetime.now(UTC)
    with etappe.relay.paused(), etappe.client() as client:

        def is_taken_up(after_seconds: int) -> bool:
            etappe.force(flow_run_id, "CRASHED")
            etappe.flow_runs.repair_recent(client, here, begun + timedelta(seconds=after_seconds))
            return bool(etappe.flow_run(flow_run_id)["state_type"] != "CRASHED")

        with nothing_runs(etappe):  # what is taken up would soon be Running
            assert is_taken_up(0)
            assert not is_taken_up(5)
            assert is_taken_up(15)
            assert not is_taken_up(18)
            assert is_taken_up(60)
        cancel_rollout(here.db, here.keys, rollout_id, "Enough of this.", Actor("lea@example.com", "command"), begun)
        etappe.api.delete(f"flow_runs/{flow_run_id}").raise_for_status()


@contextmanager
def nothing_runs(etappe: Etappe) -> Iterator[None]:
    """No worker is given a flow run meanwhile."""
    etappe.api.patch("work_pools/etappe", json={"is_paused": True}).raise_for_status()
    try:
        yield
    finally:
        etappe.api.patch("work_pools/etappe", json={"is_paused": False}).raise_for_status()
