"""From a start to the first person's mail: by API, by verb, by command and by Prefect; one at a time, and 200 at once.

Starts Etappe as `etappe start` does, its warm worker included, in a temporary home. A rollout of three stages is
started, and a mail server of this script's notes when it has taken the mail that asks the first person. By API: posts
of 16 clients with a token. By verb: calls of `start_rollout` one after the other in this process, which is what
`etappe rollout start` does once it is imported; that command starts one rollout in each process, so there is no burst
of it. By Prefect: flow runs of the deployment, made by Prefect's API as its form does; each runs in a process that the
worker forks, and one at a time means that none is at work. The raw limit in the same run: one committed row and one
mail over a kept connection. The first start by each way is not counted: the web page and the worker get ready then.
Run: python benchmarks/starts.py [one at a time] [at once] [sqlite or postgresql] [--write]
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.kit import posting
from benchmarks.kit.etappe import PLAN_NAME, Running, on_each_database, until
from benchmarks.kit.posting import Line, post_all
from benchmarks.kit.report import Report, Table, numbers, reporting
from operations.tokens import make_token
from settings import CHECKOUT
from tests.company import REQUESTER

CLIENTS = 16
COMMANDS = 5
CREATED = 201
AT_WORK = ["SCHEDULED", "PENDING", "RUNNING"]
WARM_UP = 1
ENDING_SECONDS = 3
"""For the processes of flow runs that have suspended themselves to end; else they would be said to have crashed."""
TITLES = ("all started in", "all mails in", "mails per s", "× limit", "client CPU")


@dataclass(frozen=True)
class Started:
    """When the first start of many began, and the last of them was answered; what the client used of a core."""

    began: float
    ended: float
    client_share: str = "–"


def main() -> None:
    """Measure both databases."""
    single, burst = numbers(9, 200)
    with reporting(__file__, __doc__) as report:
        on_each_database(partial(_measure, report, single, burst), worker=True)


def _measure(report: Report, single: int, burst: int, kind: str, etappe: Running) -> None:
    by_api = _by_api(etappe)
    by_prefect = _by_prefect(etappe)
    spans = report.spans(f"{kind}: until the first mail, one at a time")
    limit = spans.row(f"{kind}: one commit and one mail", etappe.one_commit_and_one_mail(20 * single))
    ways: dict[str, tuple[int, Callable[[], object]]] = {
        "by API": (single, lambda: _ask(etappe.layout.web_port, by_api)),
        "by verb": (single, etappe.start),
        "by command": (min(single, COMMANDS), lambda: _command(etappe)),
        "by Prefect": (single, lambda: _ask(etappe.layout.prefect_port, by_prefect)),
    }
    for way, (count, start) in ways.items():
        took = [_one(etappe, start) for _ in range(WARM_UP + count)]
        spans.row(f"{kind}: {way}", took[WARM_UP:], limit)
    table = report.table(f"{kind}: {burst} at once", *TITLES)
    bursts: dict[str, Callable[[], Started]] = {
        "by API": lambda: _post(etappe.layout.web_port, by_api, burst),
        "by verb": lambda: _call(etappe, burst),
        "by Prefect": lambda: _post(etappe.layout.prefect_port, by_prefect, burst),
    }
    for way, start_all in bursts.items():
        _burst(table, way, etappe, burst, limit.median, start_all)
    _until_idle(etappe)
    time.sleep(ENDING_SECONDS)


def _by_api(etappe: Running) -> bytes:
    """The request that starts a rollout."""
    token = make_token(etappe.here.db, REQUESTER, "measured", datetime.now(UTC)).token
    body = json.dumps({"plan": PLAN_NAME, "title": "Measured"}).encode()
    return posting.request("POST", "/api/v1/rollouts", body, "application/json", token)


def _by_prefect(etappe: Running) -> bytes:
    """The request to Prefect's API that its form sends."""
    deployment = etappe.prefect.get("deployments/name/rollout/start").raise_for_status().json()
    given = {"plan": PLAN_NAME, "title": "Measured", "requester": REQUESTER}
    body = json.dumps({"parameters": given}).encode()
    path = f"/api/deployments/{deployment['id']}/create_flow_run"
    return posting.request("POST", path, body, "application/json")


def _one(etappe: Running, start: Callable[[], object]) -> float:
    """Start one when nothing is under way; return the seconds until its first mail was taken."""
    _until_idle(etappe)
    before, began = list(etappe.mails.first), time.monotonic()
    start()
    return etappe.mails.more(before, 1) - began


def _until_idle(etappe: Running) -> None:
    """Wait until everything is said and shown, and no rollout's flow run is at work."""
    etappe.until_quiet()
    at_work = {"flow_runs": {"state": {"type": {"any_": AT_WORK}}}, "flows": {"name": {"any_": ["rollout"]}}}
    until(lambda: etappe.ask_prefect("flow_runs/count", at_work) == 0, every=0.2)


def _ask(port: int, words: bytes) -> None:
    line = Line(port)
    status, body = line.ask(words)
    line.close()
    if status != CREATED:
        raise SystemExit(posting.in_words(status, body))


def _command(etappe: Running) -> None:
    command = [sys.executable, "-m", "cli", "rollout", "start", PLAN_NAME, "--requester", REQUESTER]
    environment = {**os.environ, **etappe.environment}
    subprocess.run(command, cwd=CHECKOUT, env=environment, check=True, capture_output=True)


def _post(port: int, words: bytes, count: int) -> Started:
    posted = post_all([port], [words] * count, CLIENTS, CREATED).succeeded(CREATED)
    return Started(posted.began, posted.ended, f"{100 * posted.client_share:.0f} %")


def _call(etappe: Running, count: int) -> Started:
    began = time.monotonic()
    for _ in range(count):
        etappe.start()
    return Started(began, time.monotonic())


def _burst(table: Table, way: str, etappe: Running, count: int, limit: float, start_all: Callable[[], Started]) -> None:
    _until_idle(etappe)
    before = list(etappe.mails.first)
    started = start_all()
    took = etappe.mails.more(before, count) - started.began
    spans = [f"{seconds:.2f} s" for seconds in (started.ended - started.began, took)]
    table.row(way, *spans, f"{count / took:.1f}", f"{limit * count / took:.3f}", started.client_share)


if __name__ == "__main__":
    main()
