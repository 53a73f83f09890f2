"""Times that gates share: the nearest word counts, what does not suit is not taken, mistakes stand where they are."""

from __future__ import annotations

import pytest

from domain.plan import Plan
from plans.reading import read_plan
from tests.unit.plan_texts import GOOD, changed, problems, the_problem, with_gate

OF_PLAN = "remind: every 2 days\nescalate: [{after: 3 days, to: owner, replace: true}]\nexpires: {after: 9 days}\n"
CHECK = "id: ci\ntitle: CI\nkind: check\nsigned_with: ci"
WINDOW = "id: open\ntitle: Open\nkind: window\nbusiness_days: true"


def shared(lines: str = OF_PLAN, text: str = GOOD) -> str:
    return changed("roles:", f"{lines}roles:", text)


def times(plan: Plan, gate_id: str) -> tuple[str | None, list[str], str | None]:
    """What a gate says in the end: its rhythm, its levels, and when its time is up."""
    [gate] = [gate for stage in plan.stages for gate in stage.gates if gate.id == gate_id]
    levels = [f"{level.after} {level.to}{' instead' if level.replace else ''}" for level in gate.escalate]
    return (str(gate.remind) if gate.remind else None, levels, str(gate.expires.after) if gate.expires else None)


def test_what_gate_and_stage_do_not_say_the_plan_says() -> None:
    plan = read_plan(shared(), "plan.yaml")
    assert times(plan, "yes-or-no") == ("every 2 days", ["3 days owner instead"], "9 days")


def test_what_the_gate_does_not_say_its_stage_says_before_the_plan() -> None:
    text = shared(text=changed("title: First", "title: First\n    remind: every 1 week\n    escalate: []"))
    assert times(read_plan(text, "plan.yaml"), "yes-or-no") == ("every 1 week", [], "9 days")
    assert times(read_plan(text, "plan.yaml"), "look-back") == ("every 2 days", ["3 days owner instead"], "9 days")


@pytest.mark.parametrize("nothing", ["", " null", " ~"])
def test_a_key_with_nothing_after_it_is_said(nothing: str) -> None:
    none = "".join(f"\n        {key}:{nothing}" for key in ("remind", "escalate", "expires"))
    text = shared(text=changed("question: Shall we?", f"question: Shall we?{none}"))
    assert times(read_plan(text, "plan.yaml"), "yes-or-no") == (None, [], None)


def test_where_nobody_is_asked_nobody_is_reminded_or_replaced() -> None:
    plan = read_plan(shared(text=with_gate(CHECK)), "plan.yaml")
    assert times(plan, "ci") == (None, ["3 days owner"], "9 days")


def test_a_window_waits_by_the_calendar_alone() -> None:
    assert times(read_plan(shared(text=with_gate(WINDOW)), "plan.yaml"), "open") == (None, [], None)


def test_by_when_silence_is_consent_is_said_at_the_gate_or_not_at_all() -> None:
    consent = changed("question: Shall we?", "question: Shall we?\n        silence_is_consent: true")
    assert "it is not said by when to object" in the_problem(shared("expires: {after: 9 days}\n", consent))[2]


def test_stage_and_plan_let_no_gate_pass_by_silence() -> None:
    line, _, sentence = the_problem(shared("expires: {after: 9 days, outcome: pass}\n"))
    assert (line, "only where a gate says so" in sentence) == (3, True)


def test_what_does_not_suit_a_gate_is_said_once_where_it_stands_with_the_gate() -> None:
    line, column, sentence = the_problem(shared("escalate: [{after: 3 days, to: board}]\n"))
    assert (line, column) == (3, 32)
    assert sentence == "it does not suit “yes-or-no”: “board” is asked already; escalate to somebody else"


def test_one_mistake_in_what_is_shared_is_one_problem() -> None:
    assert len(problems(shared("expires: {after: 9 fortnights}\nescalate: [{after: 3 days, to: owner}]\n"))) == 1


def test_what_is_broken_at_a_gate_is_not_handed_down_instead() -> None:
    """Time would be up before the escalation, if the gate took the plan's."""
    broken = "question: Shall we?\n        expires: soon\n        escalate: [{after: 20 days, to: owner}]"
    found = problems(shared("expires: {after: 9 days}\n", changed("question: Shall we?", broken)))
    assert [("soon" in problem.sentence, problem.line) for problem in found] == [(True, 14)]


def test_a_completed_plan_reads_back_the_same() -> None:
    plan = read_plan(shared(text=with_gate(CHECK)), "plan.yaml")
    document = plan.model_dump(mode="json", by_alias=True)
    assert Plan.model_validate(document) == plan
    assert Plan.model_validate(document).model_dump(mode="json", by_alias=True) == document
