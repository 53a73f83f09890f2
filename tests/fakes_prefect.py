"""A Prefect that remembers what was painted: the few calls of its client that the painter makes."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from prefect.client.schemas.objects import State

from models.database import Database
from operations.chart import chart
from worker.prefect_page import paint


@dataclass
class PaintedRun:
    """A task run: its bar's name and state."""

    id: UUID
    name: str
    state: State[Any]


@dataclass(frozen=True)
class _Answer:
    content: dict[str, str]

    def json(self) -> dict[str, str]:
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
        paint(self, shown)  # type: ignore[arg-type]  # as much of a client as the painter uses

    def bars(self) -> dict[str, tuple[str, str]]:
        """Each bar's name, with its state's name and message."""
        return {run.name: (run.state.name or "", run.state.message or "") for run in self.runs.values()}

    def create_task_run(
        self, task: object, flow_run_id: UUID, dynamic_key: str, name: str, state: State[Any]
    ) -> PaintedRun:
        run = PaintedRun(uuid4(), name, state)
        self.runs[run.id] = run
        return run

    def set_task_run_name(self, task_run_id: UUID, name: str) -> None:
        self.runs[task_run_id].name = name

    def set_task_run_state(self, task_run_id: UUID, state: State[Any], force: bool) -> None:
        self.runs[task_run_id].state = state

    def request(
        self, method: str, path: str, json: dict[str, str], path_params: dict[str, str] | None = None
    ) -> _Answer:
        self.table = _rows(json["data"])
        return _Answer({"id": str(uuid4())})


def _rows(data: str) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = json.loads(data)
    return rows
