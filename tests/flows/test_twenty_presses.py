"""Pressing Run twenty times in quick succession: twenty answers, twenty rollouts, no error."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from models.rollouts import rollouts_newest_first
from tests.flows.conftest import Etappe, eventually
from tests.sample_plans import SIGN_OFF, one_gate

PRESSES = 20


@pytest.mark.slow
def test_twenty_presses_at_once_start_twenty_rollouts(etappe: Etappe, plan: Callable[[str, str], str]) -> None:
    plan("one-gate", one_gate(SIGN_OFF))
    deployment_id = etappe.deployment()["id"]

    def press(number: int) -> str:
        answer = etappe.answer_to_run(deployment_id, plan="one-gate", title=f"Press {number}", start_on="2999-01-04")
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    with ThreadPoolExecutor(PRESSES) as pool:
        flow_runs = list(pool.map(press, range(PRESSES)))

    eventually(lambda: all(etappe.rollout_id(run) for run in flow_runs), "twenty rollouts", seconds=150)
    eventually(lambda: states(etappe, flow_runs) == {"Suspended": PRESSES}, "twenty suspended runs", seconds=60)
    with etappe.installation.db.read() as session:
        titles = Counter(rollout.title for rollout in session.scalars(rollouts_newest_first()))
    assert {title: count for title, count in titles.items() if title.startswith("Press ")} == {
        f"Press {number}": 1 for number in range(PRESSES)
    }


def states(etappe: Etappe, flow_runs: list[str]) -> Counter[str]:
    runs = etappe.post("flow_runs/filter", flow_runs={"id": {"any_": flow_runs}})
    return Counter(run["state_name"] for run in runs)
