"""From a decision to its bar in Prefect: one at a time, and 200 at once, on both databases.

Starts Etappe as `etappe start` does, without a worker, in a temporary home. A decision is a POST over HTTP that passes
a gate and opens the next stage. Its bar is painted once Prefect's API says of the gate's task run that it has passed;
the page, once everything else that has changed is shown too. To disturb nobody, the script looks for the bar in
Prefect's database, and asks the API when it is there. The raw limit in the same run: one change of a task run's state
by Prefect's API.
Run: python benchmarks/bars.py [one at a time] [at once] [sqlite or postgresql] [--write]
"""

from __future__ import annotations

import sys
import time
from functools import partial
from pathlib import Path

import psycopg
from sqlalchemy import select

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.kit.etappe import FIRST, Running, on_each_database, until
from benchmarks.kit.posting import post_all
from benchmarks.kit.report import Report, Table, numbers, reporting
from models.gates import GateRow
from models.prefect_page import Bar
from models.rollouts import Rollout
from worker import prefect_server

CLIENTS = 16
WARM_UP = 3
PASSED = "Passed"
TITLES = ("answered in", "all bars in", "bars per s", "all pages in", "client CPU")


def main() -> None:
    """Measure both databases."""
    single, burst = numbers(30, 200)
    with reporting(__file__, __doc__) as report:
        on_each_database(partial(_measure, report, single, burst))


def _measure(report: Report, single: int, burst: int, kind: str, etappe: Running) -> None:
    url = prefect_server.database(etappe.layout.home).url()
    with psycopg.connect(url, autocommit=True) as prefect:
        _one_by_one(report, kind, etappe, prefect, single)
        _at_once(report.table(f"{kind}, by {CLIENTS} clients", *TITLES), etappe, prefect, burst)


def _one_by_one(report: Report, kind: str, etappe: Running, prefect: psycopg.Connection, count: int) -> None:
    """Decide one after the other, each when everything is quiet."""
    rollout_ids = _started(etappe, WARM_UP + count)
    spans = report.spans(kind)
    limit = spans.row(f"{kind}: one change of a state in Prefect", _raw_limit(etappe, rollout_ids[0], count))
    took = [_decide(etappe, prefect, rollout_id) for rollout_id in rollout_ids]
    answers, bars, pages = zip(*took[WARM_UP:], strict=True)
    spans.row(f"{kind}: POST until its answer", answers, limit)
    spans.row(f"{kind}: POST until the gate's bar has passed", bars, limit)
    spans.row(f"{kind}: POST until the whole page is painted", pages, limit)


def _raw_limit(etappe: Running, rollout_id: str, count: int) -> list[float]:
    with etappe.here.db.read() as session:
        flow_run_id = session.get_one(Rollout, rollout_id).flow_run_id
    made = {"flow_run_id": flow_run_id, "task_key": "limit", "dynamic_key": "limit", "name": "The limit"}
    path = f"task_runs/{etappe.ask_prefect('task_runs/', made)['id']}/set_state"
    took = []
    for _ in range(count):
        began = time.monotonic()
        etappe.ask_prefect(path, {"state": {"type": "RUNNING", "name": "Waiting"}, "force": True})
        took.append(time.monotonic() - began)
    return took


def _started(etappe: Running, count: int) -> list[str]:
    """Start so many rollouts, and wait until each has its page in Prefect, and the first person is asked."""
    rollout_ids = [etappe.start() for _ in range(count)]
    etappe.mails.taken(rollout_ids, FIRST)
    etappe.until_quiet()
    return rollout_ids


def _decide(etappe: Running, prefect: psycopg.Connection, rollout_id: str) -> tuple[float, float, float]:
    bar = _bar(etappe, rollout_id)
    began, answered = etappe.decide(rollout_id)
    painted = _until_passed(etappe, prefect, [bar]) - began
    until(lambda: _is_painted(etappe, rollout_id))
    return answered, painted, time.monotonic() - began


def _bar(etappe: Running, rollout_id: str) -> str:
    """The id of the task run that is the bar of a rollout's first gate."""
    with etappe.here.db.read() as session:
        bars = select(Bar.task_run_id).join(GateRow, GateRow.id == Bar.subject_id)
        of_it = (Bar.rollout_id == rollout_id, Bar.subject == "gate", GateRow.key == FIRST)
        return session.scalars(bars.where(*of_it)).one()


def _is_painted(etappe: Running, rollout_id: str) -> bool:
    with etappe.here.db.read() as session:
        rollout = session.get_one(Rollout, rollout_id)
        return rollout.painted == rollout.sequence


def _until_passed(etappe: Running, prefect: psycopg.Connection, bars: list[str]) -> float:
    """Wait until all of these have passed in Prefect's database, ask its API then, and return when that had said so."""
    count = "SELECT count(*) FROM task_run WHERE id = ANY(%s::uuid[]) AND state_name = %s"
    until(lambda: prefect.execute(count, (bars, PASSED)).fetchone() == (len(bars),), every=0.002 * len(bars) ** 0.5)
    wanted = {"id": {"any_": bars}, "state": {"name": {"any_": [PASSED]}}}
    if etappe.ask_prefect("task_runs/count", {"task_runs": wanted}) != len(bars):
        raise SystemExit("Prefect's API does not say what its database does.")
    return time.monotonic()


def _at_once(table: Table, etappe: Running, prefect: psycopg.Connection, count: int) -> None:
    rollout_ids = _started(etappe, count)
    forms, bars = [etappe.approval(one) for one in rollout_ids], [_bar(etappe, one) for one in rollout_ids]
    posted = post_all([etappe.layout.web_port], forms, CLIENTS).succeeded()
    took = _until_passed(etappe, prefect, bars) - posted.began
    etappe.until_quiet()
    pages = time.monotonic() - posted.began
    share = f"{100 * posted.client_share:.0f} %"
    table.row(
        f"{count} at once", f"{posted.took:.2f} s", f"{took:.2f} s", f"{count / took:.0f}", f"{pages:.2f} s", share
    )


if __name__ == "__main__":
    main()
