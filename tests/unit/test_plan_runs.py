"""Gates that start a flow run, as a plan writes them: what can be wrong, and where it is said."""

from __future__ import annotations

import pytest

from tests.unit.plan_texts import problems, the_problem, with_gate

RUN = "id: more\ntitle: More\nkind: run\n"
INPUTS = "inputs: {release: {kind: text}}\n"


def run(more: str) -> str:
    """The good plan with a run in lines 22 to 24, and what is in `more` from line 25."""
    return with_gate(RUN + more)


def with_parameters(parameters: str) -> str:
    return run(f"deployment: shift-traffic/sample\nparameters: {parameters}\n")


@pytest.mark.parametrize("parameters", ["{percent: 10}", "{fail: no, note: a b}", "{}", "{percent: '10'}"])
def test_texts_can_be_given(parameters: str) -> None:
    assert problems(with_parameters(parameters)) == []


def test_inputs_can_be_given() -> None:
    assert problems(INPUTS + with_parameters("{release: {input: release}}")) == []


def test_an_input_that_the_plan_does_not_ask_for() -> None:
    line, column, sentence = the_problem(INPUTS + with_parameters("{release: {input: relaese}}"))
    assert (line, column) == (27, 39)
    assert sentence == "“relaese” is not an input of this plan; did you mean “release”?"


def test_an_input_where_the_plan_asks_for_nothing() -> None:
    assert "add “release: {kind: text}” to the inputs" in the_problem(with_parameters("{r: {input: release}}"))[2]


@pytest.mark.parametrize("value", ["[a, b]", "{inptu: release}", "{input: release, more: x}", "", "{}"])
def test_what_is_neither_a_text_nor_an_input_is_one_mistake(value: str) -> None:
    line, _, sentence = the_problem(INPUTS + with_parameters(f"{{hosts: {value}}}"))
    assert line == 27
    assert sentence.endswith("is no parameter; write a text, or {input: name} for what the rollout was given")


def test_a_parameter_may_be_called_like_a_key_of_a_plan() -> None:
    sentence = the_problem(with_parameters("{quorum: [a]}"))[2]
    assert sentence.startswith("a list is no parameter")


@pytest.mark.parametrize("name", ["shift-traffic", "a/b/c", "/", "3"])
def test_a_deployment_is_a_flow_and_a_name(name: str) -> None:
    assert (
        "write its flow, a slash and its name, such as “shift-traffic/sample”"
        in the_problem(run(f"deployment: {name}\n"))[2]
    )


def test_the_deployment_is_missing() -> None:
    assert the_problem(run(""))[2] == (
        "the key “deployment” of “more” is missing; write “deployment: the-flow/the-deployment”"
    )
