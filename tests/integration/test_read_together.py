"""What one statement finds beside what was asked for is what the others would have found."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from sqlalchemy import Select, update
from sqlalchemy.orm import Session

from domain.errors import WrongCode
from models.database import Database
from models.evidence import standing_decisions_at
from models.gates import GateRow, current_gates
from models.people import people_called
from models.reading import ask, know
from models.record import chasing_at
from models.requests import Request, RequestState, newest_link, requests_at
from models.rollouts import Rollout, StageRow, current_stages
from operations import opening, reading_ahead, show_request, workspace
from operations.by_link import TRIES
from operations.compose_message import Composer, workspace_for
from operations.reading_ahead import read_ahead
from operations.show_request import find_link
from operations.workspace import Workspace
from tests.company import KEYS, Company
from tests.integration.test_check_costs import counted
from tests.sample_plans import LATER, ROLES, SIGN_OFF

ANNA, BEN, CARLA = "anna@example.com", "ben@example.com", "carla@example.com"
EMIL = "emil@example.com"
PLAN = f"""
plan: several
title: Several stages
{ROLES}
stages:
  - id: first
    title: First
    gates:
      - {{id: gate, title: The gate, {SIGN_OFF}, quorum: all, remind: every 1 days,
          escalate: [{{after: 2 days, to: finance}}]}}
      - {{id: alone, title: Alone, kind: sign-off, question: "Well?", approvers: [chair]}}
  - id: second
    title: Second
    gates:
      - {{id: sign-off, title: The sign-off, {SIGN_OFF}, quorum: any, on_reject: {{recycle: first}}}}
{LATER.strip(chr(10))}
"""
COMPOSER = Composer(KEYS, "https://etappe.example.com")
Query = Callable[..., Select[Any]]


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> list[Query]:
    """The queries that were answered without being asked. Each is asked, and has to find just that."""
    queries: list[Query] = []

    def compare(session: Session, query: Query, found: Sequence[Any], *given: Any) -> None:
        with session.no_autoflush:
            asked = ask(session, query, *given).scalars().all()
        assert list(asked) == list(found), (query, given)
        queries.append(query)
        know(session, query, found, *given)

    for module in (opening, reading_ahead, show_request, workspace):
        monkeypatch.setattr(module, "know", compare)
    return queries


@pytest.fixture
def company(db: Database) -> Company:
    """A rollout in which people were reminded, escalated to and away, something was attached, and the first gate is
    asked a second time, since the second stage has sent it back; one of those asked has got a new link there."""
    company = Company(db)
    company.start(PLAN)
    company.later(days=2)
    company.checks()
    company.attaches(b"why", "why.txt")
    for person in (ANNA, BEN, CARLA, EMIL):
        company.decides(person)
    for person in (ANNA, BEN, CARLA):
        company.decides(person, "reject", comment="not yet")
    company.later(days=2)
    company.checks()
    company.is_away(CARLA)
    company.decides(BEN)
    for _ in range(TRIES):
        with suppress(WrongCode):
            company.try_code(open_request(company, "gate"), "000000")
    return company


def open_request(company: Company, gate: str) -> Request:
    person = EMIL if gate == "alone" else ANNA
    [newest] = company.requests(person, RequestState.OPEN)
    return newest


@contextmanager
def looking(company: Company) -> Iterator[Workspace]:
    with company.db.read() as session:
        yield Workspace.to_look_at(session, session.get_one(Rollout, company.rollout_id), company.now)


def test_stages_and_gates_are_found_by_one_statement(company: Company, known: list[Query]) -> None:
    with looking(company) as ws, counted(company.db) as statements:
        stages, gates = ws.stages(), ws.gates()
    assert [(stage.key, stage.round) for stage in stages] == [("first", 2), ("second", 2), ("later", 2)]
    assert [(gate.key, gate.round) for gate in gates] == [("gate", 2), ("alone", 2), ("sign-off", 2), ("last", 2)]
    assert known == [current_stages, current_gates]
    assert len([one for one in statements if "FROM stages" in one or "FROM gates" in one]) == 1 + len(known)


@pytest.mark.parametrize("table", [StageRow, GateRow])
def test_neither_is_missed_where_the_other_is_of_an_earlier_round(
    company: Company, known: list[Query], table: type[StageRow | GateRow]
) -> None:
    with company.db.write() as session:
        session.execute(update(table).values(current=False))
    with looking(company) as ws:
        assert (len(ws.stages()), len(ws.gates())) == ((0, 4) if table is StageRow else (3, 0))
    assert known == [current_stages, current_gates]


def test_whoever_has_read_one_of_them_reads_only_the_other(company: Company, known: list[Query]) -> None:
    with looking(company) as ws:
        stages = ws.read(current_stages, company.rollout_id)
        assert ws.stages() == stages
        assert len(ws.gates()) == 4
    assert known == []


@pytest.mark.parametrize(("gate", "found"), [("gate", []), ("alone", [requests_at, standing_decisions_at, chasing_at])])
def test_a_link_tells_whether_anybody_else_is_asked_has_decided_and_was_chased(
    company: Company, known: list[Query], gate: str, found: list[Query]
) -> None:
    with company.db.read() as session:
        _, request, at, _ = find_link(session, company.token(open_request(company, gate)))
        assert (at.key, request.gate_id) == (gate, at.id)
    assert known == found


def test_mails_say_the_same_when_what_they_look_at_was_read_ahead(company: Company, known: list[Query]) -> None:
    messages = company.messages()

    def mails(*, ahead: bool) -> list[object]:
        with company.db.read() as session:
            if ahead:
                read_ahead(session, messages, company.now)
            return [COMPOSER.compose(workspace_for(session, each, company.now), each) for each in messages]

    assert mails(ahead=True) == mails(ahead=False)
    assert {newest_link, people_called, requests_at} <= set(known)
    assert {each.topic for each in messages} >= {"request", "code", "reminder", "escalation", "receipt", "information"}


@pytest.mark.parametrize("gate", ["gate", "alone"])
def test_one_mail_at_a_time_says_the_same_too(company: Company, known: list[Query], gate: str) -> None:
    request = open_request(company, gate)
    [message] = [each for each in company.messages("request") if each.facts["request_id"] == request.id]
    with company.db.read() as session, counted(company.db) as statements:
        read_ahead(session, [message], company.now)
        before = len(statements)
        mail = COMPOSER.compose(workspace_for(session, message, company.now), message)
        assert len([one for one in statements[before:] if one.startswith("SELECT")]) <= 1
    with company.db.read() as session:
        assert mail == COMPOSER.compose(workspace_for(session, message, company.now), message)
    assert (requests_at in known) is (gate == "alone")
