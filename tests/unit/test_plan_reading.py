"""Reading a plan file: each mistake of YAML or of shape is named with its line, its column and what to write instead.

What a plan of the right shape must hold besides is in test_plan_check.py. Whatever the bytes are, reading raises
InvalidPlan or nothing; it cannot be proved here that a sentence helps, only that it names the essential words.
"""

from __future__ import annotations

from decimal import Decimal

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from domain.durations import Duration
from domain.errors import InvalidPlan
from domain.plan import BudgetGate, ReviewGate, SignOffGate
from plans.reading import read_plan
from plans.schema import plan_schema
from tests.unit.plan_texts import GOOD, changed, problems, the_problem, with_gate


def expect(text: str | bytes, line: int, column: int, *words: str) -> None:
    """Exactly one problem, at this place, and its sentence holds the words."""
    found = the_problem(text)
    assert found[:2] == (line, column), found
    for word in words:
        assert word in found[2]


def test_a_good_plan_is_read() -> None:
    plan = read_plan(GOOD, "small.yaml")
    assert plan.name == "small"
    assert plan.needs() == {"first": [], "second": ["first"]}


def test_bytes_with_a_byte_order_mark_are_read() -> None:
    assert read_plan(b"\xef\xbb\xbf" + GOOD.encode(), "small.yaml").name == "small"


def test_windows_line_ends_are_read_and_counted_once() -> None:
    expect(changed("Shall we?", "[a]").replace("\n", "\r\n"), 12, 19, "a text is expected")


@pytest.mark.parametrize(
    ("written", "read"),
    [("no", "no"), ("Yes", "Yes"), ("on", "on"), ("2026-01-02", "2026-01-02"), ("010", "010"), ("1:30", "1:30")],
)
def test_words_that_yaml_takes_for_something_else_stay_texts(written: str, read: str) -> None:
    plan = read_plan(changed("Shall we?", written), "small.yaml")
    gate = plan.stages[0].gates[0]
    assert isinstance(gate, SignOffGate)
    assert gate.question.en == read


@pytest.mark.parametrize(("written", "read"), [("no", False), ("yes", True), ("off", False), ("true", True)])
def test_yes_and_no_are_booleans_where_one_is_expected(written: str, read: bool) -> None:
    plan = read_plan(GOOD + f"        lessons: {written}\n", "small.yaml")
    gate = plan.stages[1].gates[0]
    assert isinstance(gate, ReviewGate)
    assert gate.lessons is read


BUDGET = """
id: money
title: Money
kind: budget
question: These lines?
approvers: [board]
bands: [{above: 25000.10, approvers: [chair@example.com]}]
"""
INPUTS = "roles:\n", "inputs: {budget: {kind: budget, currency: CHF}}\nroles:\n"


def test_amounts_are_exact() -> None:
    plan = read_plan(changed(*INPUTS, with_gate(BUDGET)), "small.yaml")
    gate = plan.stages[1].gates[1]
    assert isinstance(gate, BudgetGate)
    assert str(gate.bands[0].above) == "25000.10"
    assert gate.bands[0].above == Decimal("25000.10")


@pytest.mark.parametrize("quorum", ["any", "all", "majority", "2", "60 %", "60%", "{each: 1}"])
def test_each_form_of_quorum_is_read(quorum: str) -> None:
    assert problems(GOOD + f"        quorum: {quorum}\n") == []


def test_spans_of_time_are_read() -> None:
    plan = read_plan(GOOD + "        expires: {after: 5 business days}\n", "small.yaml")
    expiry = plan.stages[1].gates[0].expires
    assert expiry
    assert expiry.after == Duration.parse("5 business days")


class TestYaml:
    """What YAML allows and a plan does not, and what is not YAML at all."""

    def test_empty(self) -> None:
        expect("", 1, 1, "empty")
        expect("# only a comment\n", 1, 1, "empty")

    def test_not_a_mapping(self) -> None:
        expect("\n- a\n- b\n", 2, 1, "mapping")

    def test_too_large(self) -> None:
        expect("#" * 1_000_001, 1, 1, "1 MB")

    def test_too_many_values(self) -> None:
        found = the_problem("a: [" + "x," * 60_000 + "]")
        assert "more than" in found[2]

    def test_not_utf_8(self) -> None:
        expect(b"plan: small\ntitle: Gesch\xe4ft\n", 2, 13, "UTF-8")

    def test_control_character(self) -> None:
        expect("plan: small\ntitle: a\x07b\n", 2, 9, "U+0007")

    def test_control_character_in_an_escape(self) -> None:
        expect(changed("Shall we?", '"a\\nb\\a"'), 12, 19, "U+0007")

    def test_surrogate_in_an_escape(self) -> None:
        expect(changed("Shall we?", '"\\ud800"'), 12, 19, "U+D800")

    def test_an_escape_beyond_unicode(self) -> None:
        assert "too large" in the_problem(changed("Shall we?", '"\\UFFFFFFFF"'))[2]

    def test_nested_too_deep(self) -> None:
        line, column, sentence = the_problem("a: " + "[" * 10_000)
        assert (line, column) == (1, 24)
        assert "deeper than 20" in sentence

    def test_second_document(self) -> None:
        expect(GOOD + "---\nplan: other\n", 22, 1, "second document")

    def test_anchor(self) -> None:
        expect(changed("[board]", "&them [board]"), 13, 20, "&them", "leave it out")

    def test_alias(self) -> None:
        text = changed("approvers: [board]", "approvers: &them [board]")
        found = problems(text[::-1].replace("[board]"[::-1], "*them"[::-1], 1)[::-1])
        assert [(problem.line, problem.column) for problem in found] == [(13, 20), (21, 20)]
        assert "*them" in found[1].sentence

    @pytest.mark.parametrize("tag", ["!mine", "!!python/object/apply:os.system", "!!str", "!"])
    def test_tag(self, tag: str) -> None:
        assert the_problem(changed("Shall we?", f"{tag} hello"))[:2] == (12, 19)

    def test_duplicate_key(self) -> None:
        expect(changed("    title: First\n", "    title: First\n    title: Again\n"), 8, 5, "title", "twice", "line 7")

    def test_key_that_is_not_text(self) -> None:
        expect(changed("Shall we?", "{{ question }}"), 12, 20, "key", "quotes")

    def test_tab(self) -> None:
        expect("plan: small\n\ttitle: x\n", 2, 1, "tab")

    def test_colon_in_a_text(self) -> None:
        expect(changed("Shall we?", "Well: shall we?"), 12, 23, "colon", "quotes")

    def test_a_text_that_begins_with_a_per_cent_sign(self) -> None:
        expect(changed("Shall we?", "%60"), 12, 19, "quotes")

    def test_an_open_bracket(self) -> None:
        assert "bracket" in the_problem(changed("[board]", "[board"))[2]

    def test_a_question_mark_between_brackets(self) -> None:
        expect(changed("Shall we?", "{de: Ja?, en: Yes?}"), 12, 26, "in quotes")

    def test_an_open_quotation_mark(self) -> None:
        assert "quotation mark" in the_problem(changed("Shall we?", '"Shall we?'))[2]

    def test_wrong_indentation(self) -> None:
        assert "indentation" in the_problem(changed("    title: First", "   title: First"))[2]


class TestShape:
    """What is not a plan."""

    def test_unknown_key(self) -> None:
        expect(
            changed("    title: First", "    title: First\n    stalled_afer: 2 days"),
            8,
            5,
            "did you mean “stalled_after”",
        )

    def test_unknown_key_that_is_like_no_other(self) -> None:
        expect("zzzz: 1\n" + GOOD, 1, 1, "zzzz", "plan", "stages")

    def test_unknown_key_of_a_gate_names_the_keys_of_its_kind(self) -> None:
        expect(GOOD + "        lesons: true\n", 22, 9, "did you mean “lessons”")

    def test_keys_of_later_versions_are_not_guessed_at(self) -> None:
        expect(GOOD + "        assurance: x\n", 22, 9, "does not know “assurance” yet", "leave it out")

    def test_the_field_name_of_a_plan_is_not_a_key(self) -> None:
        assert [problem.sentence for problem in problems(changed("plan: small", "name: small"))] == [
            "the key “plan” is missing; write “plan: name-of-the-plan”",
            "“name” is not a key here; write one of calendar, chat, description, escalate, expires, inputs, plan, "
            "remind, roles, stages, stalled_after, title",
        ]

    def test_missing_key(self) -> None:
        expect(changed("        question: Shall we?\n", ""), 9, 9, "“question” of “yes-or-no” is missing", "{de:")

    def test_misspelt_key_that_is_needed(self) -> None:
        found = problems(changed("question: Shall", "qestion: Shall"))
        assert [(problem.line, problem.column) for problem in found] == [(9, 9), (12, 9)]
        assert "did you mean “question”" in found[1].sentence

    def test_nothing_behind_a_key(self) -> None:
        expect(changed("question: Shall we?", "question:"), 12, 18, "nothing is written here", "question")

    def test_unknown_kind(self) -> None:
        expect(changed("kind: review", "kind: reviews"), 19, 15, "did you mean “review”", "measurement")

    def test_missing_kind(self) -> None:
        expect(changed("        kind: review\n", ""), 17, 9, "kind", "look-back", "sign-off, budget, review")

    def test_quorum_that_fits_no_form_is_one_sentence(self) -> None:
        for quorum in ("most", "0", "-1", "0 %", "101 %", "1.5", "{each: 0}", "{every: 1}", "[any]", '""'):
            expect(GOOD + f"        quorum: {quorum}\n", 22, 17, "any, all, majority", "{each: 1}", "60 %")

    def test_consequence_that_fits_no_form_is_one_sentence(self) -> None:
        expect(GOOD + "        on_reject: go\n", 22, 20, "hold, kill, or {recycle")
        expect(GOOD + "        expires: {after: 2 days, outcome: pass}\n", 22, 43, "hold, reject, or {recycle")

    def test_span_of_time(self) -> None:
        expect(GOOD + "        expires: {after: soon}\n", 22, 26, "soon", "5 business days")
        expect(GOOD + "        remind: 2 days\n", 22, 17, "every 2 business days")

    def test_name_for_machines(self) -> None:
        expect(changed("id: first", "id: The First"), 6, 9, "The First", "small letters")
        expect(changed("plan: small", f"plan: {'x' * 61}"), 1, 7, "at most 60")

    def test_a_role_with_a_name_that_cannot_be(self) -> None:
        expect(changed("roles:\n", "roles:\n  The Chair: {title: Chair}\n"), 4, 3, "The Chair")

    def test_built_in_role(self) -> None:
        expect(changed("roles:\n", "roles:\n  owner: {title: Owner}\n"), 4, 3, "owner")

    def test_text_instead_of_a_list(self) -> None:
        expect(changed("approvers: [board]", "approvers: board"), 13, 20, "list", "[board]")

    def test_list_instead_of_a_text(self) -> None:
        expect(changed("Shall we?", "[a]"), 12, 19, "text", "{de: ..., en: ...}")
        expect(changed("approvers: [board]", "approvers: [[board]]"), 13, 21, "text")

    def test_text_instead_of_a_mapping(self) -> None:
        expect(changed("{title: Board}", "Board"), 4, 10, "mapping")

    def test_text_in_no_language(self) -> None:
        expect(changed("Shall we?", '{de: ""}'), 12, 19, "at least one language")

    def test_empty_list(self) -> None:
        expect(changed("approvers: [board]", "approvers: []"), 13, 20, "at least one")

    def test_too_many_stages(self) -> None:
        text = "plan: p\ntitle: P\nstages:\n" + "- {id: a, title: A, gates: []}\n" * 201
        expect(text, 4, 1, "at most 200")

    def test_choice(self) -> None:
        expect(GOOD + "        choices: [go, stop]\n", 22, 23, "stop", "go, hold, recycle, kill")
        expect(GOOD + "        order: one by one\n", 22, 16, "together", "in turn")

    def test_number(self) -> None:
        text = changed(*INPUTS, with_gate(BUDGET.replace("25000.10", "25'000")))
        expect(text, 28, 25, "25'000", "25000.50")
        expect(changed(*INPUTS, with_gate(BUDGET.replace("25000.10", "-1"))), 28, 25, "too small", "0 or more")

    def test_boolean(self) -> None:
        expect(GOOD + "        lessons: perhaps\n", 22, 18, "perhaps", "true or false")

    def test_measurement_without_a_target(self) -> None:
        gate = "id: measured\ntitle: Measured\nkind: measurement\nmetric: visits"
        expect(with_gate(gate), 22, 9, "at_least or at_most")

    def test_currency(self) -> None:
        expect(changed("roles:\n", "inputs: {budget: {kind: budget, currency: francs}}\nroles:\n"), 3, 43, "CHF")


def test_every_problem_is_named_at_once_by_line() -> None:
    text = changed("Shall we?", "[a]", changed("[board]", "[bord]", changed("First", "x: y", changed("plan", "paln"))))
    assert len(problems(text)) == 1, "where the YAML is broken, nothing else can be said"
    text = changed("Shall we?", "[a]", changed("[board]", "[bord]", changed("kind: review", "kind: poll")))
    assert [(problem.line, problem.column) for problem in problems(text)] == [(12, 19), (13, 21), (19, 15)]


def test_the_error_is_one_sentence_that_names_file_and_place() -> None:
    with pytest.raises(InvalidPlan) as caught:
        read_plan(changed("plan: small", "plan: S"), "folder/small.yaml")
    assert caught.value.sentence.startswith("folder/small.yaml, line 1, column 7: “S”")
    assert caught.value.problems[0].path == "plan"


def test_the_schema_describes_every_key() -> None:
    schema = plan_schema()
    shapes = [schema, *schema["$defs"].values()]
    shapes += [one for shape in shapes for one in shape.get("anyOf", [])]
    for shape in shapes:
        for key, value in shape.get("properties", {}).items():
            assert value.get("description"), (shape["title"], key)


LINES = st.sampled_from([*GOOD.splitlines(), "", "---", "  - [", "a: &b *b", "? x", "!t y", "\t", "- - - -", "<<: {}"])


@given(st.text() | st.binary())
def test_whatever_the_file_holds_nothing_but_invalid_plan_is_raised(content: str | bytes) -> None:
    problems(content)


@given(st.lists(LINES).map("\n".join))
def test_lines_in_any_order_raise_nothing_but_invalid_plan(content: str) -> None:
    problems(content)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["go", "sign-off", "first"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "title", "kind", "gates", "quorum", "on_reject", "recycle", "each", "approvers"]),
            inner,
        )
    ),
    max_leaves=8,
)


@given(st.sampled_from(["plan", "title", "calendar", "roles", "inputs", "stages"]), ANYTHING)
def test_any_value_of_a_key_raises_nothing_but_invalid_plan(key: str, value: object) -> None:
    content = yaml.safe_load(GOOD) | {key: value}
    problems(yaml.safe_dump(content, allow_unicode=True))


@given(st.integers(0, 1), st.sampled_from(["id", "needs", "owner", "gates", "title"]), ANYTHING)
def test_any_value_in_a_stage_raises_nothing_but_invalid_plan(stage: int, key: str, value: object) -> None:
    content = yaml.safe_load(GOOD)
    content["stages"][stage][key] = value
    problems(yaml.safe_dump(content, allow_unicode=True))


@given(
    st.sampled_from(
        ["kind", "quorum", "approvers", "exclude", "escalate", "expires", "on_reject", "choices", "recycle_to"]
    ),
    ANYTHING,
)
def test_any_value_in_a_gate_raises_nothing_but_invalid_plan(key: str, value: object) -> None:
    content = yaml.safe_load(GOOD)
    content["stages"][1]["gates"][0][key] = value
    problems(yaml.safe_dump(content, allow_unicode=True))


def test_a_plans_channels_hear_of_every_stage_and_a_stages_of_its_own() -> None:
    of_stage = changed("title: First", "chat: [ops, team]\n    title: First")
    plan = read_plan(changed("roles:", "chat: [team]\nroles:", of_stage), "small.yaml")
    first, second = plan.stages
    assert (plan.channels(first), plan.channels(second), plan.channels()) == (["team", "ops"], ["team"], ["team"])
