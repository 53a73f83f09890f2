"""A rollout in a real Prefect: started by its form, shown in its timeline, waiting without a process, ended by it."""

from __future__ import annotations

from collections.abc import Callable

from tests.flows.conftest import Etappe, eventually
from tests.sample_plans import ROLES, SIGN_OFF

Write = Callable[[str, str], str]

TWO_STAGES = f"""
plan: two-stages
title: Two stages
{ROLES}
stages:
  - id: first
    title: First
    gates:
      - {{id: sign-off, title: Sign-off, {SIGN_OFF}, quorum: 2, on_reject: kill}}
  - id: second
    title: Second
    gates:
      - {{id: review, title: Review, kind: review, question: "Go?", approvers: [finance]}}
"""


def test_a_rollout_from_the_form_to_completed(etappe: Etappe, plan: Write) -> None:
    flow_run_id = etappe.press_run(plan=plan("two-stages", TWO_STAGES), title="From form to end")
    run = etappe.until(flow_run_id, "Suspended")
    rollout_id = etappe.started(flow_run_id)
    eventually(lambda: etappe.bars(flow_run_id).get("Gate: Sign-off (0 of 2)") == "Waiting", "the gate's bar")
    eventually(lambda: "Anna Keller" in (etappe.flow_run(flow_run_id)["state"]["message"] or ""), "who is waited for")
    assert run["state_type"] == "PAUSED"
    etappe.decides(rollout_id, "anna@example.com")
    eventually(lambda: etappe.bars(flow_run_id).get("Gate: Sign-off (1 of 2)") == "Waiting", "one of two")
    etappe.decides(rollout_id, "ben@example.com")
    eventually(lambda: etappe.bars(flow_run_id).get("Stage: First") == "Passed", "the stage's bar")
    eventually(lambda: etappe.bars(flow_run_id).get("Gate: Sign-off (2 of 2)") == "Passed", "the settled gate")
    assert etappe.flow_run(flow_run_id)["state_name"] == "Suspended"
    etappe.decides(rollout_id, "dora@example.com")
    ended = etappe.until(flow_run_id, "Completed")
    assert "every stage has passed" in ended["state"]["message"]
    assert etappe.rollout(rollout_id)["state"] == "completed"
    eventually(lambda: etappe.bars(flow_run_id).get("Stage: Second") == "Passed", "the last bar")
