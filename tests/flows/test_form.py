"""Prefect's form of a new rollout: what it offers, what it refuses at once, and what only the flow run can refuse."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from models.rollouts import rollouts_newest_first
from tests.flows.conftest import Etappe, eventually
from tests.sample_plans import ROLES, SIGN_OFF

Write = Callable[[str, str], str]

WITH_BUDGET = f"""
plan: with-budget
title: With budget
{ROLES}
inputs:
  budget: {{kind: budget, currency: CHF, required: true}}
stages:
  - id: only
    title: Only
    gates: [{{id: sign-off, title: Sign-off, {SIGN_OFF}}}]
"""
LINE = {"item": "Licences", "amount": 1200.5}


def test_the_form_asks_for_each_thing_by_its_type(etappe: Etappe) -> None:
    form = etappe.deployment()["parameter_openapi_schema"]
    fields = form["properties"]
    assert set(fields) == {
        "plan", "title", "requester", "owner", "language", "start_on", "people", "budget", "inputs"
    }  # fmt: skip
    assert {"social-media-introduction", "office-policy"} <= set(fields["plan"]["enum"])
    assert fields["language"]["enum"] == ["en", "de"]
    assert (fields["start_on"]["type"], fields["start_on"]["format"]) == ("string", "date")
    assert fields["people"]["additionalProperties"] == {"items": {"type": "string"}, "type": "array"}
    line = form["definitions"][fields["budget"]["items"]["$ref"].rsplit("/", 1)[-1]]
    assert (line["properties"]["item"]["type"], line["properties"]["amount"]["type"]) == ("string", "number")
    assert sorted(form["required"]) == ["plan", "requester", "title"]
    assert all(field["description"] for field in fields.values())


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"plan": "no-such-plan"}, "'no-such-plan' is not one of"),
        ({"title": ""}, "title"),
        ({"requester": "nobody"}, "'nobody' does not match"),
        ({"language": "fr"}, "'fr' is not one of ['en', 'de']"),
        ({"budget": [{"item": "Free", "amount": 0}]}, "0 is less than or equal to the minimum of 0"),
        ({"budget": [{"item": "Much", "amount": "a lot"}]}, "'a lot' is not of type 'number'"),
        ({"people": {"board": "anna@example.com"}}, "'anna@example.com' is not of type 'array'"),
        ({"colour": "red"}, "'colour' was unexpected"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_wrong_value_is_refused_by_the_server_and_starts_nothing(
    etappe: Etappe, wrong: dict[str, Any], said: str
) -> None:
    answer = etappe.answer_to_run(**{"plan": "office-policy", "title": "Wrong", **wrong})
    assert answer.status_code == 409
    assert said in answer.json()["detail"]


def _finished_log(etappe: Etappe, flow_run_id: str) -> str:
    lines = etappe.log(flow_run_id)
    return "\n".join(lines) if sum("Finished in state" in line for line in lines) == 2 else ""


def test_what_only_the_directory_or_the_plan_can_know_ends_the_flow_run_with_one_sentence(
    etappe: Etappe, plan: Write
) -> None:
    plan("with-budget", WITH_BUDGET)
    given: dict[str, Any] = {"plan": "with-budget", "title": "Refused", "budget": [LINE]}
    refused = {
        "The requester “nobody@example.com” is not in the directory; import them with `etappe people import`.":
            etappe.press_run(**{**given, "requester": "nobody@example.com"}),
        "The plan “with-budget” needs a budget to start: give at least one line with item and amount.":
            etappe.press_run(**{**given, "budget": []}),
        "“chairman” is not a role of the plan “with-budget”; did you mean “chair”?":
            etappe.press_run(**{**given, "people": {"chairman": ["anna@example.com"]}}),
    }  # fmt: skip
    impossible = etappe.press_run(**{**given, "start_on": "2026-13-99"})
    for sentence, flow_run_id in refused.items():
        run = etappe.until(flow_run_id, "Refused")
        assert (run["state_type"], run["state"]["message"]) == ("FAILED", sentence)
        log = eventually(partial(_finished_log, etappe, flow_run_id), "the log of the start and of its flow run")
        assert sentence in log
        assert "Traceback" not in log
    failed = etappe.until(impossible, "Failed")["state"]["message"]
    assert "start_on" in failed
    assert "Traceback" not in failed
    with etappe.installation.db.read() as session:
        titles = [rollout.title for rollout in session.scalars(rollouts_newest_first())]
    assert "Refused" not in titles
