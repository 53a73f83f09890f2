"""Whatever is sent to the API, in whichever shape: no failure of ours, no status and no answer that is not described.

The calls are made from the API's own description (OpenAPI), about rollouts that are there as well as about others.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from models.database import Database
from tests.api_client import Api
from tests.company import PEOPLE, REQUESTER, Company
from tests.sample_plans import SIGN_OFF, one_gate

ANNA, BEN, DORA, ADMIN = "anna@example.com", "ben@example.com", "dora@example.com", "emil@example.com"
CALLS = 12
"""Per call that is described, and database; about ten seconds each."""
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
PLANS = (
    f"{SIGN_OFF}, waiver: [chair]",
    'kind: budget, question: "May it cost this?", approvers: [board], pinned_to: [budget], quorum: any',
    'kind: checklist, question: "Who?", filled_by: anna@example.com, items: [{id: people, title: P, kind: people}]',
    "kind: measurement, metric: visits, at_least: 100, measured_by: ben@example.com",
)
OFTEN = st.integers(0, 3)
SENSIBLE: dict[str, Any] = {
    "decision": "approve",
    "digest": "0" * 64,
    "conditions": [],
    "on_behalf_of": None,
    "answers": {"people": ["Max"]},
    "inputs": {"budget": [{"item": "Video", "amount": 120}]},
    "links": [],
    "removed": [],
    "metric": "visits",
    "plan": "one-gate",
    "owner": REQUESTER,
    "people": {},
    "budget": [{"item": "Video", "amount": 100}],
    "person": DORA,
    "from": BEN,
    "to": DORA,
    "url": "https://example.com/offer",
    "measured_at": None,
}
"""What often stands in a field, so that calls get further than its shape."""


@pytest.fixture
def api(db: Database, tmp_path: Path) -> Api:
    """The API of a company with an administrator."""
    company = Company(db, directory=PEOPLE.replace("roles:\n", f"roles:\n  administrator: [{ADMIN}]\n"))
    (tmp_path / "one-gate.yaml").write_text(one_gate(SIGN_OFF))
    return Api(company, tmp_path, ETAPPE_PLANS=str(tmp_path))


def operations(api: Api) -> Iterator[Any]:
    """Every call that is described."""
    schema: Any = schemathesis.openapi.from_asgi("/api/v1/openapi.json", api.app)
    yield from (found.ok() for found in schema.get_all_operations())


def cases(operation: Any) -> st.SearchStrategy[Any]:
    """Calls as they are described; where something can be sent, also such as are not."""
    good: st.SearchStrategy[Any] = operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
    return good | operation.as_strategy(generation_mode=GenerationMode.NEGATIVE) if operation.body else good


def begin(api: Api) -> list[str]:
    """Start a rollout of each kind, so that there is something to call about."""
    return [api.company.start(one_gate(gate), budget={"Video": "100"}) for gate in PLANS]


def aim(api: Api, data: st.DataObject, case: Any, rollouts: list[str], person: str) -> None:
    """Let a call hit what is there, three times of four, and most of its fields hold what makes sense there."""
    paths = case.path_parameters or {}
    if "rollout_id" in paths and data.draw(OFTEN):
        paths["rollout_id"] = data.draw(st.sampled_from(rollouts))
        paths |= {"gate_id": "gate"} if "gate_id" in paths else {}
    if isinstance(case.body, dict):
        sensible = {name: value for name, value in SENSIBLE.items() if name in case.body and data.draw(OFTEN)}
        case.body |= sensible
        if "digest" in sensible and "gate_id" in paths:
            shown = api.get(person, f"/rollouts/{quote(paths['rollout_id'])}/gates/gate").json()
            case.body["digest"] = shown.get("digest", SENSIBLE["digest"])


def test_nothing_that_is_sent_is_answered_by_a_failure_or_by_what_is_not_described(api: Api) -> None:
    statuses: dict[str, set[int]] = {}
    for operation in operations(api):
        rollouts, seen = begin(api), statuses.setdefault(operation.label, set())

        @settings(max_examples=CALLS, deadline=None, database=None, derandomize=True, phases=[Phase.generate],
                  suppress_health_check=list(HealthCheck))  # fmt: skip
        @given(case=cases(operation), person=st.sampled_from([REQUESTER, ANNA, BEN, ADMIN]), data=st.data())
        def call(case: Any, person: str, data: st.DataObject) -> None:
            aim(api, data, case, rollouts, person)  # noqa: B023 - called before the loop goes on
            answer = case.call(headers=api.headers(person))
            case.validate_response(answer, checks=CHECKS)
            seen.add(int(answer.status_code))  # noqa: B023

        call()
    done = [label for label, found in statuses.items() if min(found) < 300]
    assert len(done) > len(statuses) / 3, statuses  # else it would only have tested refusals
