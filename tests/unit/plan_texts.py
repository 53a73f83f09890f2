"""Small plan files to break in one place at a time."""

from __future__ import annotations

from domain.errors import InvalidPlan, Problem
from plans.reading import read_plan

GOOD = """\
plan: small
title: {de: Klein, en: Small}
roles:
  board: {title: Board}
stages:
  - id: first
    title: First
    gates:
      - id: yes-or-no
        title: Yes or no
        kind: sign-off
        question: Shall we?
        approvers: [board]
  - id: second
    title: Second
    gates:
      - id: look-back
        title: Look back
        kind: review
        question: How was it?
        approvers: [board]
"""


def changed(old: str, new: str, text: str = GOOD) -> str:
    """Return the text with the first `old` replaced."""
    assert old in text
    return text.replace(old, new, 1)


def with_gate(lines: str) -> str:
    """Return the good plan with a gate more, whose lines begin in line 22, column 9."""
    first, *others = lines.strip().splitlines()
    return GOOD + "\n".join([f"      - {first}", *(f"        {line}" for line in others), ""])


def problems(text: str | bytes) -> list[Problem]:
    """Return what is wrong with a plan file; empty when nothing is."""
    try:
        read_plan(text, "plan.yaml")
    except InvalidPlan as error:
        return error.problems
    return []


def the_problem(text: str | bytes) -> tuple[int, int, str]:
    """Return line, column and sentence of the one thing that is wrong."""
    found = problems(text)
    assert len(found) == 1, [str(problem) for problem in found]
    return found[0].line, found[0].column, found[0].sentence
