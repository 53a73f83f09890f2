"""An approval is pinned to what it was given for; it lapses when, and only when, something of that changes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.evidence import digest
from domain.pinning import Matters, changed_since, pins, why_lapsed
from plans.reading import read_plan

PLAN = read_plan(
    """
plan: pinned
title: Pinned
roles: {board: {title: Board}}
inputs:
  budget: {kind: budget, currency: CHF, title: Budget}
  concept: {kind: text, title: Concept}
  target: {kind: number, title: Target, default: 70}
stages:
  - id: only
    title: Only
    gates:
      - {id: money, title: Money, kind: budget, question: "?", approvers: [board], pinned_to: [concept]}
      - {id: measured, title: Measured, kind: measurement, metric: visits, at_least: {input: target}}
      - {id: end, title: End, kind: sign-off, question: "?", approvers: [board], pinned_to: [measured, attachments]}
""",
    "pinned.yaml",
)
GATES = {gate.id: gate for gate in PLAN.stages[0].gates}
LEANS_ON = {"money": {"budget", "concept"}, "measured": {"target"}, "end": {"target", "notes"}}
"""What a change of which thing must make an approval at a gate lapse: said by hand, not by the code that is judged."""
VALUES: dict[str, list[Any]] = {
    "budget": [[{"item": "a", "amount": "1.00"}], [{"item": "a", "amount": "2.00"}], []],
    "concept": ["one", "two", None],
    "target": ["70", "80"],
    "notes": ["digest of one file", "digest of another"],
}
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("approve"), st.sampled_from(["money", "end"])),
        st.sampled_from([(name, place) for name, values in VALUES.items() for place in range(len(values))]),
    ),
    max_size=25,
)


def as_it_stands(facts: dict[str, Any]) -> Matters:
    inputs = {name: facts[name] for name in ("budget", "concept", "target")}
    return Matters(PLAN, inputs, attachments={"notes.txt": facts["notes"]})


@given(STEPS)
def test_exactly_what_was_given_for_something_else_lapses_and_for_good(steps: list[tuple[str, Any]]) -> None:
    facts = {name: values[0] for name, values in VALUES.items()}
    approvals: list[tuple[str, dict[str, str], int]] = []
    lapsed: set[int] = set()
    history = [dict(facts)]
    for what, which in steps:
        if what == "approve":
            now = as_it_stands(facts)
            approvals.append(
                (which, {name: digest(now.content(name)) for name in pins(GATES[which])}, len(history) - 1)
            )
            continue
        facts[what] = VALUES[what][which]
        history.append(dict(facts))
        now = as_it_stands(facts)
        lapsed |= {place for place, (_, pinned, _) in enumerate(approvals) if changed_since(pinned, now)}
    expected = {
        place
        for place, (gate, _, given_at) in enumerate(approvals)
        if any(past[name] != history[given_at][name] for past in history[given_at:] for name in LEANS_ON[gate])
    }
    assert lapsed == expected


@pytest.mark.parametrize(
    ("name", "before", "after", "words"),
    [
        ("budget", VALUES["budget"][0], VALUES["budget"][1], "“Budget” went from 1 CHF to 2 CHF"),
        ("target", "70", "80", "“Target” went from 70 to 80"),
        ("concept", "one", "two", "“Concept” went from one to two"),
        ("concept", "one", "two " * 40, "“Concept” was reworded"),
        ("concept", None, "two", "“Concept” went from – to two"),
        ("attachments", {"a": "1", "b": "2"}, {"a": "1", "b": "3"}, "the attachments have changed: b"),
        ("measured", {"at_least": "70"}, {"at_least": "80"}, "what “Measured” asks was reworded"),
        ("measured", {"answers": None}, {"answers": {"x": "1"}}, "the list “Measured” was filled in anew"),
    ],
)
def test_it_is_said_in_words_what_went_from_what_to_what(name: str, before: Any, after: Any, words: str) -> None:
    assert str(why_lapsed(name, PLAN, before, after, "en")) == words
