"""The plan check of conditions and of silence: a stage that can hold, a name that is free, a consent that is meant."""

from __future__ import annotations

import pytest

from tests.unit.plan_texts import changed, problems, the_problem, with_gate

APPROVERS = "approvers: [board]\n  - id: second"  # the end of the first stage's only gate
SIGN_OFF = "id: more\ntitle: More\nkind: sign-off\nquestion: More?\napprovers: [board]\n"
LIST = "id: more\ntitle: More\nkind: checklist\nquestion: Who?\nitems: [{id: a, title: A, kind: text}]\n"
CONSENT = "silence_is_consent: true\nexpires: {after: 5 days, outcome: pass}\n"


def expect(text: str, line: int, column: int, *words: str) -> None:
    """Exactly one problem, at this place, and its sentence holds the words."""
    found = the_problem(text)
    assert found[:2] == (line, column), found
    for word in words:
        assert word in found[2], found


def first_gate(more: str) -> str:
    """The good plan with a key more in its first gate, in line 14, column 9."""
    return changed(APPROVERS, f"approvers: [board]\n        {more}\n  - id: second")


class TestConditionsIn:
    def test_a_later_stage_is_good(self) -> None:
        assert problems(first_gate("conditions_in: second")) == []

    def test_an_unknown_stage(self) -> None:
        expect(first_gate("conditions_in: secnod"), 14, 24, "not a stage of this plan; did you mean “second”?")

    def test_the_gates_own_stage(self) -> None:
        expect(first_gate("conditions_in: first"), 14, 24, "does not come after “first”; name second")

    def test_a_stage_before(self) -> None:
        expect(with_gate(SIGN_OFF + "conditions_in: first"), 27, 24, "does not come after “second”", "leave it out")

    def test_a_gate_that_binds_nobody(self) -> None:
        text = first_gate("binding: false\n        conditions_in: second")
        expect(text, 15, 24, "binds nobody takes no conditions")

    def test_a_list_that_nobody_approves(self) -> None:
        gate = '{id: x, title: X, kind: sign-off, question: "X?", approvers: [board]}'
        later = f"  - {{id: third, title: Third, gates: [{gate}]}}\n"
        expect(with_gate(LIST + "conditions_in: third") + later, 27, 24, "nobody approves here")


class TestReservedNames:
    def test_a_gate_called_like_one_of_a_condition(self) -> None:
        expect(changed("id: yes-or-no", "id: condition-12"), 9, 13, "“condition-12”", "another name")

    @pytest.mark.parametrize("name", ["condition", "condition-a", "conditions-1", "pre-condition-1", "condition-0"])
    def test_other_names_are_free(self, name: str) -> None:
        assert problems(changed("id: yes-or-no", f"id: {name}")) == []


class TestSilence:
    def test_with_time_to_object_it_may_be_consent(self) -> None:
        assert problems(with_gate(SIGN_OFF + CONSENT)) == []

    def test_it_never_approves_by_itself(self) -> None:
        expect(with_gate(SIGN_OFF + "expires: {after: 5 days, outcome: pass}"), 27, 43, "never approves by itself")

    @pytest.mark.parametrize("more", ["", "expires: {after: 5 days}\n", "expires: {after: 5 days, outcome: reject}\n"])
    def test_it_is_no_consent_without_a_time_to_object(self, more: str) -> None:
        expect(with_gate(SIGN_OFF + "silence_is_consent: true\n" + more), 27, 29, "not said by when to object")

    def test_those_who_would_be_asked_later_cannot_consent_by_silence(self) -> None:
        expect(with_gate(SIGN_OFF + CONSENT + "order: in turn"), 29, 16, "write “order: together”")

    def test_a_gate_that_binds_nobody_needs_no_consent(self) -> None:
        expect(with_gate(SIGN_OFF + CONSENT + "binding: false"), 29, 18, "needs no consent")

    def test_where_nobody_approves_nobodys_silence_counts(self) -> None:
        expect(with_gate(LIST + CONSENT), 27, 29, "nobody's silence could count")
