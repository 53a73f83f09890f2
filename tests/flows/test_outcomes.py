"""What Prefect's page shows of a rollout's course: its bars, its table, its sentence, its end, in its language."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from operations.cancel_rollout import cancel_rollout
from operations.resume_rollout import resume_rollout
from operations.workspace import Actor
from tests.flows.conftest import Etappe, eventually
from tests.sample_plans import ROLES, SIGN_OFF

LEA = Actor("lea@example.com", "command")


def side_by_side(on_reject: str, more: str = "") -> str:
    """A plan whose two first stages are open at once, and whose third needs both."""
    return f"""
plan: side-by-side
title: {{en: Side by side, de: Nebeneinander}}
{ROLES}
stages:
  - id: first
    title: {{en: First, de: Erste}}
    needs: []
    gates:
      - {{id: sign-off, title: {{en: Sign-off, de: Ja}}, {SIGN_OFF}, quorum: 2, on_reject: {on_reject}}}
  - id: second
    title: {{en: Second, de: Zweite}}
    needs: []
    gates:
      - {{id: money, title: {{en: Money, de: Geld – «groß»}},
          kind: sign-off, question: "Shall we?", approvers: [finance]{more}}}
  - id: third
    title: {{en: Third, de: Dritte}}
    needs: [first, second]
    gates:
      - {{id: last, title: {{en: Last, de: Letzter}}, kind: sign-off, question: "Shall we?", approvers: [chair]}}
"""


def is_painted(etappe: Etappe, flow_run_id: str, bars: dict[str, str]) -> None:
    try:
        eventually(lambda: etappe.bars(flow_run_id) == bars, "the bars", seconds=20)
    except AssertionError:
        assert etappe.bars(flow_run_id) == bars


def reject(etappe: Etappe, rollout_id: str) -> None:
    for person in ("anna@example.com", "ben@example.com"):
        etappe.decides(rollout_id, person, "reject", comment="Not like this.")


def test_kill_ends_the_flow_run_as_killed_with_the_reason(etappe: Etappe) -> None:
    rollout_id, flow_run_id = etappe.start(side_by_side("kill"))
    waiting = {"Stage: First": "Waiting", "Stage: Second": "Waiting", "Gate: Money (0 of 1)": "Waiting"}
    is_painted(etappe, flow_run_id, {**waiting, "Gate: Sign-off (0 of 2)": "Waiting"})
    reject(etappe, rollout_id)
    run = etappe.until(flow_run_id, "Killed")
    assert (run["state_type"], run["state"]["message"]) == ("FAILED", "Stopped for good: Sign-off was rejected")
    is_painted(
        etappe,
        flow_run_id,
        {
            "Stage: First": "Failed",
            "Gate: Sign-off (0 of 2)": "Rejected",
            "Stage: Second": "Withdrawn",
            "Gate: Money (0 of 1)": "Withdrawn",
        },
    )
    types = {run["name"]: run["state_type"] for run in etappe.task_runs(flow_run_id)}
    assert types["Gate: Sign-off (0 of 2)"] == "FAILED"
    assert types["Gate: Money (0 of 1)"] == "CANCELLED"
    assert etappe.processes(flow_run_id) == 1
    said = "Finished in state Killed('Stopped for good: Sign-off was rejected'"
    log = eventually(lambda: said in (lines := "\n".join(etappe.log(flow_run_id))) and lines, "its log")
    assert "Traceback" not in log


def test_hold_says_so_and_goes_on_once_it_is_resumed(etappe: Etappe) -> None:
    rollout_id, flow_run_id = etappe.start(side_by_side("hold"))
    reject(etappe, rollout_id)
    run = etappe.until(flow_run_id, "On hold")
    assert run["state_type"] == "PAUSED"
    assert run["state"]["message"].startswith("On hold at: Sign-off (the 2 needed voices can no longer be reached")
    assert etappe.bars(flow_run_id)["Stage: First"] == "On hold"
    here = etappe.installation
    resume_rollout(here.db, here.keys, rollout_id, "We have talked.", LEA, datetime.now(UTC))
    etappe.until(flow_run_id, "Suspended")
    is_painted(
        etappe,
        flow_run_id,
        {
            "Stage: First": "Waiting",
            "Gate: Sign-off (0 of 2)": "Rejected",
            "Gate: Sign-off (0 of 2), round 2": "Waiting",
            "Stage: Second": "Waiting",
            "Gate: Money (0 of 1)": "Waiting",
        },
    )
    assert etappe.processes(flow_run_id) == 0


def test_recycle_paints_a_new_round_in_the_rollouts_language_and_each_bar_once(etappe: Etappe) -> None:
    rollout_id, flow_run_id = etappe.start(side_by_side("{recycle: first}"), language="de")
    for person in ("anna@example.com", "dora@example.com"):
        etappe.decides(rollout_id, person)
    for person in ("ben@example.com", "carla@example.com"):
        etappe.decides(rollout_id, person, "reject", comment="Nicht so.")
    is_painted(
        etappe,
        flow_run_id,
        {
            "Etappe: Erste": "Withdrawn",
            "Prüfpunkt: Ja (1 von 2)": "Rejected",
            "Etappe: Erste, Runde 2": "Waiting",
            "Prüfpunkt: Ja (0 von 2), Runde 2": "Waiting",
            "Etappe: Zweite": "Passed",
            'Prüfpunkt: Geld - "gross" (1 von 1)': "Passed",
        },
    )
    eventually(
        lambda: (
            etappe.flow_run(flow_run_id)["state"]["message"]
            == "Zurückgegangen zu: Erste. Gewartet wird auf: Anna Keller, Ben Frei, Carla Rossi"
        ),
        "the sentence",
    )
    [rejected] = [run for run in etappe.task_runs(flow_run_id) if run["name"] == "Prüfpunkt: Ja (1 von 2)"]
    assert "Ben Frei: hat abgelehnt" in rejected["state"]["message"]
    [table] = etappe.tables(flow_run_id)
    assert table["created"] < table["updated"]  # in place, no version for every change
    rows = json.loads(table["data"])
    assert [row["Prüfpunkt"] for row in rows] == ["Ja (2)", "Geld – «groß»", "Letzter (2)"]
    assert set(rows[0]) == {"Etappe", "Prüfpunkt", "Stand", "Entschieden", "Gewartet wird auf", "Bis wann"}
    assert rows[1]["Entschieden"] == "Dora Meier: hat freigegeben"


def test_cancelling_in_prefect_calls_the_rollout_off_within_seconds(etappe: Etappe) -> None:
    rollout_id, flow_run_id = etappe.start(side_by_side("hold"))
    etappe.post(f"flow_runs/{flow_run_id}/set_state", state={"type": "CANCELLING", "name": "Cancelling"})
    eventually(lambda: etappe.rollout(rollout_id)["state"] == "cancelled", "the rollout being called off", seconds=15)
    assert etappe.open_requests(rollout_id, "anna@example.com") == []
    told = {message.recipient for message in etappe.messages(rollout_id) if message.topic == "information"}
    assert {"lea@example.com", "anna@example.com", "dora@example.com"} <= told
    is_painted(
        etappe,
        flow_run_id,
        {
            "Stage: First": "Withdrawn",
            "Gate: Sign-off (0 of 2)": "Withdrawn",
            "Stage: Second": "Withdrawn",
            "Gate: Money (0 of 1)": "Withdrawn",
        },
    )
    assert etappe.flow_run(flow_run_id)["state_name"] == "Cancelled"
    assert etappe.row(rollout_id).wake_at is None


def test_calling_a_rollout_off_ends_its_flow_run_as_cancelled(etappe: Etappe) -> None:
    rollout_id, flow_run_id = etappe.start(side_by_side("hold"))
    here = etappe.installation
    cancel_rollout(here.db, here.keys, rollout_id, "No money left.", LEA, datetime.now(UTC))
    run = etappe.until(flow_run_id, "Cancelled")
    assert (run["state_type"], run["state"]["message"]) == ("CANCELLED", "Called off: No money left.")
    eventually(lambda: etappe.row(rollout_id).wake_at is None, "the wake being cleared")


def test_nobody_being_left_to_ask_is_said_and_no_start_date_is_made_up(etappe: Etappe) -> None:
    from operations.chart import chart
    from worker.prefect_page import summary

    rollout_id, flow_run_id = etappe.start(side_by_side("hold"), start_on=datetime(2999, 1, 4, tzinfo=UTC).date())
    wanted = chart(etappe.installation.db, rollout_id, datetime.now(UTC))
    assert wanted is not None
    assert summary(wanted) == ("Suspended", "Waiting for its start date")
    assert etappe.flow_run(flow_run_id)["state"]["message"] == "Waiting for its start date"
    assert etappe.bars(flow_run_id) == {}
