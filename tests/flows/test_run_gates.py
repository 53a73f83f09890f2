"""Gates that start a flow run, with a real Prefect and a real worker: once, and followed for as long as it is wanted.

Some flow runs are started in a work pool that no worker serves, so that they stay as they are for as long as needed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cli.checkup import check_up
from operations.cancel_rollout import cancel_rollout
from operations.change_inputs import change_inputs
from operations.check_stalled import check_stalled
from operations.restart_run import restart_run
from operations.resume_rollout import resume_rollout
from operations.run_gates import runs_to_follow, wanted_run
from operations.workspace import Actor
from settings import CHECKOUT
from tests.company import REQUESTER
from tests.flows.conftest import Etappe, eventually
from tests.sample_plans import ROLES
from worker.prefect_facts import PrefectFacts

LEA = Actor(REQUESTER, "command")
ANNA = "anna@example.com"
NOBODYS_POOL = "nobody-works-here"


def waves(
    deployment: str = "shift-traffic/sample", parameters: str = "{release: {input: release}, percent: 10}"
) -> str:
    """A plan whose first stage starts a flow run, and whose second stage asks the board."""
    return f"""
plan: waves
title: Waves
{ROLES}
inputs:
  release: {{kind: text}}
  fail: {{kind: yes-no}}
  hosts: {{kind: text}}
stages:
  - id: first
    title: First
    gates: [{{id: shift, title: Shift, kind: run, deployment: {deployment}, parameters: {parameters}}}]
  - id: second
    title: Second
    gates: [{{id: look, title: Look, kind: sign-off, question: "All well?", approvers: [board], quorum: any}}]
"""


@pytest.fixture(scope="session")
def deploy(etappe: Etappe) -> Callable[..., str]:
    """Deploy the sleeper under a name; in a work pool that nobody serves, unless it is to be executed."""
    from prefect.client.schemas.actions import WorkPoolCreate
    from prefect.exceptions import ObjectAlreadyExists
    from prefect.utilities.callables import parameter_schema

    from tests.flows.sample_flows import sleeper

    def deploy(name: str, *, executed: bool = False) -> str:
        with etappe.client() as client:
            with suppress(ObjectAlreadyExists):
                client.create_work_pool(WorkPoolCreate(name=NOBODYS_POOL, type="process"))
            client.create_deployment(
                client.create_flow(sleeper),
                name,
                work_pool_name="etappe" if executed else NOBODYS_POOL,
                entrypoint="tests/flows/sample_flows.py:sleeper",
                pull_steps=[{"prefect.deployments.steps.set_working_directory": {"directory": str(CHECKOUT)}}],
                job_variables={"working_dir": str(CHECKOUT)},
                parameter_openapi_schema=parameter_schema(sleeper).model_dump(),
                enforce_parameter_schema=True,
            )
        return f"sleeper/{name}"

    return deploy


def gate(etappe: Etappe, rollout_id: str, key: str = "shift") -> dict[str, Any]:
    gates = [gate for stage in etappe.rollout(rollout_id)["stages"] for gate in stage["gates"]]
    return next(gate for gate in gates if gate["id"] == key)


def is_settled(etappe: Etappe, rollout_id: str) -> dict[str, Any]:
    """Wait until the gate of the first stage is settled."""

    def settled() -> dict[str, Any] | None:
        now = gate(etappe, rollout_id)
        return now if now["state"] not in ("waiting", "open") else None

    return dict(eventually(settled, "the gate being settled"))


def runs(etappe: Etappe, rollout_id: str) -> list[dict[str, Any]]:
    """Every flow run that was ever created for the rollout's gates, oldest first."""
    found = etappe.post("flow_runs/filter", sort="START_TIME_ASC", limit=200)
    ours = [run for run in found if (run["idempotency_key"] or "").startswith(f"etappe-{rollout_id}-")]
    return sorted(ours, key=lambda run: str(run["created"]))


def the_run(etappe: Etappe, rollout_id: str, number: int = 1) -> dict[str, Any]:
    """Wait until so many flow runs were created for the gates, and return the last one."""

    def created() -> dict[str, Any] | None:
        found = runs(etappe, rollout_id)
        return found[-1] if len(found) == number else None

    return dict(eventually(created, f"flow run number {number}"))


def actions(etappe: Etappe, rollout_id: str) -> list[str]:
    from models.record import entries_of

    with etappe.installation.db.read() as session:
        return [entry.action for entry in session.scalars(entries_of(rollout_id))]


def headlines(etappe: Etappe, rollout_id: str) -> list[str]:
    from domain.reasons import Reason

    told = [message for message in etappe.messages(rollout_id) if message.topic == "information"]
    return [str(Reason.from_json(message.facts["headline"])) for message in told]


def cancel(etappe: Etappe, rollout_id: str) -> None:
    here = etappe.installation
    cancel_rollout(here.db, here.keys, rollout_id, "no longer wanted", LEA, datetime.now(UTC))


def create_as_before_a_crash(etappe: Etappe, rollout_id: str) -> str:
    """Have Prefect create the flow run of the open gate, and note nothing; return its id."""
    from tasks import run_gates

    here = etappe.installation
    [run] = [run for run in runs_to_follow(here.db) if run.rollout_id == rollout_id]
    with etappe.client() as client:
        return str(run_gates.create(client, run, wanted_run(here.db, run.gate_id, datetime.now(UTC))).id)


def test_completed_passes_the_gate_and_the_next_stage_opens(etappe: Etappe) -> None:
    rollout_id, _ = etappe.start(waves(), title="Release 2.4", inputs={"release": "2.4.0"})
    assert etappe.open_requests(rollout_id, ANNA) == []
    run = the_run(etappe, rollout_id)
    assert (run["name"], run["parameters"]) == ("Release 2.4: Shift", {"release": "2.4.0", "percent": 10})
    assert is_settled(etappe, rollout_id)["state"] == "passed"
    assert etappe.flow_run(run["id"])["state_type"] == "COMPLETED"
    etappe.decides(rollout_id, ANNA)
    assert etappe.rollout(rollout_id)["state"] == "completed"
    assert len(runs(etappe, rollout_id)) == 1
    assert actions(etappe, rollout_id).count("run.started") == 1


def test_prefects_page_leads_to_the_flow_run_and_says_how_it_is(etappe: Etappe, deploy: Callable[..., str]) -> None:
    rollout_id, flow_run_id = etappe.start(waves(deploy("linked"), "{}"), title="Linked [1]")
    run = the_run(etappe, rollout_id)
    [bar] = [one for one in etappe.task_runs(flow_run_id) if one["name"] == "Gate: Shift"]

    def link() -> str:
        found = [one["description"] for one in etappe.tables(flow_run_id) if one["task_run_id"] == bar["id"]]
        return str(found[0]) if found else ""

    address = f"/runs/flow-run/{run['id']}"
    eventually(lambda: link().startswith("[Linked (1): Shift](http://127.0.0.1:"), "the link at the bar")
    assert link().endswith(f"{address}): waits for its turn")
    row = json.loads(next(one["data"] for one in etappe.tables(flow_run_id) if one["type"] == "table"))[0]
    assert row["State"] == "waits for its turn"
    assert row["Waiting for"].startswith("The flow run “Linked [1]: Shift” waits in Prefect for its turn. [flow run](")
    assert address in row["Waiting for"]
    etappe.post(f"flow_runs/{run['id']}/set_state", state={"type": "COMPLETED"}, force=True)
    eventually(lambda: link().endswith("): completed"), "its end being painted")
    eventually(lambda: etappe.bars(flow_run_id).get("Gate: Shift") == "Passed", "the bar")
    [table, _] = sorted(etappe.tables(flow_run_id), key=lambda one: str(one["type"]), reverse=True)
    assert address in json.loads(table["data"])[0]["Decided"]
    assert len(etappe.tables(flow_run_id)) == 2
    cancel(etappe, rollout_id)


def test_a_crash_between_creating_and_noting_starts_nothing_twice(etappe: Etappe) -> None:
    with etappe.relay.paused():
        rollout_id = started_while_away(etappe, waves(), inputs={"release": "2.4.1"})
        created = {create_as_before_a_crash(etappe, rollout_id) for _ in range(2)}
    assert is_settled(etappe, rollout_id)["state"] == "passed"
    assert {run["id"] for run in runs(etappe, rollout_id)} == created
    assert len(created) == 1


def test_what_was_created_before_a_crash_is_cancelled_when_its_gate_is_gone(
    etappe: Etappe, deploy: Callable[..., str]
) -> None:
    deployment = deploy("crash")
    with etappe.relay.paused():
        rollout_id = started_while_away(etappe, waves(deployment, "{}"))
        created = create_as_before_a_crash(etappe, rollout_id)
        cancel(etappe, rollout_id)
        assert etappe.flow_run(created)["state_type"] == "SCHEDULED"
    etappe.until(created, "Cancelled")
    eventually(lambda: not followed(etappe, rollout_id), "nothing being left to follow")
    assert "run.cancelled" in actions(etappe, rollout_id)


def test_a_failure_puts_the_stage_on_hold_and_resuming_starts_another_one(etappe: Etappe) -> None:
    parameters = "{release: {input: release}, percent: 20, fail: {input: fail}}"
    rollout_id, _ = etappe.start(waves(parameters=parameters), inputs={"release": "2.4.2", "fail": True})
    settled = is_settled(etappe, rollout_id)
    first = the_run(etappe, rollout_id)
    assert (settled["state"], settled["outcome"]) == ("rejected", "hold")
    assert first["parameters"]["fail"] is True
    assert "On hold: “First”" in headlines(etappe, rollout_id)
    here = etappe.installation
    change_inputs(here.db, here.keys, rollout_id, {"fail": "no"}, "it answers again", LEA, datetime.now(UTC))
    resume_rollout(here.db, here.keys, rollout_id, "it answers again", LEA, datetime.now(UTC))
    second = the_run(etappe, rollout_id, 2)
    assert second["idempotency_key"] == f"etappe-{rollout_id}-shift-2"
    assert second["parameters"]["fail"] is False
    assert is_settled(etappe, rollout_id)["state"] == "passed"
    assert etappe.flow_run(first["id"])["state_type"] == "FAILED"


def test_one_that_hangs_is_cancelled_and_started_anew(etappe: Etappe, deploy: Callable[..., str]) -> None:
    rollout_id, _ = etappe.start(waves(deploy("hangs"), "{}"))
    first = the_run(etappe, rollout_id)
    here = etappe.installation
    restart_run(here.db, here.keys, rollout_id, "shift", "nobody works there", LEA, datetime.now(UTC))
    etappe.until(first["id"], "Cancelled")
    second = the_run(etappe, rollout_id, 2)
    assert second["state_type"] == "SCHEDULED"
    assert (gate(etappe, rollout_id)["state"], gate(etappe, rollout_id)["round"]) == ("open", 2)
    cancel(etappe, rollout_id)
    etappe.until(second["id"], "Cancelled")


def test_the_next_one_waits_a_moment_for_the_one_before_to_end(etappe: Etappe, deploy: Callable[..., str]) -> None:
    from tasks import run_gates

    here = etappe.installation
    rollout_id, _ = etappe.start(waves(deploy("ends-slowly"), "{}"))
    first = the_run(etappe, rollout_id)["id"]
    eventually(lambda: followed(etappe, rollout_id), "its being noted")
    with etappe.relay.paused(), etappe.client() as client:
        etappe.force(first, "RUNNING")
        restart_run(here.db, here.keys, rollout_id, "shift", "it hangs", LEA, datetime.now(UTC))
        for _ in range(2):
            run_gates.follow(client, here, datetime.now(UTC), look=False)
            assert etappe.flow_run(first)["state_name"] == "Cancelling"
            assert len(runs(etappe, rollout_id)) == 1
        run_gates.follow(client, here, datetime.now(UTC) + run_gates.GRACE, look=False)
        assert len(runs(etappe, rollout_id)) == 2
        etappe.force(first, "CANCELLED")
    cancel(etappe, rollout_id)


def test_another_rollout_waits_for_what_the_one_before_still_uses(etappe: Etappe, deploy: Callable[..., str]) -> None:
    from tasks import run_gates

    here = etappe.installation
    alone = waves(deploy("alone"), "{}").replace("title: First\n", "title: First\n    exclusive: staging\n")
    before, _ = etappe.start(alone)
    first = the_run(etappe, before)["id"]
    after, _ = etappe.start(alone)
    eventually(lambda: followed(etappe, before), "its being noted")
    with etappe.relay.paused(), etappe.client() as client:
        etappe.force(first, "RUNNING")
        cancel(etappe, before)
        check_stalled(here.db, here.keys, datetime.now(UTC))
        assert gate(etappe, after)["state"] == "open"
        run_gates.follow(client, here, datetime.now(UTC), look=False)
        assert runs(etappe, after) == []
        etappe.force(first, "CANCELLED")
        run_gates.follow(client, here, datetime.now(UTC), look=False)
        assert len(runs(etappe, after)) == 1
    cancel(etappe, after)


def test_the_doctor_names_deployments_that_plans_start_and_prefect_does_not_have(
    etappe: Etappe, plan: Callable[[str, str], str], prefect: str, home: Path
) -> None:
    plan("waves", waves("sleeper/never-deployed", "{}"))
    found = check_up(etappe.installation.settings, PrefectFacts(prefect.rstrip("/")))
    [warning] = [one for one in found if one.check == "flow runs"]
    assert "the plan waves starts sleeper/never-deployed" in warning.sentence
    (home / "plans" / "waves.yaml").unlink()


def test_it_is_cancelled_with_the_rollout_while_it_runs(etappe: Etappe, deploy: Callable[..., str]) -> None:
    rollout_id, _ = etappe.start(waves(deploy("long", executed=True), "{seconds: 600}"))
    run = the_run(etappe, rollout_id)
    etappe.until(run["id"], "Running")
    cancel(etappe, rollout_id)
    etappe.until(run["id"], "Cancelled")
    eventually(lambda: not followed(etappe, rollout_id), "its end being recorded")
    assert gate(etappe, rollout_id)["state"] == "withdrawn"
    assert "Cancelled: the flow run “By command: Shift”" in headlines(etappe, rollout_id)


def test_cancelled_in_prefect_is_a_no(etappe: Etappe, deploy: Callable[..., str]) -> None:
    rollout_id, _ = etappe.start(waves(deploy("cancelled"), "{}"))
    run = the_run(etappe, rollout_id)
    etappe.post(f"flow_runs/{run['id']}/set_state", state={"type": "CANCELLING", "name": "Cancelling"})
    assert is_settled(etappe, rollout_id)["state"] == "rejected"
    assert etappe.rollout(rollout_id)["state"] == "held"


def test_an_unknown_deployment_is_said_once_and_started_when_it_is_there(
    etappe: Etappe, deploy: Callable[..., str]
) -> None:
    rollout_id, _ = etappe.start(waves("sleeper/comes-later", "{}"))
    eventually(lambda: gate(etappe, rollout_id)["problem"], "the problem")
    assert "no deployment “sleeper/comes-later”" in gate(etappe, rollout_id)["problem"]
    deploy("comes-later", executed=True)
    assert is_settled(etappe, rollout_id)["state"] == "passed"
    assert headlines(etappe, rollout_id).count("The flow run of “Shift” does not go on") == 1
    assert gate(etappe, rollout_id)["problem"] is None


def test_a_deleted_flow_run_is_said_and_nothing_is_started_instead(etappe: Etappe, deploy: Callable[..., str]) -> None:
    rollout_id, _ = etappe.start(waves(deploy("deleted"), "{}"))
    run = the_run(etappe, rollout_id)
    eventually(lambda: followed(etappe, rollout_id), "its being noted")
    etappe.api.delete(f"flow_runs/{run['id']}").raise_for_status()
    eventually(lambda: gate(etappe, rollout_id)["problem"], "the problem")
    assert "was deleted in Prefect" in gate(etappe, rollout_id)["problem"]
    assert (gate(etappe, rollout_id)["state"], runs(etappe, rollout_id)) == ("open", [])
    here = etappe.installation
    restart_run(here.db, here.keys, rollout_id, "shift", "start it anew", LEA, datetime.now(UTC))
    assert the_run(etappe, rollout_id)["idempotency_key"] == f"etappe-{rollout_id}-shift-2"
    cancel(etappe, rollout_id)


def test_texts_and_inputs_arrive_in_the_types_of_the_parameters(etappe: Etappe, deploy: Callable[..., str]) -> None:
    parameters = "{seconds: 0.5, hosts: {input: hosts}, careful: {input: fail}, note: 007}"
    source = waves(deploy("typed"), parameters)
    rollout_id, _ = etappe.start(source, inputs={"hosts": "a.example.com, b.example.com", "fail": "yes"})
    assert the_run(etappe, rollout_id)["parameters"] == {
        "seconds": 0.5,
        "hosts": ["a.example.com", "b.example.com"],
        "careful": True,
        "note": "007",
    }
    cancel(etappe, rollout_id)


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ("{release: a, percent: ten}", "“percent” takes a whole number; “ten” is none"),
        ("{release: a, percent: 150}", "Prefect refuses to start “shift-traffic/sample”: .*100"),
        ("{release: a, percnt: 10}", "no parameter “percnt”"),
        ("{release: a}", "needs the parameter “percent”"),
        ("{release: {input: release}, percent: 10}", "needs the parameter “release”"),
    ],
)
def test_what_does_not_fit_is_said_and_nothing_is_started(etappe: Etappe, parameters: str, words: str) -> None:
    rollout_id, _ = etappe.start(waves(parameters=parameters))
    problem = str(eventually(lambda: gate(etappe, rollout_id)["problem"], "the problem"))
    assert re.search(words, problem), problem
    assert runs(etappe, rollout_id) == []
    cancel(etappe, rollout_id)


def followed(etappe: Etappe, rollout_id: str) -> list[str]:
    """The flow runs of a rollout's gates that are noted, and may still come to something."""
    found = runs_to_follow(etappe.installation.db)
    return [run.flow_run_id for run in found if run.rollout_id == rollout_id and run.flow_run_id]


def started_while_away(etappe: Etappe, source: str, **more: Any) -> str:
    """Start a rollout that Prefect does not hear of yet; return its id."""
    from operations.start_rollout import Start, start_rollout
    from plans.reading import read_plan

    start = Start(read_plan(source, "plan.yaml"), source, "While away", REQUESTER, channel="command", **more)
    here = etappe.installation
    return start_rollout(here.db, here.keys, start, datetime.now(UTC))
