"""The plan check: everything a plan names is there, and every gate can come to an end. One rule per test."""

from __future__ import annotations

import pytest

from domain.plan_check import check
from plans.reading import read_plan
from tests.unit.plan_texts import GOOD, changed, problems, the_problem, with_gate

INPUTS = "inputs: {money: {kind: budget, currency: CHF}, note: {kind: text}}\n"
SIGN_OFF = "id: more\ntitle: More\nkind: sign-off\nquestion: More?\napprovers: {approvers}\n"
BUDGET = "id: more\ntitle: More\nkind: budget\nquestion: These?\napprovers: [board]\ninput: {input}\n"
LIST = "id: more\ntitle: More\nkind: checklist\nquestion: Who?\nitems:\n"
MEASURE = "id: more\ntitle: More\nkind: measurement\nmetric: visits\nat_least: 1\n"
READ = "id: more\ntitle: More\nkind: acknowledgement\ntext: Read this\nshare: 80 %\naudience: {audience}\n"


def expect(text: str, line: int, column: int, *words: str) -> None:
    """Exactly one problem, at this place, and its sentence holds the words."""
    found = the_problem(text)
    assert found[:2] == (line, column), found
    for word in words:
        assert word in found[2], found


def sign_off(approvers: str, more: str = "") -> str:
    """The good plan with a sign-off in lines 22 to 26, and what is in `more` from line 27."""
    return with_gate(SIGN_OFF.format(approvers=approvers) + more)


def items(*lines: str) -> str:
    """The good plan with a checklist whose items begin in line 27, column 13."""
    return with_gate(LIST + "\n".join(f"  - {{{line}}}" for line in lines))


def test_nothing_is_wrong_with_a_good_plan() -> None:
    assert check(read_plan(GOOD, "plan.yaml")) == []


class TestRenewals:
    def test_more_time_to_answer_than_between_two_of_them(self) -> None:
        expect(sign_off("[board]", "renew: every 5 days"), 27, 16, "with 10 business days to answer", "every 5 days")
        expect(sign_off("[board]", "renew: {every: every 3 days, within: 3 days}"), 27, 16, "less often")

    def test_time_enough(self) -> None:
        assert problems(sign_off("[board]", "renew: {every: every 3 days, within: 2 days}")) == []
        assert problems(sign_off("[board]", "renew: every 90 days")) == []

    def test_of_the_gate_that_ends_the_rollout(self) -> None:
        renew = "kind: review\n        renew: every 90 days"
        expect(changed("kind: review", renew), 20, 16, "never asked again")
        assert problems(with_gate(SIGN_OFF.format(approvers="[board]") + "renew: every 90 days")) == []


class TestWaivers:
    def test_unknown_role(self) -> None:
        expect(sign_off("[board]", "waiver: [bord]"), 27, 18, "did you mean “board”")

    def test_named_twice(self) -> None:
        expect(sign_off("[board]", "waiver: [board, board]"), 27, 25, "“board” is named twice")

    def test_excluded(self) -> None:
        expect(sign_off("[board]", "waiver: [requester]"), 27, 18, "“requester” is excluded from this gate")

    def test_not_excluded_where_nobody_is(self) -> None:
        assert problems(sign_off("[board]", "exclude: []\nwaiver: [requester]")) == []

    def test_of_a_gate_that_nobody_decides(self) -> None:
        assert problems(with_gate(MEASURE + "waiver: [requester]")) == []


class TestStages:
    def test_two_of_one_name(self) -> None:
        expect(changed("id: second", "id: first"), 14, 9, "another stage called “first”")

    def test_needs_an_unknown_stage(self) -> None:
        expect(changed("title: Second", "needs: [frist]\n    title: Second"), 15, 13, "did you mean “first”")

    def test_needs_a_stage_twice(self) -> None:
        expect(changed("title: Second", "needs: [first, first]\n    title: Second"), 15, 20, "twice")

    def test_wait_for_each_other(self) -> None:
        expect(changed("title: First", "needs: [second]\n    title: First"), 7, 12, "wait for each other", "second")

    def test_waits_for_itself(self) -> None:
        expect(changed("title: Second", "needs: [second]\n    title: Second"), 15, 12, "second → second")

    def test_a_resource_is_a_name_for_machines(self) -> None:
        text = changed("title: Second", "exclusive: Production DB\n    title: Second")
        expect(text, 15, 16, "“Production DB”", "small letters")

    def test_a_resource_may_be_named_by_several_stages(self) -> None:
        text = changed("title: Second", "exclusive: production\n    title: Second")
        assert not problems(changed("title: First", "exclusive: production\n    title: First", text))

    def test_a_channel_is_a_name_for_machines(self) -> None:
        expect(changed("title: Second", "chat: [The team]\n    title: Second"), 15, 12, "“The team”", "small letters")

    def test_unknown_owner(self) -> None:
        expect(changed("title: Second", "owner: bord\n    title: Second"), 15, 12, "did you mean “board”")


class TestWholePlan:
    def test_gates_of_one_name(self) -> None:
        expect(changed("id: look-back", "id: yes-or-no"), 17, 13, "another gate called “yes-or-no”")

    def test_unknown_holidays(self) -> None:
        expect("calendar: {holidays: CH-XX}\n" + GOOD, 1, 22, "XX")

    def test_unknown_zone(self) -> None:
        expect("calendar: {time_zone: Europe/Zurch}\n" + GOOD, 1, 23, "Europe/Zurich")

    def test_currency_of_something_else(self) -> None:
        expect("inputs: {note: {kind: text, currency: CHF}}\n" + GOOD, 1, 39, "only a budget")

    def test_title_of_several_lines(self) -> None:
        expect(changed("title: Second", 'title: {de: Zwei, en: "Se\\ncond"}'), 15, 27, "one line")


class TestPeople:
    def test_approver_that_is_neither_role_nor_address(self) -> None:
        expect(sign_off("[bord]"), 26, 21, "neither an address nor a role", "did you mean “board”")
        expect(sign_off("[somebody-else]"), 26, 21, "add it under “roles”")

    def test_broken_address(self) -> None:
        expect(sign_off("[anna@]"), 26, 21, "anna@", "not an e-mail address")

    @pytest.mark.parametrize("name", ["owner", "board", "anna@example.com"])
    def test_who_may_be_named(self, name: str) -> None:
        assert problems(sign_off(f"[{name}]", "escalate: [{after: 2 days, to: chair@example.com}]")) == []

    def test_named_twice(self) -> None:
        expect(sign_off("[a@example.com, A@Example.com]"), 26, 36, "named twice")

    def test_excluded(self) -> None:
        expect(sign_off("[board]", "exclude: [bord]"), 27, 19, "did you mean “board”")

    def test_escalation(self) -> None:
        expect(sign_off("[board]", "escalate: [{after: 2 days, to: chair}]"), 27, 40, "“chair” is neither")

    def test_filled_by(self) -> None:
        text = with_gate(LIST + "  - {id: a, title: A, kind: text}\nfilled_by: leader")
        expect(text, 28, 20, "“leader” is neither")

    def test_measured_by(self) -> None:
        expect(with_gate(MEASURE + "measured_by: bord"), 27, 22, "did you mean “board”")

    def test_audience(self) -> None:
        expect(with_gate(READ.format(audience="[everybody]")), 27, 20, "“everybody” is neither")

    def test_band(self) -> None:
        text = INPUTS + with_gate(BUDGET.format(input="money") + "bands: [{above: 5, approvers: [bord]}]")
        expect(text, 29, 40, "did you mean “board”")

    def test_everyone_is_excluded(self) -> None:
        expect(sign_off("[requester]"), 26, 20, "everyone asked is also excluded")
        expect(sign_off("[a@example.com]", "exclude: [A@example.com]"), 26, 20, "everyone asked")

    def test_the_requester_may_decide_when_the_plan_says_so(self) -> None:
        assert problems(sign_off("[requester]", "exclude: []")) == []


class TestQuorum:
    def test_more_than_the_addresses_can_give(self) -> None:
        expect(sign_off("[a@example.com, b@example.com]", "quorum: 3"), 27, 17, "needs 3", "only 2", "lower the quorum")

    def test_more_of_each_than_one_address_can_give(self) -> None:
        expect(sign_off("[board, a@example.com]", "quorum: {each: 2}"), 27, 17, "only 1")

    def test_how_many_hold_a_role_is_not_known(self) -> None:
        assert problems(sign_off("[board, a@example.com]", "quorum: 3")) == []
        assert problems(sign_off("[board]", "quorum: {each: 2}")) == []

    def test_excluded_addresses_do_not_count(self) -> None:
        text = sign_off("[a@example.com, b@example.com]", "quorum: 2\nexclude: [b@example.com]")
        expect(text, 27, 17, "only 1")


class TestEscalation:
    def test_to_somebody_who_is_asked_already(self) -> None:
        expect(sign_off("[board]", "escalate: [{after: 2 days, to: board}]"), 27, 40, "asked already")
        expect(with_gate(MEASURE + "escalate: [{after: 2 days, to: owner}]"), 27, 40, "asked already")
        audience = READ.format(audience="[board]") + "escalate: [{after: 2 days, to: board}]"
        expect(with_gate(audience), 28, 40, "asked already")

    def test_to_the_same_person_twice(self) -> None:
        text = "escalate: [{after: 2 days, to: owner}, {after: 4 days, to: owner}]"
        expect(sign_off("[board]", text), 27, 68, "asked already")

    def test_to_somebody_who_is_excluded(self) -> None:
        expect(sign_off("[board]", "escalate: [{after: 2 days, to: requester}]"), 27, 40, "excluded")

    @pytest.mark.parametrize("second", ["2 days", "48 hours", "1 day", "2880 minutes"])
    def test_no_later_than_the_one_before(self, second: str) -> None:
        text = f"escalate: [{{after: 2 days, to: owner}}, {{after: {second}, to: a@example.com}}]"
        expect(sign_off("[board]", text), 27, 56, "no later than", "2 days")

    @pytest.mark.parametrize(
        "levels",
        [
            "{after: 4 days, to: owner, restart_clock: true}, {after: 2 days, to: a@example.com}",
            "{after: Friday 12:00, to: owner}, {after: Thursday 12:00, to: a@example.com}",
            "{after: 6 days, to: owner}, {after: Friday 12:00, to: a@example.com}",
        ],
    )
    def test_later_than_the_one_before_or_counted_from_it(self, levels: str) -> None:
        assert problems(sign_off("[board]", f"escalate: [{levels}]")) == []

    @pytest.mark.parametrize(
        "levels",
        [
            "{after: Friday 12:00, to: owner}, {after: Friday 12:00, to: a@example.com}",
            "{after: 2 weeks, to: owner}, {after: Friday 12:00, to: a@example.com}",
        ],
    )
    def test_a_moment_of_the_week_that_can_never_be_later(self, levels: str) -> None:
        [problem] = problems(sign_off("[board]", f"escalate: [{levels}]"))
        assert "no later than the escalation before it" in problem.sentence

    def test_choices_where_there_are_none(self) -> None:
        text = "escalate: [{after: 2 days, to: owner, choices: [go, kill]}]"
        expect(sign_off("[board]", text), 27, 56, "only a review")


class TestExpiry:
    def test_no_later_than_an_escalation(self) -> None:
        text = "escalate: [{after: 5 days, to: owner}]\nexpires: {after: 5 days}"
        expect(sign_off("[board]", text), 28, 26, "no later than the escalation")

    def test_business_days_may_be_longer_than_days(self) -> None:
        text = "escalate: [{after: 6 days, to: owner}]\nexpires: {after: 5 business days}"
        assert problems(sign_off("[board]", text)) == []
        expect(sign_off("[board]", text.replace("6 days", "3 weeks")), 28, 26, "no later than")

    def test_before_the_first_reminder(self) -> None:
        text = "remind: every 1 week\nexpires: {after: 5 days}"
        expect(sign_off("[board]", text), 27, 17, "before the first reminder")


class TestRecycle:
    def test_to_an_unknown_stage(self) -> None:
        expect(GOOD + "        recycle_to: frist\n", 22, 21, "did you mean “first”")
        expect(GOOD + "        on_reject: {recycle: frist}\n", 22, 30, "did you mean “first”")
        expect(GOOD + "        expires: {after: 2 days, outcome: {recycle: frist}}\n", 22, 53, "did you mean “first”")

    def test_forward(self) -> None:
        text = changed("[board]", "[board]\n        on_reject: {recycle: second}")
        expect(text, 14, 30, "does not come before “first”")

    def test_to_a_stage_at_its_side(self) -> None:
        text = changed("title: Second", "title: Second\n    needs: []")
        expect(text + "        recycle_to: first\n", 23, 21, "does not come before")

    @pytest.mark.parametrize("target", ["first", "second"])
    def test_back_or_to_itself(self, target: str) -> None:
        assert problems(GOOD + f"        recycle_to: {target}\n") == []

    def test_that_nobody_can_choose(self) -> None:
        expect(GOOD + "        choices: [go, kill]\n        recycle_to: first\n", 23, 21, "nobody can choose")


class TestChoices:
    def test_without_go(self) -> None:
        expect(GOOD + "        choices: [hold, kill]\n", 22, 18, "without “go”")

    def test_twice(self) -> None:
        expect(GOOD + "        choices: [go, kill, go]\n", 22, 18, "twice")

    def test_of_an_escalation(self) -> None:
        text = GOOD + "        escalate: [{after: 2 days, to: owner, choices: [hold, kill]}]\n"
        expect(text, 22, 56, "without “go”")


class TestBudget:
    def test_without_an_input(self) -> None:
        expect(with_gate(BUDGET.format(input="money")), 27, 16, "add “money: {kind: budget}”")

    def test_with_an_unknown_input(self) -> None:
        expect(INPUTS + with_gate(BUDGET.format(input="mony")), 28, 16, "did you mean “money”")

    def test_with_an_input_of_another_kind(self) -> None:
        expect(INPUTS + with_gate(BUDGET.format(input="note")), 28, 16, "does not ask for a budget called “note”")

    def test_bands_go_upwards(self) -> None:
        bands = "bands: [{above: 10, approvers: [owner]}, {above: 10, approvers: [a@example.com]}]"
        expect(INPUTS + with_gate(BUDGET.format(input="money") + bands), 29, 58, "above 10")


class TestChecklist:
    def test_items_of_one_name(self) -> None:
        expect(items("id: a, title: A, kind: text", "id: a, title: B, kind: text"), 28, 18, "called “a”")

    @pytest.mark.parametrize("kind", ["text", "yes-no"])
    def test_minimum_where_there_is_none(self, kind: str) -> None:
        line, column, sentence = the_problem(items(f"id: a, title: A, kind: {kind}, minimum: 2"))
        assert (line, column) == (27, 48 + len(kind))
        assert "has no minimum" in sentence

    def test_people_are_whole(self) -> None:
        expect(items("id: a, title: A, kind: people, minimum: 1.5"), 27, 54, "write 2")

    def test_each_without_people(self) -> None:
        expect(items("id: a, title: A, kind: number, each: yes"), 27, 51, "people_from")

    def test_each_of_a_text(self) -> None:
        text = items("id: p, title: P, kind: people", "id: a, title: A, kind: text, each: yes, people_from: p")
        expect(text, 28, 49, "only numbers")

    def test_each_of_people_named_later(self) -> None:
        text = items(
            "id: a, title: A, kind: number, each: yes, people_from: p",
            "id: p, title: P, kind: people",
        )
        expect(text, 27, 69, "before this one")

    def test_people_from_without_each(self) -> None:
        text = items("id: p, title: P, kind: people", "id: a, title: A, kind: number, people_from: p")
        expect(text, 28, 58, "each: true")

    def test_hours_of_each_person(self) -> None:
        text = items("id: p, title: P, kind: people", "id: a, title: A, kind: number, each: yes, people_from: p")
        assert problems(text) == []
