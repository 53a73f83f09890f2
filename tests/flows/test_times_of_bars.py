"""A bar in Prefect begins when its gate or stage was opened and ends when that was settled, whenever it was painted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from domain import links
from models.gates import GateRow
from models.rollouts import StageRow
from operations.record_decision import DecisionForm, record_decision
from operations.show_request import show_request
from operations.start_rollout import Start, start_rollout
from plans.reading import read_plan
from tests.company import REQUESTER
from tests.flows.conftest import Etappe, eventually
from tests.flows.test_prefect_away import TWO_STAGES, Cable, cable
from tests.sample_plans import SIGN_OFF, one_gate

__all__ = ["cable"]
ANNA, BEN = "anna@example.com", "ben@example.com"
Span = tuple[datetime, datetime | None]


def test_it_spans_the_wait_as_the_database_has_it(etappe: Etappe) -> None:
    rollout_id, flow_run_id = etappe.start(TWO_STAGES)
    etappe.decides(rollout_id, ANNA)
    etappe.shown(rollout_id)
    assert drawn(etappe, flow_run_id) == remembered(etappe, rollout_id)


def test_it_spans_the_wait_though_it_was_painted_days_after(etappe: Etappe) -> None:
    began = datetime.now(UTC) - timedelta(days=5)
    with etappe.relay.paused():
        start = Start(read_plan(TWO_STAGES, "plan.yaml"), TWO_STAGES, "Late", REQUESTER, channel="command")
        rollout_id = start_rollout(etappe.installation.db, etappe.installation.keys, start, began)
        decides(etappe, rollout_id, ANNA, began + timedelta(days=2))
    flow_run_id = etappe.shown(rollout_id)
    spans = drawn(etappe, flow_run_id)
    assert spans == {
        "Stage: First": (began, began + timedelta(days=2)),
        "Gate: Sign-off (1 of 1)": (began, began + timedelta(days=2)),
        "Stage: Second": (began + timedelta(days=2), None),
        "Gate: Money (0 of 1)": (began + timedelta(days=2), None),
    }
    assert spans == remembered(etappe, rollout_id)
    took = {run["name"]: run["total_run_time"] for run in etappe.task_runs(flow_run_id) if run["end_time"]}
    assert set(took.values()) == {timedelta(days=2).total_seconds()}
    open_for = {run["estimated_run_time"] for run in etappe.task_runs(flow_run_id) if not run["end_time"]}
    assert all(abs(seconds - timedelta(days=3).total_seconds()) < 120 for seconds in open_for)


def test_it_ends_at_the_decision_though_prefect_was_away_then(etappe: Etappe, cable: Cable) -> None:
    rollout_id, flow_run_id = etappe.start(TWO_STAGES)
    cable.cut()
    etappe.decides(rollout_id, ANNA)
    eventually(lambda: datetime.now(UTC) - settled_at(etappe, rollout_id) > timedelta(seconds=3), "some time passing")
    cable.mend()
    etappe.shown(rollout_id)
    assert drawn(etappe, flow_run_id) == remembered(etappe, rollout_id)


def test_its_state_is_of_the_time_of_the_decision_that_it_tells_of(etappe: Etappe) -> None:
    rollout_id, flow_run_id = etappe.start(one_gate(f"{SIGN_OFF}, quorum: 2"))
    moment = datetime.now(UTC) + timedelta(milliseconds=1)
    with etappe.relay.paused():
        decides(etappe, rollout_id, ANNA, moment)
    etappe.shown(rollout_id)
    [run] = [run for run in etappe.task_runs(flow_run_id) if run["name"] == "Gate: The gate (1 of 2)"]
    assert (run["state_name"], datetime.fromisoformat(run["state"]["timestamp"])) == ("Waiting", moment)


def test_it_is_painted_though_a_clock_was_set_back(etappe: Etappe) -> None:
    """Prefect keeps the newer one of two states; the gate was opened after it was decided, by these clocks."""
    rollout_id, flow_run_id = etappe.start(one_gate(f"{SIGN_OFF}, quorum: any"))
    earlier = datetime.now(UTC) - timedelta(hours=1)
    with etappe.relay.paused():
        decides(etappe, rollout_id, ANNA, earlier)
    etappe.shown(rollout_id)
    assert etappe.bars(flow_run_id) == {"Stage: Only stage": "Passed", "Gate: The gate (1 of 1)": "Passed"}
    assert {end for _, end in drawn(etappe, flow_run_id).values()} == {earlier}


def test_one_that_was_set_by_hand_shows_the_next_decision_all_the_same(etappe: Etappe) -> None:
    rollout_id, flow_run_id = etappe.start(one_gate(f"{SIGN_OFF}, quorum: 2"))
    for run in etappe.task_runs(flow_run_id):
        state = {"type": "FAILED", "name": "By hand"}
        etappe.api.post(f"task_runs/{run['id']}/set_state", json={"state": state, "force": True}).raise_for_status()
    etappe.decides(rollout_id, ANNA)
    etappe.shown(rollout_id)
    assert etappe.bars(flow_run_id)["Gate: The gate (1 of 2)"] == "Waiting"
    etappe.decides(rollout_id, BEN)
    etappe.shown(rollout_id)
    assert set(etappe.bars(flow_run_id).values()) == {"Passed"}


def test_one_that_was_deleted_comes_back_with_the_next_decision(etappe: Etappe) -> None:
    rollout_id, flow_run_id = etappe.start(one_gate(f"{SIGN_OFF}, quorum: 2"))
    for run in etappe.task_runs(flow_run_id):
        etappe.api.delete(f"task_runs/{run['id']}").raise_for_status()
    etappe.decides(rollout_id, ANNA)
    etappe.shown(rollout_id)
    assert etappe.bars(flow_run_id) == {"Gate: The gate (1 of 2)": "Waiting"}
    assert (
        drawn(etappe, flow_run_id).items()
        <= {name: span for name, span in remembered(etappe, rollout_id).items() if name.startswith("Gate")}.items()
    )


def test_a_relay_that_was_killed_before_it_noted_what_it_had_painted_paints_no_bar_twice(
    etappe: Etappe, monkeypatch: pytest.MonkeyPatch
) -> None:
    from worker import painter
    from worker.follower import Follower

    with etappe.relay.paused():
        start = Start(read_plan(TWO_STAGES, "plan.yaml"), TWO_STAGES, "Killed", REQUESTER, channel="command")
        here = etappe.installation
        rollout_id = start_rollout(here.db, here.keys, start, datetime.now(UTC))
        monkeypatch.setattr(painter, "note_painted", killed)
        following = Follower(here)
        with pytest.raises(Killed):
            following.follow()
        following.close()
        monkeypatch.undo()
        assert etappe.row(rollout_id).painted < etappe.row(rollout_id).sequence
    flow_run_id = etappe.shown(rollout_id)
    assert len(etappe.task_runs(flow_run_id)) == 2
    assert drawn(etappe, flow_run_id) == remembered(etappe, rollout_id)


def test_a_bar_of_a_flow_run_that_is_gone_keeps_none_of_the_others_from_being_shown(etappe: Etappe) -> None:
    from prefect.states import Running

    from worker.bars import DrawnBar, not_shown, send

    _, flow_run_id = etappe.start(one_gate(SIGN_OFF))
    now = datetime.now(UTC)

    def bar(of: str) -> DrawnBar:
        return DrawnBar(uuid4(), of, "stage_bar", str(uuid4()), "A bar", Running(), now, None, now)

    bars = [bar(flow_run_id), bar(str(uuid4())), bar(flow_run_id)]
    with etappe.client() as client:
        send(client, bars)
        eventually(lambda: not _missing(etappe, [bars[0].task_run_id, bars[2].task_run_id]), "the others", 10)
        assert not_shown(client, [bars[0], bars[2]]) == set()
    assert _missing(etappe, [bars[1].task_run_id]) == {bars[1].task_run_id}


class Killed(BaseException):
    """The end of a relay."""


def killed(*_: object) -> None:
    raise Killed


def _missing(etappe: Etappe, ids: list[UUID]) -> set[UUID]:
    found = etappe.post("task_runs/filter", task_runs={"id": {"any_": [str(one) for one in ids]}})
    return set(ids) - {UUID(run["id"]) for run in found}


def decides(etappe: Etappe, rollout_id: str, person: str, at: datetime) -> None:
    """Let a person approve at this moment."""
    [request] = etappe.open_requests(rollout_id, person)
    here = etappe.installation
    token = links.link_token(here.keys[0], request.id, request.link_number)
    code = links.code(here.keys[0], request.id, request.link_number)
    form = DecisionForm("approve", code, show_request(here.db, token, at).digest)
    record_decision(here.db, here.keys, token, form, at)


def drawn(etappe: Etappe, flow_run_id: str) -> dict[str, Span]:
    """From when to when Prefect's page draws each bar."""
    graph: dict[str, Any] = etappe.api.get(f"flow_runs/{flow_run_id}/graph-v2").raise_for_status().json()
    bars = {run["id"] for run in etappe.task_runs(flow_run_id)}
    nodes = [node for _, node in graph["nodes"] if node["id"] in bars]
    return {node["label"]: (moment(node["start_time"]), end(node["end_time"])) for node in nodes}


def remembered(etappe: Etappe, rollout_id: str) -> dict[str, Span]:
    """From when to when each stage and gate was open, under the names of its bars."""
    from worker.prefect_page import bars_as_drawn

    wanted = chart_of(etappe, rollout_id)
    with etappe.installation.db.read() as session:
        stages = session.scalars(select(StageRow).where(StageRow.rollout_id == rollout_id))
        gates = session.scalars(select(GateRow).where(GateRow.rollout_id == rollout_id))
        spans: dict[tuple[str, int], tuple[datetime | None, datetime | None]] = {
            **{("stage", stage.id): (stage.opened_at, stage.closed_at) for stage in stages},
            **{("gate", gate.id): (gate.opened_at, gate.settled_at) for gate in gates},
        }
    return {bar.name: spans[bar.subject, bar.subject_id] for bar in bars_as_drawn(wanted)}  # type: ignore[misc]


def chart_of(etappe: Etappe, rollout_id: str) -> Any:
    """What Prefect's page should show."""
    from operations.chart import chart

    return chart(etappe.installation.db, rollout_id, datetime.now(UTC))


def settled_at(etappe: Etappe, rollout_id: str) -> datetime:
    """When the first gate was settled."""
    with etappe.installation.db.read() as session:
        gates = session.scalars(select(GateRow).where(GateRow.rollout_id == rollout_id))
        return min(gate.settled_at for gate in gates if gate.settled_at)


def moment(written: str) -> datetime:
    """A moment as Prefect's API writes it."""
    return datetime.fromisoformat(written)


def end(written: str | None) -> datetime | None:
    """The end of a bar, None while it goes on."""
    return moment(written) if written else None
