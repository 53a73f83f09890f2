"""What several mails are written from, read at once instead of for each of them. Read only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from models.absences import absences_now_of
from models.evidence import attachments_of, standing_decisions_at
from models.gates import GateRow, current_gates, gates_with_stages
from models.outbox import Message
from models.people import people_called
from models.reading import read_each
from models.record import chasing_at
from models.requests import Decision, Request, RequestState, asked_about, decided_about, links_of, requests_at
from models.rollouts import Rollout, current_stages, rollouts_called

_HELD = "etappe.held"
"""A session forgets rows that nobody holds."""


def read_ahead(session: Session, messages: Sequence[Message], now: datetime) -> None:
    """Read what most mails of these messages look at; whoever writes them then finds it in this session.

    What is not read here, writing a mail reads by itself.
    """
    rows = session.info[_HELD] = list(_about(session, messages))
    rollouts = [row for row in rows if isinstance(row, Rollout)]
    gates = [row for row in rows if isinstance(row, GateRow)]
    requests = [row for row in rows if isinstance(row, Request)]
    if not gates:
        return
    of_rollouts, of_gates = [(row.id,) for row in rollouts], [(row.id,) for row in gates]
    read_each(session, current_stages, of_rollouts)
    read_each(session, attachments_of, of_rollouts)
    read_each(session, links_of, [(row.id,) for row in requests])
    read_each(session, chasing_at, [(row.rollout_id, row.key, row.round) for row in gates])
    words = _all(read_each(session, standing_decisions_at, of_gates))
    asked = _all(read_each(session, requests_at, of_gates))
    if any("gate_id" in message.facts for message in messages):
        read_each(session, current_gates, of_rollouts)
    _read_people(session, messages, rollouts, [*words, *asked])
    waited_for = {row.person for row in asked if row.state is RequestState.OPEN}
    read_each(session, absences_now_of, [(frozenset((person,)), now) for person in waited_for])


def _about(session: Session, messages: Sequence[Message]) -> Iterator[Any]:
    """The rows that messages name, each once: decisions and requests, their gates, stages and rollouts."""
    seen: dict[Any, None] = {}
    if ids := _named("decision_id", messages):
        seen |= dict.fromkeys(row for rows in session.execute(decided_about(ids)) for row in rows)
    if ids := _named("request_id", messages):
        seen |= dict.fromkeys(row for rows in session.execute(asked_about(ids)) for row in rows)
    if ids := _named("gate_id", messages) - {row.id for row in seen if isinstance(row, GateRow)}:
        seen |= dict.fromkeys(row for rows in session.execute(gates_with_stages(ids)) for row in rows)
    rollout_ids = {message.rollout_id for message in messages if message.rollout_id}
    if ids := rollout_ids - {row.id for row in seen if isinstance(row, Rollout)}:
        seen |= dict.fromkeys(session.scalars(rollouts_called(ids)))
    yield from seen


def _named(fact: str, messages: Iterable[Message]) -> set[Any]:
    return {message.facts[fact] for message in messages if fact in message.facts}


def _all(found: dict[tuple[Any, ...], Sequence[Any]]) -> list[Any]:
    return [row for rows in found.values() for row in rows]


def _read_people(
    session: Session, messages: Sequence[Message], rollouts: Sequence[Rollout], spoken: Sequence[Request | Decision]
) -> None:
    """Whoever is written to, or may be named."""
    people = {message.recipient for message in messages}
    people |= {person for rollout in rollouts for person in (rollout.requester, rollout.owner)}
    people |= {person for row in spoken for person in (row.person, row.voice)}
    read_each(session, people_called, [(frozenset((person,)),) for person in people])
