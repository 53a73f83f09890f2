"""The bundled plan software-release from Prefect's form to the end: a worker shifts the traffic, and people decide.

The flow runs are those of the sample deployment; the values come by `etappe measure`. The last wave waits for office
hours: outside of them its window is waived.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cli.main import main
from operations.waive_gate import waive_gate
from operations.workspace import Actor
from tests.flows.conftest import Etappe, eventually
from worker.post import now

ANNA, BEN, DORA = "anna@example.com", "ben@example.com", "dora@example.com"
PEOPLE = {"engineering-lead": [ANNA], "release-manager": [BEN], "incident-manager": [DORA]}
RELEASE = "2.4.0"


def gate(etappe: Etappe, rollout_id: str, key: str) -> dict[str, Any]:
    gates = [gate for stage in etappe.rollout(rollout_id)["stages"] for gate in stage["gates"]]
    return next(gate for gate in gates if gate["id"] == key)


def until(etappe: Etappe, rollout_id: str, key: str, state: str) -> None:
    eventually(lambda: gate(etappe, rollout_id, key)["state"] == state, f"{key} being {state}", seconds=120)


def measure(rollout_id: str, metric: str, value: str) -> None:
    assert main(["measure", rollout_id, metric, value, "--sample", "20000", "--by", BEN]) == 0


def shift_and_measure(etappe: Etappe, rollout_id: str, home: Path, wave: str, percent: int) -> None:
    """Wait until a worker has shifted the traffic, and bring the two values."""
    from flows.shift_traffic import read_traffic

    until(etappe, rollout_id, f"{wave}-shift", "passed")
    assert read_traffic(home)[RELEASE] == percent
    assert {request.purpose.value for request in etappe.open_requests(rollout_id, BEN)} == {"measure"}
    measure(rollout_id, f"error-rate-{percent}", "0.4")
    measure(rollout_id, f"response-time-{percent}", "250")
    assert gate(etappe, rollout_id, f"{wave}-errors")["state"] == "passed"


@pytest.mark.slow
def test_a_release_goes_from_one_percent_to_all_of_the_traffic(etappe: Etappe, home: Path) -> None:
    from flows.shift_traffic import read_traffic, write_traffic

    write_traffic(home, {})
    flow_run_id = etappe.press_run(
        plan="software-release", title="Release 2.4", people=PEOPLE, inputs={"release": RELEASE}
    )
    etappe.until(flow_run_id, "Suspended")
    rollout_id = etappe.started(flow_run_id)
    assert read_traffic(home) == {}
    etappe.decides(rollout_id, ANNA)

    shift_and_measure(etappe, rollout_id, home, "canary", 1)
    etappe.decides(rollout_id, BEN)

    until(etappe, rollout_id, "tenth-shift", "passed")
    measure(rollout_id, "error-rate-10", "2.5")
    assert (etappe.rollout(rollout_id)["state"], gate(etappe, rollout_id, "tenth-go")["state"]) == ("held", "waiting")
    shift_and_measure(etappe, rollout_id, home, "tenth", 10)
    etappe.decides(rollout_id, BEN)

    shift_and_measure(etappe, rollout_id, home, "half", 50)
    etappe.decides(rollout_id, BEN)

    here = etappe.installation
    if gate(etappe, rollout_id, "office-hours")["state"] == "open":
        assert gate(etappe, rollout_id, "everything-shift")["state"] == "waiting"
        waiving = Actor(DORA, "command")
        waive_gate(here.db, here.keys, rollout_id, "office-hours", "the fix cannot wait", waiving, now())
    shift_and_measure(etappe, rollout_id, home, "everything", 100)
    etappe.decides(rollout_id, BEN, lessons="Measure the response time from outside as well.")

    run = etappe.until(flow_run_id, "Completed")
    assert run["state"]["message"] == "Completed: every stage has passed"
    assert etappe.rollout(rollout_id)["state"] == "completed"
    assert read_traffic(home) == {RELEASE: 100}
    shifts = [
        one["run"]["state"] for stage in etappe.rollout(rollout_id)["stages"] for one in stage["gates"] if one["run"]
    ]
    assert shifts == ["completed"] * 4
