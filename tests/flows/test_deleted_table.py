"""A table of gates that somebody has deleted in Prefect comes back with the next change."""

from __future__ import annotations

from tests.flows.conftest import Etappe, eventually
from tests.sample_plans import SIGN_OFF, one_gate


def test_a_deleted_table_comes_back(etappe: Etappe) -> None:
    rollout_id, flow_run_id = etappe.start(one_gate(SIGN_OFF))
    [table] = etappe.tables(flow_run_id)
    etappe.api.delete(f"artifacts/{table['id']}").raise_for_status()
    etappe.decides(rollout_id, "anna@example.com")
    eventually(lambda: len(etappe.tables(flow_run_id)) == 1, "the table")
    eventually(lambda: etappe.bars(flow_run_id).get("Gate: The gate (1 of 3)") == "Waiting", "the bar")
