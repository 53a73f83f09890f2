"""Reading once: what is read again is what has changed, and nothing that has changed is missed."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from datetime import date, datetime
from inspect import getmembers, isfunction, unwrap
from typing import Any, get_type_hints

import pytest
from sqlalchemy import Select
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

import models
from domain.states import DecisionKind
from models.absences import Absence, absences_now_of
from models.appending import append
from models.database import Database
from models.evidence import Attachment, Lapse, attachments_of, standing_decisions_at
from models.gates import GateRow, current_gates
from models.people import people_called
from models.reading import know, read_each, read_once
from models.record import AuditEntry, chasing_at, entries_of
from models.requests import Decision, Link, Purpose, Request, RequestState, decisions_at, requests_at
from models.rollouts import current_stages
from operations.verify_record import verify_record
from operations.workspace import lock, locked
from tests.company import KEYS, MONDAY, Company
from tests.integration.test_check_costs import counted
from tests.sample_plans import LATER, SIGN_OFF, one_gate

ANNA, BEN = "anna@example.com", "ben@example.com"


@pytest.fixture
def company(db: Database) -> Company:
    company = Company(db)
    company.start(one_gate(SIGN_OFF) + LATER)
    return company


def first_gate(session: Session, company: Company) -> GateRow:
    return read_once(session, current_gates, company.rollout_id)[0]


def test_what_was_read_is_not_asked_for_again(company: Company) -> None:
    with company.db.read() as session:
        gates = read_once(session, current_gates, company.rollout_id)
        with counted(company.db) as statements:
            assert read_once(session, current_gates, company.rollout_id) == gates
            assert read_once(session, current_gates, rollout_id=company.rollout_id) == gates
    assert [gate.key for gate in gates] == ["gate", "last"]
    assert len(statements) == 1  # named instead of in its place, it is another question


def test_other_values_are_another_question(company: Company) -> None:
    with company.db.read() as session:
        assert [one.email for one in read_once(session, people_called, frozenset({ANNA}))] == [ANNA]
        assert [one.email for one in read_once(session, people_called, frozenset({BEN}))] == [BEN]
        assert read_once(session, people_called, frozenset()) == []


def test_a_change_that_a_query_does_not_look_at_is_seen_without_asking(company: Company) -> None:
    with company.db.write() as session:
        gate = first_gate(session, company)
        [request] = [one for one in read_once(session, requests_at, gate.id) if one.person == ANNA]
        with counted(company.db) as statements:
            request.state = RequestState.VOID
            again = read_once(session, requests_at, gate.id)
        assert [one.state for one in again if one.person == ANNA] == [RequestState.VOID]
        assert statements == []


def test_rows_that_come_and_go_are_found_and_missed(company: Company) -> None:
    with company.db.write() as session:
        assert read_once(session, attachments_of, company.rollout_id) == []
        added = Attachment(rollout_id=company.rollout_id, name="offer", url="https://example.com/offer", size=0,
                           added_at=MONDAY, added_by=ANNA)  # fmt: skip
        session.add(added)
        assert read_once(session, attachments_of, company.rollout_id) == [added]
        added.removed_at = MONDAY
        assert read_once(session, attachments_of, company.rollout_id) == []
        added.removed_at = None
        assert read_once(session, attachments_of, company.rollout_id) == [added]
        session.delete(added)
        assert read_once(session, attachments_of, company.rollout_id) == []


def request_at(gate: GateRow, person: str, position: int = 9) -> Request:
    return Request(id=f"request-{person[:3]}-{gate.id}", rollout_id=gate.rollout_id, gate_id=gate.id, person=person,
                   purpose=Purpose.CONFIRM, position=position, created_at=MONDAY)  # fmt: skip


def test_what_comes_is_put_at_the_end_of_what_was_found_without_asking_again(company: Company) -> None:
    with company.db.write() as session:
        gates = read_once(session, current_gates, company.rollout_id)
        before = {gate.id: list(read_once(session, requests_at, gate.id)) for gate in gates}
        later = [request_at(gate, "later@example.com", 10) for gate in gates]
        new = request_at(gates[0], "new@example.com", 9)
        with counted(company.db) as statements:
            session.add_all([new, *reversed(later)])
            assert read_once(session, requests_at, gates[1].id) == [*before[gates[1].id], later[1]]
            assert read_once(session, requests_at, gates[0].id) == [*before[gates[0].id], new, later[0]]
        assert {one.split()[0] for one in statements} <= {"INSERT", "BEGIN"}


def test_what_comes_and_does_not_say_yet_whose_it_is_is_asked_for(company: Company) -> None:
    with company.db.write() as session:
        gate = first_gate(session, company)
        asked, *_ = read_once(session, requests_at, gate.id)
        assert read_once(session, decisions_at, gate.id) == []
        word = Decision(rollout_id=gate.rollout_id, request_id=asked.id, person=ANNA, decision=DecisionKind.APPROVE,
                        comment="", channel="link", assurance="none", shown_digest="", decided_at=MONDAY)  # fmt: skip
        session.add(word)
        with pytest.raises(IntegrityError):  # it is not put at the end of anything
            read_once(session, decisions_at, gate.id)
        session.rollback()


def test_what_ceases_to_count_is_not_what_comes(company: Company) -> None:
    company.decides(ANNA)
    with company.db.write() as session:
        gate = first_gate(session, company)
        [word] = read_once(session, standing_decisions_at, gate.id)
        session.add(Lapse(decision_id=word.id, rollout_id=gate.rollout_id, gate_id=gate.id, name="offer", because={},
                          lapsed_at=MONDAY))  # fmt: skip
        assert read_once(session, standing_decisions_at, gate.id) == []


def test_another_order_is_noticed_also_by_a_table_that_is_only_joined(company: Company) -> None:
    with company.db.write() as session:
        assert [gate.key for gate in read_once(session, current_gates, company.rollout_id)] == ["gate", "last"]
        first, second = read_once(session, current_stages, company.rollout_id)
        first.position, second.position = 7, 3
        assert [gate.key for gate in read_once(session, current_gates, company.rollout_id)] == ["last", "gate"]


def test_what_waits_to_be_written_waits_on_while_others_are_read(company: Company) -> None:
    with locked(company.db, KEYS, company.rollout_id, company.now) as ws:
        ws.read(current_stages, company.rollout_id)
        ws.note("a.note")
        with counted(company.db) as statements:
            ws.read(people_called, frozenset({ANNA}))
            assert [one.split()[0] for one in statements] == ["SELECT"]
            assert ws.read(entries_of, company.rollout_id)[-1].action == "a.note"
        assert _tables_written(statements) == ["audit_entries"]


def test_what_was_appended_is_written_once_at_the_end_after_what_it_leans_on(company: Company) -> None:
    with counted(company.db) as statements, locked(company.db, KEYS, company.rollout_id, company.now) as ws:
        gate = first_gate(ws.session, company)
        ws.note("a.note")
        request = request_at(gate, "new@example.com")
        append(ws.session, Link, token_hash="1", request_id=request.id, number=1, key_id="k", created_at=company.now)
        ws.session.add(request)
        append(ws.session, Link, token_hash="2", request_id=request.id, number=2, key_id="k", created_at=company.now)
        ws.note("another.note")
    assert _tables_written(statements) == ["requests", "audit_entries", "links"]
    assert [entry.action for entry in company.entries()][-2:] == ["a.note", "another.note"]
    assert verify_record(company.db, company.rollout_id)[0].holds


def _tables_written(statements: Sequence[str]) -> list[str]:
    return [table for statement in statements for table in re.findall(r"INSERT INTO (\w+)", statement)]


def test_what_was_appended_is_found_by_what_looks_for_it(company: Company) -> None:
    with locked(company.db, KEYS, company.rollout_id, company.now) as ws:
        gate = first_gate(ws.session, company)
        asked = (company.rollout_id, gate.key, gate.round)
        assert ws.read(chasing_at, *asked) == []
        ws.note("gate.reminded", gate=gate)
        assert [entry.action for entry in ws.read(chasing_at, *asked)] == ["gate.reminded"]
        ws.note("gate.escalated", gate=gate)
        found = read_each(ws.session, chasing_at, [asked])
        assert [entry.action for entry in found[asked]] == ["gate.reminded", "gate.escalated"]


def test_what_a_query_never_finds_waits_on(company: Company) -> None:
    with locked(company.db, KEYS, company.rollout_id, company.now) as ws, counted(company.db) as statements:
        gate = first_gate(ws.session, company)
        asked = (company.rollout_id, gate.key, gate.round)
        know(ws.session, chasing_at, (), *asked)
        ws.stage_of(gate)
        before = len(statements)
        ws.note("a.note", gate=gate)
        assert ws.read(chasing_at, *asked) == ()
        assert len(statements) == before
        ws.note("gate.reminded", gate=gate)
        assert [entry.action for entry in ws.read(chasing_at, *asked)] == ["gate.reminded"]
    assert [entry.action for entry in company.entries()][-2:] == ["a.note", "gate.reminded"]


def test_what_a_query_never_finds_leaves_known_what_it_finds_once_it_is_written(company: Company) -> None:
    def change(session: Session) -> tuple[str, str, int]:
        ws = lock(session, KEYS, company.rollout_id, company.now)
        gate = first_gate(session, company)
        ws.read(chasing_at, ws.rollout.id, gate.key, gate.round)
        ws.note("a.note", gate=gate)
        return ws.rollout.id, gate.key, gate.round

    def look(session: Session, asked: tuple[str, str, int]) -> Sequence[AuditEntry]:
        with counted(company.db) as statements:
            found = read_once(session, chasing_at, *asked)
        assert statements == []
        return found

    assert company.db.write_then_read(change, look) == []


def test_what_was_appended_before_a_commit_is_found_after_it(company: Company) -> None:
    def change(session: Session) -> Sequence[AuditEntry]:
        ws = lock(session, KEYS, company.rollout_id, company.now)
        before = ws.read(entries_of, company.rollout_id)
        ws.note("a.note")
        return before

    def look(session: Session, before: Sequence[AuditEntry]) -> list[str]:
        return [one.action for one in read_once(session, entries_of, company.rollout_id) if one not in before]

    assert company.db.write_then_read(change, look) == ["a.note"]


def test_nothing_that_was_appended_is_kept_of_what_is_refused(company: Company) -> None:
    def refused() -> None:
        with locked(company.db, KEYS, company.rollout_id, company.now) as ws:
            ws.note("a.note")
            raise ValueError("no")

    before = len(company.entries())
    with pytest.raises(ValueError, match="no"):
        refused()
    assert len(company.entries()) == before


def test_nothing_is_kept_where_something_cannot_be_written_whoever_goes_on(company: Company) -> None:
    before = len(company.entries())
    with locked(company.db, KEYS, company.rollout_id, company.now) as ws:
        ws.note("a.note")
        for _ in range(2):
            append(ws.session, Link, token_hash="1", request_id="?", number=1, key_id="k", created_at=company.now)
        with suppress(IntegrityError):
            ws.read(entries_of, company.rollout_id)
    assert len(company.entries()) == before
    assert verify_record(company.db, company.rollout_id)[0].holds


def test_what_is_known_is_not_asked_until_it_changes(company: Company) -> None:
    with company.db.write() as session:
        _, gate = read_once(session, current_gates, company.rollout_id)
        with counted(company.db) as statements:
            know(session, requests_at, (), gate.id)
            assert read_once(session, requests_at, gate.id) == ()
            assert statements == []
        asked = request_at(gate, "new@example.com")
        session.add(asked)
        assert read_once(session, requests_at, gate.id) == [asked]


def test_nothing_is_remembered_beyond_a_transaction(company: Company) -> None:
    with company.db.read() as session:
        assert read_once(session, absences_now_of, frozenset({ANNA}), company.now) == []
    company.is_away(ANNA)
    with company.db.read() as session:
        [away] = read_once(session, absences_now_of, frozenset({ANNA}), company.now)
        assert isinstance(away, Absence)


def test_what_is_read_for_each_is_what_reading_once_finds(company: Company) -> None:
    other = company.start(one_gate(SIGN_OFF))
    ids = [(company.rollout_id,), (other,), ("nobody's",)]
    with company.db.read() as session:
        wanted = {each: [row.id for row in read_once(session, current_gates, *each)] for each in ids}
    with company.db.read() as session, counted(company.db) as statements:
        found = read_each(session, current_gates, ids)
        once = {each: read_once(session, current_gates, *each) for each in ids}
        assert found == once == read_each(session, current_gates, [*ids, ids[0]])
    assert {each: [row.id for row in rows] for each, rows in found.items()} == wanted
    assert wanted["nobody's",] == []
    assert len([one for one in statements if one.startswith("SELECT")]) == 1


def test_only_what_is_not_known_is_read_for_each(company: Company) -> None:
    anna, ben, nobody = ((frozenset((one,)),) for one in (ANNA, BEN, "nobody@example.com"))
    with company.db.read() as session:
        [known] = read_once(session, people_called, *anna)
        with counted(company.db) as statements:
            found = read_each(session, people_called, [anna, ben, nobody])
        assert [one.email for one in found[ben]] == [BEN]
        assert (found[anna], found[nobody]) == ([known], [])
    assert len(statements) == 1
    assert statements[0].count("?") + statements[0].count("%(") == 2


def test_of_several_values_that_are_compared_each_has_its_own(company: Company) -> None:
    company.start(one_gate(f"{SIGN_OFF}, remind: every 1 days") + LATER)
    company.later(days=1)
    company.checks()
    places = [(company.rollout_id, "gate", 1), (company.rollout_id, "last", 1), (company.rollout_id, "gate", 2)]
    with company.db.read() as session:
        found = read_each(session, chasing_at, places)
    assert [[one.action for one in found[place]] for place in places] == [["gate.reminded"], [], []]


def test_a_value_that_is_compared_otherwise_is_the_same_for_each(company: Company) -> None:
    company.is_away(ANNA)
    people = [frozenset((ANNA,)), frozenset((BEN,))]
    with company.db.read() as session:
        found = read_each(session, absences_now_of, [(person, company.now) for person in people])
    assert [[one.person for one in found[person, company.now]] for person in people] == [[ANNA], []]


def test_what_has_changed_is_read_for_each_again(company: Company) -> None:
    with company.db.write() as session:
        assert read_each(session, attachments_of, [(company.rollout_id,)]) == {(company.rollout_id,): []}
        added = Attachment(rollout_id=company.rollout_id, name="offer", url="https://example.com/offer", size=0,
                           added_at=MONDAY, added_by=ANNA)  # fmt: skip
        session.add(added)
        assert read_each(session, attachments_of, [(company.rollout_id,)]) == {(company.rollout_id,): [added]}


def every_prepared_query() -> dict[str, Callable[..., Select[Any]]]:
    modules = [importlib.import_module(f"models.{one.name}") for one in pkgutil.iter_modules(models.__path__)]
    return {
        f"{module.__name__}.{name}": function
        for module in modules
        for name, function in getmembers(module, isfunction)
        if function.__module__ == module.__name__ and hasattr(function, "__wrapped__") and "Select" in str(
            function.__annotations__.get("return")
        )
    }  # fmt: skip


VALUES = {str: "x", int: 3, datetime: MONDAY, date: MONDAY.date(), Collection[str]: ["x", "y"], Collection[int]: [3, 4]}


@pytest.mark.parametrize("query", every_prepared_query().values(), ids=every_prepared_query())
def test_a_prepared_query_asks_what_it_would_ask_if_it_were_built_each_time(query: Callable[..., Select[Any]]) -> None:
    hints = {name: hint for name, hint in get_type_hints(query).items() if name != "return"}
    given = [VALUES[hint] for hint in hints.values()]
    assert in_sql(query(*given)) == in_sql(unwrap(query)(*given))


def in_sql(statement: Select[Any]) -> tuple[str, list[str]]:
    """A statement without the names of its parameters and the numbers of its columns, and what the parameters hold."""
    compiled = statement.compile(dialect=sqlite.dialect())
    words = re.sub(r"POSTCOMPILE_\w+", "POSTCOMPILE", re.sub(r"\s+", " ", str(compiled)))
    words = re.sub(r"( AS \w+?)_\d+\b", r"\1", words)  # parameters and columns are numbered together
    return words, [str(compiled.params[name]) for name in compiled.positiontup or []]


def test_there_are_prepared_queries() -> None:
    assert {"models.gates.current_gates", "models.requests.requests_at"} <= every_prepared_query().keys()
