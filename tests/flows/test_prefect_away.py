"""Prefect being down, and having nothing to do: decisions go on, all is made up for, and nobody is asked busily."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import pairwise

import httpx
import pytest

from models.checks import checks_newest_first
from tests.flows.conftest import Etappe, Relay, eventually
from tests.ports import free_port
from tests.sample_plans import ROLES, SIGN_OFF

TWO_STAGES = f"""
plan: two-stages
title: Two stages
{ROLES}
stages:
  - id: first
    title: First
    gates: [{{id: sign-off, title: Sign-off, {SIGN_OFF}, quorum: any}}]
  - id: second
    title: Second
    gates: [{{id: money, title: Money, kind: sign-off, question: "Shall we?", approvers: [finance]}}]
"""


class Cable:
    """The way to Prefect's server, which can be cut and mended."""

    def __init__(self, server: int) -> None:
        self.port = free_port()
        self._server = server
        self._open: list[socket.socket] = []
        self._listener: socket.socket | None = None

    def mend(self) -> None:
        """Let connections pass."""
        self._listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def cut(self) -> None:
        """Refuse connections, and break those there are."""
        ends = [*([self._listener] if self._listener else []), *self._open]
        self._open.clear()
        for end in ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                near, _ = listener.accept()
                far = socket.create_connection(("127.0.0.1", self._server))
                self._open += [near, far]
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=self._pass_on, args=(one, other), daemon=True).start()

    def _pass_on(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while received := one.recv(65536):
                other.sendall(received)
            other.shutdown(socket.SHUT_WR)


@pytest.fixture
def cable(etappe: Etappe, prefect_port: int) -> Iterator[Cable]:
    """The only way by which a relay finds Prefect."""
    cable = Cable(prefect_port)
    cable.mend()
    relay = Relay(etappe.installation, f"http://127.0.0.1:{cable.port}/api")
    with etappe.relay.paused():
        relay.start()
        yield cable
        relay.stop()
    cable.cut()


def test_decisions_go_on_while_prefect_is_down_and_it_catches_up(etappe: Etappe, cable: Cable) -> None:
    rollout_id, flow_run_id = etappe.start(TWO_STAGES)
    cable.cut()
    etappe.decides(rollout_id, "anna@example.com")
    asked = [message.recipient for message in etappe.messages(rollout_id) if message.topic == "request"]
    assert "dora@example.com" in asked
    assert etappe.bars(flow_run_id) == {"Stage: First": "Waiting", "Gate: Sign-off (0 of 1)": "Waiting"}
    cable.mend()
    eventually(lambda: etappe.bars(flow_run_id).get("Gate: Money (0 of 1)") == "Waiting", "the next gate")
    cable.cut()
    etappe.decides(rollout_id, "dora@example.com")
    assert etappe.rollout(rollout_id)["state"] == "completed"
    assert etappe.flow_run(flow_run_id)["state_name"] == "Suspended"
    cable.mend()
    etappe.until(flow_run_id, "Completed")
    eventually(lambda: set(etappe.bars(flow_run_id).values()) == {"Passed"}, "all bars")
    assert len(etappe.bars(flow_run_id)) == 4
    assert len(etappe.tables(flow_run_id)) == 1
    assert {run["run_count"] for run in etappe.task_runs(flow_run_id)} == {1}


def test_a_relay_without_anything_to_do_asks_prefect_about_once_in_five_seconds(
    etappe: Etappe, monkeypatch: pytest.MonkeyPatch
) -> None:
    from worker import follower
    from worker.post import now

    etappe.start(TWO_STAGES)
    asked: list[str] = []
    send = httpx.Client.send

    def counted(self: httpx.Client, request: httpx.Request, *more: object, **named: object) -> httpx.Response:
        asked.append(str(request.url))
        return send(self, request, *more, **named)  # type: ignore[arg-type]

    with etappe.relay.paused():
        moment = [now()]
        following = follower.Follower(etappe.installation, clock=lambda: moment[0])
        following.follow()
        monkeypatch.setattr(httpx.Client, "send", counted)
        for _ in range(60):
            moment[0] += timedelta(seconds=0.5)
            following.follow()
        monkeypatch.undo()
        following.close()
    assert len(asked) <= 6


def test_painting_what_has_not_changed_writes_nothing(etappe: Etappe) -> None:
    from models.changes import Changes
    from operations.attach_flow_run import paint_again
    from worker.follower import Follower

    rollout_id, flow_run_id = etappe.start(TWO_STAGES)
    with etappe.relay.paused():
        following = Follower(etappe.installation)
        following.follow()
        etappe.force(flow_run_id, "RUNNING")
        paint_again(etappe.installation.db, rollout_id)
        following.follow()
        with Changes(etappe.installation.db) as changes:
            changes.wait(0)
            for _ in range(3):
                following.follow()
            assert not changes.wait(0)
        following.close()
        etappe.force(flow_run_id, "CRASHED")
    etappe.until(flow_run_id, "Suspended")


def test_the_check_is_scheduled_every_quarter_of_an_hour_and_does_its_work(etappe: Etappe) -> None:
    deployment = etappe.deployment("check-stalled/scheduled")
    [schedule] = deployment["schedules"]
    assert (schedule["active"], schedule["schedule"]["interval"]) == (True, 900.0)
    its_own = {"deployments": {"id": {"any_": [deployment["id"]]}}}
    by_schedule = eventually(
        lambda: [run for run in etappe.post("flow_runs/filter", **its_own) if run["auto_scheduled"]],
        "the runs that Prefect's server makes of the schedule",
    )
    times = sorted(datetime.fromisoformat(run["expected_start_time"]) for run in by_schedule)
    assert {later - earlier for earlier, later in pairwise(times)} == {timedelta(minutes=15)}
    before = checks(etappe)
    run = etappe.post(f"deployments/{deployment['id']}/create_flow_run")
    assert etappe.until(run["id"], "Completed")["name"] == "Check what has stalled"
    assert checks(etappe) == before + 1


def checks(etappe: Etappe) -> int:
    with etappe.installation.db.read() as session:
        finished = [check for check in session.scalars(checks_newest_first()) if check.finished_at]
    return len(finished)
