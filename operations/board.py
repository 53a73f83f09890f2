"""The board: every rollout, those that need somebody first, and what each of them waits for. Read only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Select
from sqlalchemy.orm import Session

from domain.errors import UnknownRollout
from models import board as queries
from models.database import Database
from models.rollouts import Rollout, rollouts_called
from operations.board_rows import Row, rows_of

AT_ONCE = 50
"""How many rollouts of a part are shown at a time."""
COUNTED = 1000
"""How far rollouts are counted: beyond it, counting takes the longer the more there are."""


class Part(StrEnum):
    """A part of the board, in an order of its own, which does not change while somebody turns pages."""

    IN_NEED = "in-need"  # on hold, overdue, stalled, or nobody can be asked; started last first
    GOING_ON = "going-on"  # all others that have not ended; started last first
    ENDED = "ended"  # ended last first


@dataclass(frozen=True)
class Page:
    """Some rollouts of a part. The next page begins after the rollout with the id `older`, "" where there is none."""

    part: Part
    rows: tuple[Row, ...]
    older: str


@dataclass(frozen=True)
class Board:
    """Pages of the board as it was at the moment `at` (UTC).

    Rollouts `in_need`, all `under_way` (those in need among them) and `ended` are counted up to COUNTED.
    """

    pages: tuple[Page, ...]
    in_need: int
    under_way: int
    ended: int
    at: datetime


def show_board(db: Database, now: datetime, language: str, part: Part | None = None, before: str = "") -> Board:
    """Return the board at the moment `now` (aware), titles in `language`: a part of it, or what has not ended.

    `before` is the id of the rollout after which the page of a part begins. Raises UnknownRollout when none of this
    part has that id, as far as that can be told: one that has ended since still says where to go on.
    """
    with db.read() as session:
        last = _last(session, part, before) if before else None
        parts = [part] if part else [Part.IN_NEED, Part.GOING_ON]
        found = {each: session.scalars(_ids(each, now, last).limit(AT_ONCE + 1)).all() for each in parts}
        shown = [rollout_id for ids in found.values() for rollout_id in ids[:AT_ONCE]]
        rows = rows_of(session, session.scalars(rollouts_called(shown)).all(), now, language)
        in_need, under_way, ended = session.execute(queries.board_counts(now, COUNTED)).one()
    pages = tuple(_page(each, ids, {row.id: row for row in rows}) for each, ids in found.items())
    return Board(pages, in_need, under_way, ended, now)


def _last(session: Session, part: Part | None, rollout_id: str) -> Rollout:
    rollout = session.get(Rollout, rollout_id) if rollout_id.isprintable() else None  # PostgreSQL takes no NUL
    if rollout is None or part is None or (part is Part.ENDED and rollout.ended_at is None):
        raise UnknownRollout(f"There is no rollout “{rollout_id}” to go on after.")
    return rollout


def _ids(part: Part, now: datetime, last: Rollout | None) -> Select[str]:
    match part, last:
        case Part.IN_NEED, None:
            return queries.in_need(now)
        case Part.IN_NEED, Rollout():
            return queries.in_need_after(now, last.created_at, last.id)
        case Part.GOING_ON, None:
            return queries.going_on(now)
        case Part.GOING_ON, Rollout():
            return queries.going_on_after(now, last.created_at, last.id)
        case Part.ENDED, Rollout(ended_at=datetime() as ended_at):
            return queries.ended_after(ended_at, last.created_at, last.id)
    return queries.ended()


def _page(part: Part, ids: Sequence[str], rows: Mapping[str, Row]) -> Page:
    shown = ids[:AT_ONCE]
    return Page(part, tuple(rows[rollout_id] for rollout_id in shown), shown[-1] if len(ids) > AT_ONCE else "")
