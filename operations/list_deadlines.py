"""Somebody's open deadlines over all rollouts, by the address of their calendar feed. Read only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from domain import conditions
from models.database import Database
from models.deadlines import open_deadlines_of
from models.gates import GateRow
from models.requests import Purpose, Request
from models.rollouts import Rollout
from notifications.facts import Deadline, Reader
from operations.feeds import owner_of
from operations.kept_plans import gate_of, plan_of


@dataclass(frozen=True)
class Feed:
    """Whose feed it is, and what they are asked that is due at a fixed moment, the next one first."""

    reader: Reader
    deadlines: Sequence[Deadline]


def list_deadlines(db: Database, keys: Sequence[bytes], token: str) -> Feed:
    """Return the feed of this token. Raises FeedUnknown: nobody's, an older one, or of somebody who is gone."""
    with db.read() as session:
        person = owner_of(session, keys, token)
        reader = Reader(person.email, person.name, person.language, person.time_zone)
        rows = session.execute(open_deadlines_of(person.email))
        found = [
            deadline_of(rollout, gate, request, _title(rollout, gate, what, reader.language))
            for request, gate, rollout, what in rows
        ]
    return Feed(reader, sorted((one for one in found if one), key=lambda one: (one.due_at, one.request_id)))


def deadline_of(rollout: Rollout, gate: GateRow, request: Request, gate_title: str) -> Deadline | None:
    """Return by when a request is to be answered; None without a moment, and while the clock stands still.

    Whatever moves a deadline is in the rollout's record, so the number of its last entry is the revision.
    """
    if request.purpose is Purpose.RESPOND or gate.due_at is None or gate.paused_at is not None:
        return None
    return Deadline(request.id, rollout.sequence, gate.due_at, request.purpose, gate_title, rollout.title)


def _title(rollout: Rollout, gate: GateRow, condition: str | None, language: str) -> str:
    if condition is not None:
        return conditions.title_of(condition).in_language(language)
    return gate_of(plan_of(rollout.plan_version), gate.key).title.in_language(language)
