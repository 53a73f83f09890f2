"""Two relays that follow the same rollouts in Prefect: one does, the other takes over; everything is shown once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from operations.start_rollout import Start, start_rollout
from plans.reading import read_plan
from tests.company import REQUESTER
from tests.flows.conftest import Etappe, Relay, eventually
from tests.sample_plans import SIGN_OFF, one_gate

ANY = f"{SIGN_OFF}, quorum: any"
SHOWN = {"Stage: Only stage": "Waiting", "Gate: The gate (0 of 1)": "Waiting"}
ENDED = {"Stage: Only stage": "Passed", "Gate: The gate (1 of 1)": "Passed"}


@pytest.fixture
def second(etappe: Etappe) -> Iterator[Relay]:
    """Another relay of the same installation, as on another machine."""
    relay = Relay(etappe.installation)
    relay.start()
    yield relay
    relay.stop()


def start_some(etappe: Etappe, how_many: int) -> list[str]:
    """Start rollouts and wait for none of them."""
    source, here = one_gate(ANY), etappe.installation
    start = Start(read_plan(source, "plan.yaml"), source, "One of many", REQUESTER, channel="command")
    return [start_rollout(here.db, here.keys, start, datetime.now(UTC)) for _ in range(how_many)]


def test_the_second_relay_goes_on_when_the_first_one_is_gone_and_the_other_way_round(
    etappe: Etappe, second: Relay
) -> None:
    rollout_id, flow_run_id = etappe.start(one_gate(ANY))
    with etappe.relay.paused():
        etappe.decides(rollout_id, "anna@example.com")
        etappe.until(flow_run_id, "Completed")
        rollout_id, flow_run_id = etappe.start(one_gate(ANY))
    with second.paused():
        etappe.decides(rollout_id, "anna@example.com")
        etappe.until(flow_run_id, "Completed")


def test_what_two_relays_show_between_them_is_shown_once(etappe: Etappe, second: Relay) -> None:
    started = start_some(etappe, 6)
    with etappe.relay.paused():
        started += start_some(etappe, 6)
    with second.paused():
        started += start_some(etappe, 6)
    flow_runs = [etappe.shown(rollout_id) for rollout_id in started]
    assert len(set(flow_runs)) == len(started)
    for flow_run_id in flow_runs:
        assert etappe.bars(flow_run_id) == SHOWN
        assert len(etappe.tables(flow_run_id)) == 1
    for rollout_id in started:
        etappe.decides(rollout_id, "anna@example.com")
    for flow_run_id in flow_runs:
        etappe.until(flow_run_id, "Completed")
        assert etappe.processes(flow_run_id) == 1
    eventually(lambda: all(etappe.bars(run) == ENDED for run in flow_runs), "the bars")
