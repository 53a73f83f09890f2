"""A Prefect that remembers what was painted: the few calls of its client that the painter makes."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from models.database import Database
from operations.chart import chart
from worker.bars import send
from worker.prefect_page import bars_to_draw, paint_around


@dataclass(frozen=True)
class PaintedRun:
    """A task run: its bar's name and state, and the times it spans."""

    name: str
    state: dict[str, Any]
    since: str
    start_time: str
    end_time: str | None


@dataclass(frozen=True)
class Answer:
    """What Prefect's API answers."""

    content: Any

    def json(self) -> Any:
        """What is in it."""
        return self.content


@dataclass
class FakePrefect:
    """Holds bars and the table of gates in memory."""

    runs: dict[UUID, PaintedRun] = field(default_factory=dict)
    table: list[dict[str, str]] = field(default_factory=list)

    def paint(self, db: Database, rollout_id: str, now: datetime) -> None:
        """Paint a rollout that has never been painted."""
        shown = chart(db, rollout_id, now)
        assert shown is not None
        send(self, bars_to_draw(shown))  # type: ignore[arg-type]  # as much of a client as the painter uses
        paint_around(self, shown)  # type: ignore[arg-type]

    def bars(self) -> dict[str, tuple[str, str]]:
        """Each bar's name, with its state's name and message."""
        return {run.name: (run.state["name"], run.state["message"] or "") for run in self.runs.values()}

    def request(self, method: str, path: str, json: Any, path_params: dict[str, str] | None = None) -> Answer:
        """Answer as Prefect's API does."""
        match path:
            case "/events":
                for event in json:
                    self.take(event)
                return Answer(None)
            case "/task_runs/filter":
                wanted = (UUID(one) for one in json["task_runs"]["id"]["any_"])
                return Answer([self._found(one) for one in wanted if one in self.runs])
        self.table = _rows(json["data"])
        return Answer({"id": str(uuid4())})

    def take(self, event: dict[str, Any]) -> None:
        """Write down the task run that an event tells of."""
        run, state = event["payload"]["task_run"], event["payload"]["validated_state"]
        task_run_id = UUID(event["resource"]["prefect.resource.id"].removeprefix("prefect.task-run."))
        times = event["occurred"], run["start_time"], run["end_time"]
        self.runs[task_run_id] = PaintedRun(run["name"], state, *times)

    def _found(self, task_run_id: UUID) -> dict[str, Any]:
        run = self.runs[task_run_id]
        return {"id": str(task_run_id), "state_id": run.state["id"], "state": {"timestamp": run.since}}


def _rows(data: str) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = json.loads(data)
    return rows
