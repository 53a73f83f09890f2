"""What it costs Prefect's server to show one decision: processor time of its process, and how long it takes.

One Prefect server as `etappe start` starts it, and the half of a relay that paints, in this process; rollouts are on
SQLite. A decision passes a gate and opens the next stage: two bars end, two begin, the table and the sentence change.
Some are decided one by one, each painted before the next, and some together. The raw limit in the same run: one change
of a task run's state by Prefect's API.
Run: python benchmarks/painting.py [one by one] [together] [--write]
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.kit.etappe import PLAN, PLAN_NAME
from benchmarks.kit.processes import look
from benchmarks.kit.report import Table, numbers, reporting
from domain import links
from models import schema
from models.requests import RequestState, requests_of
from models.rollouts import rollouts_unpainted, rollouts_without_flow_run
from operations.import_people import import_people
from operations.installation import Installation
from operations.record_decision import DecisionForm, record_decision
from operations.show_request import show_request
from operations.start_rollout import Start, start_rollout
from plans.directory import read_directory
from plans.reading import read_plan
from settings import Settings
from tests.company import PEOPLE, REQUESTER
from tests.ports import free_port
from worker.parts import Crew
from worker.prefect_server import prefect_environment, server_parts

WARM_UP = 5
SERVER = "prefect server"


def main() -> None:
    """Measure both, and print what a decision costs."""
    single, many = numbers(40, 100)
    with reporting(__file__, __doc__) as report, tempfile.TemporaryDirectory() as folder, Crew(Path(folder)) as crew:
        home, port = Path(folder), free_port()
        (home / "plans").mkdir()
        (home / "plans" / f"{PLAN_NAME}.yaml").write_text(PLAN, "utf-8")
        os.environ.update(prefect_environment(home, port))
        os.environ.update({"ETAPPE_HOME": folder, "ETAPPE_PLANS": str(home / "plans")})
        crew.start(*server_parts(home, port))
        painting = Painting(_installation(), crew.pids()[SERVER])
        table = report.table("what", "server CPU", "× limit", "time")
        limit = painting.limit(table, single)
        painting.one_by_one(table, limit, single)
        painting.together(table, limit, many)


def _installation() -> Installation:
    from flows.deploy import deploy

    here = Installation(Settings.from_environment())
    schema.upgrade(here.db)
    import_people(here.db, read_directory(PEOPLE, "people.yaml"), datetime.now(UTC))
    deploy(here)
    return here


class Painting:
    """Rollouts that are decided, and what it costs the process `server` to show that."""

    def __init__(self, here: Installation, server: int) -> None:
        from worker.follower import Follower

        self._here, self._server = here, server
        self._follower = Follower(here)

    def limit(self, table: Table, count: int) -> float:
        """Change the state of one task run so many times; return the milliseconds of processor time that one takes."""
        from prefect.client.orchestration import get_client
        from prefect.states import Running

        from tests.flows.sample_flows import napper

        with get_client(sync_client=True) as client:
            made = {"flow_run_id": str(client.create_flow_run(napper).id), "task_key": "a", "dynamic_key": "a"}
            run = UUID(client.request("POST", "/task_runs/", json=made).json()["id"])

            def do(times: int = count) -> None:
                for _ in range(times):
                    client.set_task_run_state(run, Running(name="Waiting"), force=True)

            do(WARM_UP)
            return self._row(table, "one change of a state", do, count)

    def one_by_one(self, table: Table, limit: float, count: int) -> None:
        """Decide and paint, one after the other."""
        rollout_ids = self._started(WARM_UP + count)
        for rollout_id in rollout_ids[:WARM_UP]:
            self._decide(rollout_id)
            self._paint()

        def do() -> None:
            for rollout_id in rollout_ids[WARM_UP:]:
                self._decide(rollout_id)
                self._paint()

        self._row(table, f"{count} decisions, one by one: each", do, count, limit)

    def together(self, table: Table, limit: float, count: int) -> None:
        """Decide them all, and paint them then."""
        for rollout_id in self._started(count):
            self._decide(rollout_id)
        self._row(table, f"{count} decisions together: each", self._paint, count, limit)

    def _row(self, table: Table, name: str, do: Callable[[], object], count: int, limit: float | None = None) -> float:
        worked, began = look(self._server).worked, time.monotonic()
        do()
        took = (time.monotonic() - began) / count
        each = (look(self._server).worked - worked) / count
        table.row(name, f"{1000 * each:.1f} ms", f"{each / (limit or each):.1f}", f"{1000 * took:.1f} ms")
        return each

    def _started(self, count: int) -> list[str]:
        start = Start(read_plan(PLAN, "plan.yaml"), PLAN, "Measured", REQUESTER)
        now = datetime.now(UTC)
        rollout_ids = [start_rollout(self._here.db, self._here.keys, start, now) for _ in range(count)]
        self._paint()
        return rollout_ids

    def _paint(self) -> None:
        self._follower.follow()
        while self._is_behind():
            self._follower.follow()

    def _is_behind(self) -> bool:
        with self._here.db.read() as session:
            waiting = (rollouts_without_flow_run(), rollouts_unpainted())
            return any(session.scalars(query.limit(1)).first() for query in waiting)

    def _decide(self, rollout_id: str) -> None:
        db, keys, now = self._here.db, self._here.keys, datetime.now(UTC)
        with db.read() as session:
            [request] = [row for row in session.scalars(requests_of(rollout_id)) if row.state is RequestState.OPEN]
        token = links.link_token(keys[0], request.id, request.link_number)
        code = links.code(keys[0], request.id, request.link_number)
        record_decision(db, keys, token, DecisionForm("approve", code, show_request(db, token, now).digest), now)


if __name__ == "__main__":
    main()
