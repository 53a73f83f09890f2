"""What a newer version of a plan means for a rollout under way: which answers stay valid, and why others do not."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from domain.migration import Fate, Migration, StageStanding, Standing, compare
from domain.pinning import WORDS, Matters
from domain.plan import Gate, Plan, Stage
from domain.plan_changes import CONCERNS_ANSWERS, CONCERNS_NO_ANSWER, CONCERNS_THOSE_ASKED, OF_STAGES
from domain.states import GateState, StageState
from plans.reading import read_plan
from tests.unit.plan_texts import GOOD, changed

KINDS = [get_args(kind)[0] if get_args(kind) else kind for kind in get_args(get_args(Gate)[0])]
ASKED = [GateState.OPEN, GateState.PASSED, GateState.REJECTED, GateState.EXPIRED, GateState.WAIVED]
SETTLED_WELL = [GateState.PASSED, GateState.WAIVED]
BUDGET = """\
plan: costs
title: Costs
roles: {board: {title: Board}, finance: {title: Finance}}
inputs: {budget: {kind: budget, currency: CHF}, limit: {kind: number}}
stages:
  - id: first
    title: First
    gates:
      - {id: money, title: Money, kind: budget, question: "These?", approvers: [finance]}
      - {id: look, title: Look, kind: sign-off, question: "Shall we?", approvers: [board], pinned_to: [money, limit]}
      - {id: people, title: People, kind: checklist, question: "Who?", items: [{id: who, title: Who, kind: text}]}
      - {id: team, title: Team, kind: sign-off, question: "These people?", approvers: [board], pinned_to: [people]}
"""


def plan(text: str) -> Plan:
    return read_plan(text, "plan.yaml")


def migration(
    old: str, new: str, state: GateState = GateState.OPEN, stage: StageState = StageState.OPEN, **more: Any
) -> Migration:
    """Compare two plans while every gate of the old one is in this state, and every stage in that one."""
    before, after = plan(old), plan(new)
    gates = {gate.id: Standing(state, **more) for one in before.stages for gate in one.gates}
    stages = {one.id: StageStanding(stage) for one in before.stages}
    return compare(Matters(before, {}), Matters(after, {}), gates, stages, "en")


def becomes(old: str, new: str, state: GateState, gate: str = "yes-or-no", **more: Any) -> tuple[Fate, list[str]]:
    """What becomes of one gate in this state, and why."""
    fate = migration(old, new, state, **more).of_gate(gate)
    return fate.fate, [str(reason) for reason in fate.because]


FIRST = """\
      - id: yes-or-no
        title: Yes or no
        kind: sign-off
        question: Shall we?
        approvers: [board]
"""


def with_key(line: str) -> str:
    """The good plan with this line in its first gate, in the place of the one of the same key if there is one."""
    key = line.split(":")[0]
    kept = [each for each in FIRST.splitlines() if not each.strip().startswith(f"{key}:")]
    return changed(FIRST, "\n".join([*kept, f"        {line}", ""]))


class TestNothingChanges:
    @given(st.sampled_from(GateState), st.sampled_from(StageState), st.sampled_from([GOOD, BUDGET]))
    def test_the_same_plan_changes_nothing(self, gate: GateState, stage: StageState, text: str) -> None:
        assume(stage is not StageState.PASSED or gate in SETTLED_WELL)
        assert migration(text, text, gate, stage).changes_nothing


class TestGates:
    @pytest.mark.parametrize("state", ASKED)
    @pytest.mark.parametrize(
        ("line", "because"),
        [
            ("question: Really?", "the question was reworded"),
            ("details: More", "the details were reworded"),
            ("approvers: [owner]", "other people decide it now"),
            ("quorum: any", "it takes another number of voices now"),
            ("exclude: []", "other people are kept from deciding it now"),
            ("binding: false", "it has changed whether a no stops the stage"),
            ("kind: review", "it is a gate of another kind now"),
        ],
    )
    def test_what_was_decided_and_by_whom_is_asked_again(self, state: GateState, line: str, because: str) -> None:
        assert becomes(GOOD, with_key(line), state) == (Fate.AGAIN, [because])

    @pytest.mark.parametrize(
        ("line", "because"),
        [("on_reject: kill", "what a no leads to has changed"), ("order: in turn", "the order of asking has changed")],
    )
    @pytest.mark.parametrize("state", ASKED)
    def test_what_follows_from_an_answer_matters_until_it_has_passed(
        self, state: GateState, line: str, because: str
    ) -> None:
        fate = Fate.STAYS if state in SETTLED_WELL else Fate.AGAIN
        assert becomes(GOOD, with_key(line), state) == (fate, [because])

    def test_for_a_renewal_it_does_not_matter_either(self) -> None:
        assert becomes(GOOD, with_key("on_reject: kill"), GateState.OPEN, renewal=True)[0] is Fate.STAYS
        new = changed("question: Shall we?", "question: Shall we really?")
        for state in (GateState.OPEN, GateState.WAITING):
            assert becomes(GOOD, new, state, renewal=True)[0] is Fate.AGAIN

    def test_but_it_does_for_one_that_was_refused(self) -> None:
        assert becomes(GOOD, with_key("on_reject: kill"), GateState.REJECTED, renewal=True)[0] is Fate.AGAIN

    @pytest.mark.parametrize("state", ASKED)
    @pytest.mark.parametrize("line", ["remind: every 2 days", "expires: {after: 9 days}", "waiver: [owner]"])
    def test_deadlines_and_what_comes_after_keep_every_answer(self, state: GateState, line: str) -> None:
        assert becomes(GOOD, with_key(line), state)[0] is Fate.STAYS

    def test_a_title_may_be_put_right(self) -> None:
        new = changed("title: Yes or no", "title: Yes, or no")
        assert becomes(GOOD, new, GateState.PASSED) == (Fate.STAYS, ["its title has changed"])

    @pytest.mark.parametrize("text", [changed("Shall we?", "Really?"), changed("kind: sign-off", "kind: review")])
    def test_what_nobody_was_asked_yet_just_follows_the_plan(self, text: str) -> None:
        fate, because = becomes(GOOD, text, GateState.WAITING)
        assert fate is Fate.STAYS
        assert because

    def test_a_step_of_an_escalation_that_was_taken_must_still_be_there(self) -> None:
        old = with_key("escalate: [{after: 2 days, to: owner}]")
        gone = becomes(old, GOOD, GateState.PASSED, escalated=1)
        assert gone == (Fate.AGAIN, ["it was escalated to other people"])
        assert becomes(old, GOOD, GateState.PASSED, escalated=0)[0] is Fate.STAYS
        further = with_key("escalate: [{after: 2 days, to: owner}, {after: 5 days, to: anna@example.com}]")
        assert becomes(old, further, GateState.OPEN, escalated=1) == (Fate.STAYS, ["its deadlines have changed"])

    def test_new_and_gone(self) -> None:
        longer = GOOD + "      - {id: more, title: More, kind: sign-off, question: More, approvers: [board]}\n"
        assert migration(GOOD, longer).of_gate("more").fate is Fate.NEW
        assert migration(longer, GOOD).of_gate("more").fate is Fate.GONE

    def test_one_that_moves_to_another_stage_takes_its_approvals_along(self) -> None:
        new = changed("  - id: second\n    title: Second\n    gates:\n", "")
        moved = (Fate.STAYS, ["it belongs to another stage now"])
        assert becomes(GOOD, new, GateState.PASSED, "look-back") == moved
        assert becomes(GOOD, new, GateState.OPEN, "look-back")[0] is Fate.AGAIN


class TestPinned:
    def fates(self, old: str, new: str, inputs: dict[str, Any] | None = None) -> dict[str, Fate]:
        before, after = plan(old), plan(new)
        gates = {gate.id: Standing(GateState.PASSED) for gate in before.stages[0].gates}
        lines = {"budget": [{"item": "a", "amount": "5"}]}
        answers = {"people": {"who": "Anna"}}
        then = Matters(before, lines, answers)
        now = Matters(after, {**lines, **(inputs or {})}, answers)
        found = compare(then, now, gates, {"first": StageStanding(StageState.PASSED)}, "en")
        return {gate.id: gate.fate for gate in found.gates()}

    def test_what_is_pinned_to_a_gate_that_asks_something_else_is_asked_again(self) -> None:
        found = self.fates(BUDGET, changed("These?", "Those?", BUDGET))
        assert [key for key, fate in found.items() if fate is Fate.AGAIN] == ["money", "look"]

    def test_what_is_pinned_to_a_list_that_is_filled_in_anew_is_asked_again(self) -> None:
        found = self.fates(BUDGET, changed("kind: text}]", "kind: text}, {id: b, title: B, kind: text}]", BUDGET))
        assert [key for key, fate in found.items() if fate is Fate.AGAIN] == ["people", "team"]

    def test_what_is_pinned_to_an_input_that_holds_something_else_is_asked_again(self) -> None:
        found = self.fates(BUDGET, BUDGET, {"limit": "70"})
        assert [key for key, fate in found.items() if fate is Fate.AGAIN] == ["look"]

    def test_a_budget_in_another_currency_is_another_budget(self) -> None:
        found = self.fates(BUDGET, changed("currency: CHF", "currency: EUR", BUDGET))
        assert [key for key, fate in found.items() if fate is Fate.AGAIN] == ["money"]


class TestStages:
    def stages(self, old: str, new: str, gate: GateState, stage: StageState) -> list[tuple[str, Fate, list[str]]]:
        found = migration(old, new, gate, stage)
        return [(one.id, one.fate, [str(reason) for reason in one.because]) for one in found.stages]

    def test_one_that_has_passed_is_opened_once_more_when_a_gate_of_it_is_asked_again(self) -> None:
        new = changed("question: Shall we?", "question: Really?")
        found = self.stages(GOOD, new, GateState.PASSED, StageState.PASSED)
        assert found == [("first", Fate.AGAIN, []), ("second", Fate.STAYS, [])]

    def test_and_when_a_gate_comes_into_it(self) -> None:
        new = GOOD + "      - {id: more, title: More, kind: sign-off, question: More, approvers: [board]}\n"
        found = self.stages(GOOD, new, GateState.PASSED, StageState.PASSED)
        assert [fate for _, fate, _ in found] == [Fate.STAYS, Fate.AGAIN]

    def test_but_not_when_one_only_leaves_it(self) -> None:
        old = GOOD + "      - {id: more, title: More, kind: sign-off, question: More, approvers: [board]}\n"
        found = self.stages(old, GOOD, GateState.PASSED, StageState.PASSED)
        assert [fate for _, fate, _ in found] == [Fate.STAYS, Fate.STAYS]

    @pytest.mark.parametrize("new", ["question: Really?", "details: More\n        question: Shall we?"])
    def test_one_on_hold_goes_on_when_what_stopped_it_is_asked_again(self, new: str) -> None:
        found = self.stages(GOOD, changed("question: Shall we?", new), GateState.REJECTED, StageState.HELD)
        assert found[0] == ("first", Fate.STAYS, ["it goes on, since what stopped it is asked again or gone"])
        assert found[1][2] == []

    def test_new_gone_and_in_another_order(self) -> None:
        last = "{id: last, title: Last, kind: sign-off, question: More, approvers: [board]}"
        third = f"{GOOD}  - id: third\n    title: Third\n    gates: [{last}]\n"
        found = self.stages(GOOD, third, GateState.WAITING, StageState.WAITING)
        assert [fate for _, fate, _ in found] == [Fate.STAYS, Fate.STAYS, Fate.NEW]
        found = self.stages(third, GOOD, GateState.WAITING, StageState.WAITING)
        assert [fate for _, fate, _ in found] == [Fate.STAYS, Fate.STAYS, Fate.GONE]
        turned = self.stages(GOOD, changed("title: First", "needs: [second]\n    title: First", changed(
            "title: Second", "needs: []\n    title: Second")), GateState.WAITING, StageState.WAITING)  # fmt: skip
        assert [why for _, _, why in turned] == [["other stages come before it now"]] * 2


class TestEveryKey:
    """A key that is added to the shapes must be put into one of the tables, or its change would be passed over."""

    @pytest.mark.parametrize("kind", KINDS)
    def test_of_a_gate_concerns_somebody_or_nobody(self, kind: Any) -> None:
        tables = [CONCERNS_ANSWERS, CONCERNS_THOSE_ASKED, CONCERNS_NO_ANSWER]
        for key in kind.model_fields.keys() - {"id"}:
            assert sum(key in table for table in tables) == 1, key

    def test_of_a_stage_has_words(self) -> None:
        assert Stage.model_fields.keys() - {"id", "gates"} == OF_STAGES.keys()

    def test_that_an_approval_is_pinned_to_concerns_answers(self) -> None:
        """Else a lapse would follow at the next change, for something that had been said to stay."""
        assert set(WORDS) <= CONCERNS_ANSWERS.keys()
