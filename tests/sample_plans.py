"""Plans to test with: one gate, written in one line, for the company of tests/company.py."""

from __future__ import annotations

ROLES = """
roles:
  board: {title: Board}
  finance: {title: Finance}
  finance-head: {title: Head of finance}
  chair: {title: Chair}
  staff: {title: Staff}
"""


def one_gate(gate: str) -> str:
    """A plan with one stage and this one gate, written as a YAML flow mapping without its id and title."""
    return f"""
plan: one-gate
title: One gate
calendar: {{holidays: CH-ZH, time_zone: Europe/Zurich}}
{ROLES}
inputs:
  budget: {{kind: budget, currency: CHF}}
stages:
  - id: only
    title: Only stage
    gates:
      - {{id: gate, title: The gate, {gate}}}
"""


LATER = """
  - id: later
    title: Later stage
    gates:
      - {id: last, title: The last gate, kind: sign-off, question: "And now?", approvers: [finance]}
"""
"""One stage more, to stand after `one_gate`: one that can hold to conditions."""
SIGN_OFF = 'kind: sign-off, question: "Shall we?", approvers: [board]'
