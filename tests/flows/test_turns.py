"""Prefect's page says who waits for whom, also when nothing but the queue has moved."""

from __future__ import annotations

from datetime import UTC, datetime

from operations.take_turns import take_turns
from tests.flows.conftest import Etappe, eventually

ALONE = """
plan: alone
title: Alone
stages:
  - id: shift
    title: Shift traffic
    exclusive: a-test-of-turns
    gates:
      - {id: go, title: Go, kind: sign-off, question: "Shall we?", approvers: [anna@example.com]}
"""


def says(etappe: Etappe, flow_run_id: str, sentence: str) -> None:
    """Prefect's page comes to say this."""
    eventually(lambda: etappe.flow_run(flow_run_id)["state"]["message"] == sentence, sentence, seconds=30)


def test_the_page_says_who_is_waited_for_and_moves_on_with_the_queue(etappe: Etappe) -> None:
    (first, _), (second, _), (_, third_run) = (etappe.start(ALONE, title=f"Number {n}") for n in (1, 2, 3))
    waits = "“Shift traffic” waits for “a-test-of-turns”, used by “{title}” ({id}). Place {place}."
    says(etappe, third_run, waits.format(title="Number 1", id=first, place=2))
    etappe.decides(first, "anna@example.com")
    take_turns(etappe.installation.db, etappe.installation.keys, datetime.now(UTC))
    says(etappe, third_run, waits.format(title="Number 2", id=second, place=1))
    etappe.decides(second, "anna@example.com")
    take_turns(etappe.installation.db, etappe.installation.keys, datetime.now(UTC))
    says(etappe, third_run, "Waiting for: Anna Keller")
