"""Record the values of a file: all of them, or none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from domain.errors import EtappeError, InvalidFile, Problem, UnknownRollout
from domain.measurement import Value
from models.database import Database
from operations.record_measurement import add_values, refuse_strangers, refuse_value
from operations.seeing import seen
from operations.workspace import Actor, Workspace, lock


@dataclass(frozen=True)
class Row:
    """One value of a file, and the line it stands in."""

    line: int
    rollout_id: str
    metric: str
    value: Value


def record_measurements(
    db: Database, keys: Sequence[bytes], source: str, rows: Sequence[Row], actor: Actor, now: datetime
) -> int:
    """Record every row in one transaction; what follows in each rollout, follows from all its values together.

    Returns how many rollouts they are about. Raises InvalidFile with every row that cannot be recorded; `source` names
    the file in it. Somebody who may not bring such a value, or not see the rollout, is told so like that.
    """
    with db.write() as session:
        workspaces, problems = _locked(session, keys, rows, actor, now)
        problems += [problem for row in rows if row.rollout_id in workspaces
                     for problem in _problem(workspaces[row.rollout_id], row)]  # fmt: skip
        if problems:
            raise InvalidFile(source, sorted(problems))
        for rollout_id, ws in workspaces.items():
            add_values(ws, [(row.metric, row.value) for row in rows if row.rollout_id == rollout_id])
        return len(workspaces)


def _locked(
    session: Session, keys: Sequence[bytes], rows: Sequence[Row], actor: Actor, now: datetime
) -> tuple[Mapping[str, Workspace], list[Problem]]:
    """Lock each rollout, always in the same order, so that two files never wait for each other."""
    workspaces: dict[str, Workspace] = {}
    problems: list[Problem] = []
    for rollout_id in sorted({row.rollout_id for row in rows}):
        try:
            ws = lock(session, keys, rollout_id, now, actor)
            if not seen(session, [ws.rollout], actor.address):  # then there is none for them, in the same words
                raise UnknownRollout(f"There is no rollout “{rollout_id}”; `etappe rollout list` shows them all.")
            workspaces[rollout_id] = ws
        except UnknownRollout as refusal:
            problems += [_at(row, refusal) for row in rows if row.rollout_id == rollout_id]
    return workspaces, problems


def _problem(ws: Workspace, row: Row) -> Iterator[Problem]:
    try:
        refuse_strangers(ws, row.metric)
        refuse_value(ws, row.metric, row.value)
    except EtappeError as refusal:
        yield _at(row, refusal)


def _at(row: Row, refusal: EtappeError) -> Problem:
    return Problem(row.line, 1, row.metric, refusal.sentence)
