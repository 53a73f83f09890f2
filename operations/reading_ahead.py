"""What several mails are written from, read at once instead of for each of them. Read only."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import Select
from sqlalchemy.orm import Session

from models.absences import absences_now_of
from models.asked_about import asked_about, decided_about
from models.evidence import attachments_of, standing_decisions_at
from models.gates import GateRow, current_gates, gates_with_stages
from models.outbox import Message
from models.people import people_called
from models.reading import all_found, ask, know, read_each
from models.record import chasing_at
from models.requests import Decision, Link, Request, RequestState, newest_link, requests_at
from models.rollouts import Rollout, current_stages, rollouts_called
from models.seldom import SELDOM_IN_MAILS, there_is_for_mails

_HELD = "etappe.held"
"""A session forgets rows that nobody holds."""
_T = TypeVar("_T")


def read_ahead(session: Session, messages: Sequence[Message], now: datetime) -> None:
    """Read what most mails of these messages look at; whoever writes them then finds it in this session.

    What is not read here, writing a mail reads by itself.
    """
    rows = session.info[_HELD] = list(_about(session, messages))
    rollouts = [row for row in rows if isinstance(row, Rollout)]
    gates = [row for row in rows if isinstance(row, GateRow)]
    if not gates:
        return
    of_rollouts, of_gates = [(row.id,) for row in rollouts], [(row.id,) for row in gates]
    there_is = ask(session, there_is_for_mails, [row.id for row in rollouts], [row.id for row in gates], now)
    seldom = partial(_read_seldom, session, there_is.scalars().all())
    read_each(session, current_stages, of_rollouts)
    seldom(attachments_of, of_rollouts)
    seldom(chasing_at, [(row.rollout_id, row.key, row.round) for row in gates])
    words = seldom(standing_decisions_at, of_gates)
    asked = all_found(read_each(session, requests_at, of_gates))
    if any("gate_id" in message.facts for message in messages):
        read_each(session, current_gates, of_rollouts)
    _read_people(session, messages, rollouts, [*words, *asked])
    waited_for = {row.person for row in asked if row.state is RequestState.OPEN}
    seldom(absences_now_of, [(frozenset((person,)), now) for person in waited_for])


def _read_seldom(
    session: Session, there_is: Collection[str], query: Callable[..., Select[_T]], given: Sequence[tuple[Any, ...]]
) -> list[_T]:
    """Return what a query finds for any of these values, and ask only where there is anything of that kind."""
    if SELDOM_IN_MAILS[query] in there_is:
        return all_found(read_each(session, query, given))
    for each in given:
        know(session, query, (), *each)
    return []


def _about(session: Session, messages: Sequence[Message]) -> Iterable[Any]:
    """The rows that messages name, each once: decisions and requests, their gates, stages and rollouts."""
    seen: dict[Any, None] = {}
    if ids := _named("decision_id", messages):
        for *rows, link in ask(session, decided_about, ids):
            seen |= dict.fromkeys(rows)
            _know_link(session, link)
    if ids := _named("request_id", messages):
        seen |= dict.fromkeys(_asked_about(session, ids))
    if ids := _named("gate_id", messages) - {row.id for row in seen if isinstance(row, GateRow)}:
        seen |= dict.fromkeys(row for rows in ask(session, gates_with_stages, ids) for row in rows)
    rollout_ids = {message.rollout_id for message in messages if message.rollout_id}
    if ids := rollout_ids - {row.id for row in seen if isinstance(row, Rollout)}:
        seen |= dict.fromkeys(ask(session, rollouts_called, ids).scalars())
    return seen


def _asked_about(session: Session, request_ids: Collection[str]) -> Iterator[Any]:
    """What these requests are about. Who else is asked there, if nobody is, and the rollouts' people are known then."""
    only_these: dict[int, list[Request]] = {}
    found = ask(session, asked_about, request_ids)
    for request, gate, stage, rollout, link, asked, requester, owner, is_anybody_else in found:
        yield from (request, gate, stage, rollout)
        _know_link(session, link)
        people = {request.person: asked, rollout.requester: requester, rollout.owner: owner}
        for address, person in people.items():
            know(session, people_called, [person] if person else [], frozenset((address,)))
        if not is_anybody_else:
            only_these.setdefault(gate.id, []).append(request)
    for gate_id, requests in only_these.items():
        know(session, requests_at, sorted(requests, key=lambda request: request.position), gate_id)


def _know_link(session: Session, link: Link | None) -> None:
    if link is not None:
        know(session, newest_link, [link], link.request_id)


def _named(fact: str, messages: Iterable[Message]) -> set[Any]:
    return {message.facts[fact] for message in messages if fact in message.facts}


def _read_people(
    session: Session, messages: Sequence[Message], rollouts: Sequence[Rollout], spoken: Sequence[Request | Decision]
) -> None:
    """Whoever is written to, or may be named."""
    people = {message.recipient for message in messages}
    people |= {person for rollout in rollouts for person in (rollout.requester, rollout.owner)}
    people |= {person for row in spoken for person in (row.person, row.voice)}
    read_each(session, people_called, [(frozenset((person,)),) for person in people])
