"""Flow runs that crash, are deleted, or lose their worker; relays that were away: the rollout is as it should be."""

from __future__ import annotations

import signal
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import psutil  # type: ignore[import-untyped]  # its stubs are a package of their own
import pytest

from models.rollouts import rollouts_newest_first
from tests.flows.conftest import Etappe, eventually
from tests.sample_plans import SIGN_OFF, one_gate
from worker.prefect_server import worker_name

Write = Callable[[str, str], str]
ANY = f"{SIGN_OFF}, quorum: any"
BARS = {"Stage: Only stage": "Waiting", "Gate: The gate (0 of 1)": "Waiting"}


def test_a_rollout_by_command_waits_without_a_process_and_takes_one_to_end(etappe: Etappe) -> None:
    rollout_id, flow_run_id = etappe.start(one_gate(ANY))
    run = etappe.flow_run(flow_run_id)
    assert (run["state_name"], run["run_count"], etappe.processes(flow_run_id)) == ("Suspended", 0, 0)
    assert etappe.bars(flow_run_id) == BARS
    assert run["name"] == "By command"
    etappe.decides(rollout_id, "anna@example.com")
    etappe.until(flow_run_id, "Completed")
    assert etappe.processes(flow_run_id) == 1
    eventually(lambda: etappe.row(rollout_id).wake_at is None, "the wake being cleared")


def test_a_rollout_ends_well_though_its_plans_file_is_gone(etappe: Etappe) -> None:
    source = one_gate(ANY).replace("plan: one-gate", "plan: never-deployed")
    rollout_id, flow_run_id = etappe.start(source)
    assert "never-deployed" in etappe.deployment()["parameter_openapi_schema"]["properties"]["plan"]["enum"]
    etappe.decides(rollout_id, "anna@example.com")
    run = etappe.until(flow_run_id, "Completed")
    assert run["state"]["message"] == "Completed: every stage has passed"


def test_deleting_a_flow_run_does_not_cancel_the_rollout(etappe: Etappe) -> None:
    rollout_id, first = etappe.start(one_gate(f"{SIGN_OFF}, quorum: 2"))
    etappe.decides(rollout_id, "anna@example.com")
    etappe.api.delete(f"flow_runs/{first}").raise_for_status()
    with etappe.client() as client:
        etappe.flow_runs.repair_all(client, etappe.installation, datetime.now(UTC))
    eventually(lambda: etappe.row(rollout_id).flow_run_id not in (first, None), "another flow run")
    second = etappe.shown(rollout_id)
    assert etappe.bars(second) == {"Stage: Only stage": "Waiting", "Gate: The gate (1 of 2)": "Waiting"}
    assert len(etappe.tables(second)) == 1
    etappe.decides(rollout_id, "ben@example.com")
    etappe.until(second, "Completed")
    assert etappe.rollout(rollout_id)["state"] == "completed"


def test_a_flow_run_deleted_after_the_end_is_not_waited_for(etappe: Etappe) -> None:
    rollout_id, flow_run_id = etappe.start(one_gate(ANY))
    with etappe.relay.paused():
        etappe.decides(rollout_id, "anna@example.com")
        etappe.api.delete(f"flow_runs/{flow_run_id}").raise_for_status()
    eventually(lambda: etappe.row(rollout_id).wake_at is None, "nobody being waited for")


def test_a_process_killed_in_the_middle_starts_one_rollout_all_the_same(etappe: Etappe, plan: Write) -> None:
    flow_run_id = etappe.press_run(plan=plan("one-gate", one_gate(ANY)), title="Killed in the middle")
    for process in eventually(forked, "its process"):
        process.send_signal(signal.SIGKILL)
    etappe.until(flow_run_id, "Suspended")
    assert titles(etappe).count("Killed in the middle") == 1
    assert "Crashed" in etappe.states(flow_run_id)
    etappe.decides(etappe.started(flow_run_id), "anna@example.com")
    etappe.until(flow_run_id, "Completed")


def test_what_a_dead_worker_left_running_is_taken_up_when_the_relay_starts(etappe: Etappe) -> None:
    rollout_id, flow_run_id = etappe.start(one_gate(ANY))
    with etappe.relay.paused():
        etappe.force(flow_run_id, "RUNNING")
        etappe.decides(rollout_id, "anna@example.com")
    etappe.until(flow_run_id, "Completed")
    assert etappe.processes(flow_run_id) == 1


def test_orphans_are_what_was_at_work_before_and_nothing_else(etappe: Etappe) -> None:
    _, flow_run_id = etappe.start(one_gate(ANY))
    with etappe.relay.paused(), etappe.client() as client:
        etappe.force(flow_run_id, "RUNNING")
        etappe.flow_runs.take_up_orphans(client, datetime.now(UTC) - timedelta(minutes=1), worker_name())
        assert etappe.flow_run(flow_run_id)["state_type"] == "RUNNING"
        etappe.flow_runs.take_up_orphans(client, datetime.now(UTC), worker_name())
        assert etappe.flow_run(flow_run_id)["state_type"] != "RUNNING"
    etappe.until(flow_run_id, "Suspended")


def test_while_another_worker_is_alive_what_is_at_work_may_be_its(etappe: Etappe) -> None:
    _, flow_run_id = etappe.start(one_gate(ANY))
    with etappe.relay.paused(), etappe.client() as client:
        etappe.force(flow_run_id, "RUNNING")
        etappe.api.post("work_pools/etappe/workers/heartbeat", json={"name": "elsewhere"}).raise_for_status()
        etappe.flow_runs.take_up_orphans(client, datetime.now(UTC), worker_name())
        assert etappe.flow_run(flow_run_id)["state_type"] == "RUNNING"
        long_after = datetime.now(UTC) + timedelta(minutes=2)
        etappe.flow_runs.take_up_orphans(client, long_after, worker_name())
        assert etappe.flow_run(flow_run_id)["state_type"] != "RUNNING"
        etappe.api.delete("work_pools/etappe/workers/elsewhere").raise_for_status()
    etappe.until(flow_run_id, "Suspended")


def test_a_wake_that_was_missed_is_delivered_when_the_relay_is_back(etappe: Etappe) -> None:
    rollout_id, flow_run_id = etappe.start(one_gate(ANY))
    with etappe.relay.paused():
        etappe.decides(rollout_id, "anna@example.com")
        assert etappe.flow_run(flow_run_id)["state_name"] == "Suspended"
    etappe.until(flow_run_id, "Completed")
    eventually(lambda: etappe.bars(flow_run_id).get("Gate: The gate (1 of 1)") == "Passed", "the bar")


@pytest.mark.parametrize("by", ["relay", "scheduled check"])
def test_cancelling_while_the_relay_was_away_is_noticed_later(etappe: Etappe, by: str) -> None:
    rollout_id, flow_run_id = etappe.start(one_gate(ANY))
    with etappe.relay.paused():
        etappe.post(f"flow_runs/{flow_run_id}/set_state", state={"type": "CANCELLING", "name": "Cancelling"})
        if by == "scheduled check":
            run = etappe.post(f"deployments/{etappe.deployment('check-stalled/scheduled')['id']}/create_flow_run")
            etappe.until(run["id"], "Completed")
            assert etappe.rollout(rollout_id)["state"] == "cancelled"
    eventually(lambda: etappe.rollout(rollout_id)["state"] == "cancelled", "the rollout being called off", seconds=15)


def forked() -> list[psutil.Process]:
    """The processes that execute flow runs: the worker forks each from the one that has imported everything.

    Of this test run alone: somebody else's may be on the machine.
    """
    found = [process for process in psutil.Process().children(recursive=True) if is_zygote(process)]
    parents = {process.pid for process in found}
    return [process for process in found if parent_of(process) in parents]


def is_zygote(process: psutil.Process) -> bool:
    """Whether it is what flow runs are forked from, or one of these: forked itself, or a process of its own."""
    try:
        return process.name() == "etappe zygote" or "worker.warm.zygote" in process.cmdline()
    except psutil.NoSuchProcess:
        return False


def parent_of(process: psutil.Process) -> int:
    """The id of its parent, 0 when it has ended."""
    try:
        return int(process.ppid())
    except psutil.NoSuchProcess:
        return 0


def titles(etappe: Etappe) -> list[str]:
    with etappe.installation.db.read() as session:
        return [rollout.title for rollout in session.scalars(rollouts_newest_first())]
