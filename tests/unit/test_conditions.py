"""Conditions: what can be held to, which stage holds to it, by when it is due, and the gate that it becomes."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.conditions import (
    MOST,
    Promise,
    TypedCondition,
    as_gate,
    condition_id_in,
    due_when_asked,
    key_of,
    read,
    refuse_stray,
    stages_for,
    why_none,
    written,
)
from domain.errors import InvalidInput
from domain.plan import Gate, Plan
from plans.reading import read_plan

TODAY = date(2026, 3, 2)
BEN = "ben@example.com"
GOOD = TypedCondition("check the texts", BEN, "2026-03-31")


def plan(*stages: tuple[str, str], first: str = "") -> Plan:
    """A plan of stages, each with its needs; `first` is more of what the first gate says."""
    lines = [
        f"  - {{id: {name}, title: {name}, needs: {needs}, gates: [{{id: g-{name}, title: G, kind: sign-off, "
        f'question: "?", approvers: [board]{first if place == 0 else ""}}}]}}\n'
        for place, (name, needs) in enumerate(stages)
    ]
    return read_plan("plan: p\ntitle: P\nroles: {board: {title: Board}}\nstages:\n" + "".join(lines), "p.yaml")


def gate(of: Plan) -> Gate:
    """The first gate of a plan."""
    return of.stages[0].gates[0]


class TestWhatWasTyped:
    def test_is_read_into_what_can_be_held_to(self) -> None:
        typed = TypedCondition(" check  the texts ", " Ben@Example.COM", " 2026-03-31 ", " c ")
        assert read([typed], TODAY, ["b", "c"]) == [Promise("check  the texts", BEN, date(2026, 3, 31), "c")]

    def test_names_the_default_stage_when_it_names_none(self) -> None:
        [promise] = read([GOOD], TODAY, ["b", "c"])
        assert promise.stage == "b"

    def test_may_leave_sets_of_fields_empty(self) -> None:
        nothing = TypedCondition(" ", "", "\n", "b")
        assert [promise.what for promise in read([nothing, GOOD, nothing], TODAY, ["b"])] == ["check the texts"]

    @pytest.mark.parametrize("due_on", ["2026-03-02", "2036-03-02"])
    def test_may_be_due_today_and_ten_years_from_now(self, due_on: str) -> None:
        assert read([TypedCondition("x", BEN, due_on)], TODAY, ["b"])[0].due_on == date.fromisoformat(due_on)

    @pytest.mark.parametrize(
        ("part", "typed", "sentence"),
        [
            ("what", "", "Say what has to be done."),
            ("what", "\u200b", "Say what has to be done."),
            ("what", "x" * 201, "At most 200 characters fit here; these are 201."),
            ("what", "a\tb", "A line cannot hold line breaks"),
            ("what", "=?utf-8?q?x?=", "“=?” cannot be written here"),
            ("who", "", "Say who sees to it: write an e-mail address."),
            ("who", "Ben", "“Ben” is not an e-mail address"),
            ("who", "{x}@", "“{x}@” is not an e-mail address"),
            ("who", "bén@example.com", "“bén@example.com” is not an e-mail address"),
            ("due_on", "", "Say by when."),
            ("due_on", "tomorrow", "“tomorrow” is not a date; write it like 2026-03-31."),
            ("due_on", "20260331", "“20260331” is not a date"),
            ("due_on", "2026-W14-2", "“2026-W14-2” is not a date"),
            ("due_on", "2026-02-29", "“2026-02-29” is not a date"),
            ("due_on", "２０２６-03-31", "is not a date"),
            ("due_on", "2026-03-01", "This day has passed; name today or a later one."),
            ("due_on", "9999-12-31", "This is more than ten years away; name a nearer day."),
            ("stage", "a", "“a” is not a stage that comes after this one; those are: b, c."),
        ],
    )
    def test_is_refused_with_a_sentence_beside_its_field(self, part: str, typed: str, sentence: str) -> None:
        wrong = TypedCondition(**{**vars(GOOD), part: typed})
        with pytest.raises(InvalidInput) as refusal:
            read([GOOD, wrong], TODAY, ["b", "c"])
        [(field, reason)] = refusal.value.fields.items()
        assert field == f"condition-2-{'due' if part == 'due_on' else part}"
        assert sentence in str(reason)

    def test_without_any_is_refused_at_the_first_field(self) -> None:
        with pytest.raises(InvalidInput) as refusal:
            read([TypedCondition(), TypedCondition()], TODAY, ["b"])
        assert {name: str(reason) for name, reason in refusal.value.fields.items()} == {
            "condition-1-what": "Write down the conditions."
        }

    def test_without_a_later_stage_is_refused(self) -> None:
        with pytest.raises(InvalidInput) as refusal:
            read([GOOD], TODAY, [])
        assert "Nothing comes after this stage" in str(refusal.value.fields["condition-1-stage"])

    def test_of_more_than_five_is_refused(self) -> None:
        assert len(read([GOOD] * MOST, TODAY, ["b"])) == 5
        with pytest.raises(InvalidInput) as refusal:
            read([GOOD] * (MOST + 1), TODAY, ["b"])
        assert str(refusal.value.fields["conditions"]) == "At most 5 conditions go with one answer."

    def test_beside_another_answer_is_refused_at_the_first_that_says_something(self) -> None:
        refuse_stray([TypedCondition(stage="b"), TypedCondition()])
        with pytest.raises(InvalidInput) as refusal:
            refuse_stray([TypedCondition(), TypedCondition(due_on="2026-03-31")])
        assert set(refusal.value.fields) == {"condition-2-what"}

    def test_stays_readable_in_one_line_each(self) -> None:
        promises = read([GOOD, TypedCondition("tell staff", "x@example.com", "2026-04-01")], TODAY, ["b"])
        assert (
            written(promises) == "check the texts (ben@example.com, 2026-03-31)\ntell staff (x@example.com, 2026-04-01)"
        )


class TestStages:
    LINE = (("a", "[]"), ("b", "[a]"), ("c", "[b]"))

    def test_those_that_come_after_near_or_far_in_the_plans_order(self) -> None:
        line = plan(*self.LINE)
        assert stages_for(line, "a", gate(line), []) == ["b", "c"]
        assert stages_for(line, "b", gate(line), []) == ["c"]
        assert stages_for(line, "c", gate(line), []) == []

    def test_what_conditions_in_names_comes_first(self) -> None:
        line = plan(*self.LINE, first=", conditions_in: c")
        assert stages_for(line, "a", gate(line), []) == ["c", "b"]

    def test_not_what_has_passed(self) -> None:
        line = plan(*self.LINE, first=", conditions_in: b")
        assert stages_for(line, "a", gate(line), ["b"]) == ["c"]

    def test_not_what_runs_beside(self) -> None:
        fork = plan(("a", "[]"), ("b", "[a]"), ("beside", "[]"), ("end", "[b, beside]"))
        assert stages_for(fork, "a", gate(fork), []) == ["b", "end"]
        assert stages_for(fork, "beside", gate(fork), []) == ["end"]

    def test_none_where_nobody_is_bound(self) -> None:
        line = plan(*self.LINE, first=", binding: false")
        assert stages_for(line, "a", gate(line), []) == []
        assert "binds nobody" in str(why_none(gate(line)))

    @given(st.lists(st.lists(st.integers(0, 6), max_size=3), min_size=1, max_size=7), st.sets(st.integers(0, 6)))
    def test_against_a_plain_search(self, backwards: list[list[int]], passed: set[int]) -> None:
        """Each stage needs some of those before it; whoever can be reached by way of the needs may be named."""
        needs = {
            place: sorted({one % place for one in before} if place else ()) for place, before in enumerate(backwards)
        }
        graph = plan(*((f"s{place}", f"[{', '.join(f's{one}' for one in before)}]") for place, before in needs.items()))

        def comes_after_first(stage: int) -> bool:
            return any(before == 0 or comes_after_first(before) for before in needs[stage])

        expected = [f"s{stage}" for stage in needs if comes_after_first(stage) and stage not in passed]
        assert stages_for(graph, "s0", gate(graph), [f"s{one}" for one in passed]) == expected


class TestWhenItIsDue:
    def test_on_its_day_when_that_is_still_to_come(self) -> None:
        assert due_when_asked(date(2026, 3, 31), 29, TODAY, again=False) == date(2026, 3, 31)
        assert due_when_asked(TODAY, 0, TODAY, again=False) == TODAY

    def test_with_its_days_again_from_now_when_it_has_passed(self) -> None:
        assert due_when_asked(date(2026, 3, 1), 10, TODAY, again=False) == date(2026, 3, 12)

    def test_with_its_days_again_from_now_when_it_stopped_a_stage(self) -> None:
        assert due_when_asked(date(2026, 3, 31), 10, TODAY, again=True) == date(2026, 3, 12)

    def test_never_without_a_day_to_do_it_in(self) -> None:
        assert due_when_asked(date(2026, 3, 1), 0, TODAY, again=True) == date(2026, 3, 3)

    @given(st.dates(date(2020, 1, 1), date(2030, 1, 1)), st.integers(0, 3653), st.booleans())
    def test_never_in_the_past(self, due_on: date, days: int, again: bool) -> None:
        due = due_when_asked(due_on, days, TODAY, again=again)
        assert TODAY <= due <= max(due_on, TODAY + timedelta(days=max(days, 1)))


class TestTheGate:
    def test_says_what_is_promised_in_both_languages(self) -> None:
        made = as_gate(7, "check the texts", BEN, "anna@example.com", 5, gate(plan(("a", "[]"))))
        assert (made.id, made.kind, made.filled_by, made.approvers) == (
            "condition-7",
            "checklist",
            BEN,
            ["anna@example.com"],
        )
        assert (made.title.de, made.title.en) == ("Auflage: check the texts", "Condition: check the texts")
        assert made.question.en == "Condition of the approval “G”: check the texts"
        assert made.question.de == "Auflage zur Freigabe «G»: check the texts"

    def test_holds_when_it_is_not_met_in_time(self) -> None:
        made = as_gate(7, "x", BEN, BEN, 5, gate(plan(("a", "[]"))))
        assert (made.on_reject, str(made.remind)) == ("hold", "every 2 business days")
        assert made.expires is not None
        assert (made.expires.outcome, str(made.expires.after)) == ("hold", "5 days")

    def test_is_decided_by_nobody_who_may_not_decide_where_it_was_made(self) -> None:
        assert as_gate(7, "x", BEN, BEN, 5, gate(plan(("a", "[]")))).exclude == ["requester"]
        open_to_all = gate(plan(("a", "[]"), first=", exclude: []"))
        assert as_gate(7, "x", BEN, BEN, 5, open_to_all).exclude == []

    def test_may_be_waived_by_whoever_may_waive_the_gate_it_was_made_at(self) -> None:
        made_at = gate(plan(("a", "[]"), first=", waiver: [board]"))
        assert as_gate(7, "x", BEN, BEN, 5, made_at).waiver == ["board"]

    def test_keeps_a_long_text_out_of_its_title(self) -> None:
        made = as_gate(7, "x" * 200, BEN, BEN, 0, gate(plan(("a", "[]"))))
        assert len(made.title.en or "") == 90
        assert (made.title.en or "").endswith("…")
        assert "x" * 200 in (made.question.en or "")

    @given(st.integers(1, 10**17))
    def test_is_found_again_by_its_key(self, condition_id: int) -> None:
        assert condition_id_in(key_of(condition_id)) == condition_id

    @pytest.mark.parametrize(
        "key", ["condition", "condition-", "condition-0", "condition-1a", "condition-１", "x-condition-1"]
    )
    def test_is_no_other(self, key: str) -> None:
        assert condition_id_in(key) is None
