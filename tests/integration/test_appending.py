"""Rows that are only added are what they would be as rows of the session, whatever the database."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import StatementError
from sqlalchemy.orm import Session

from domain.mail_times import Occasion
from models.appending import append, append_once
from models.database import Database
from models.evidence import Evidence
from models.outbox import Message, MessageState
from tests.company import MONDAY, Company
from tests.integration.test_check_costs import counted
from tests.sample_plans import LATER, SIGN_OFF, one_gate

COLUMNS = Message.__table__.columns
FACTS: dict[str, Any] = {"who": "Zoë “Z” Ünal\\n\u2028", "more": [1, None, True, {"a": ""}], "none": None}


def message(key: str, at: datetime = MONDAY, **more: Any) -> dict[str, Any]:
    given = {"dedup_key": key, "recipient": "zoë@example.com", "topic": "receipt", "facts": {}}
    return {**given, "due_at": at, "created_at": at, **more}


def messages(session: Session) -> list[Message]:
    return list(session.scalars(select(Message).where(Message.topic == "receipt").order_by(Message.dedup_key)))


def test_a_row_is_what_it_would_be_as_one_of_the_session(db: Database) -> None:
    facts: dict[str, Any] = {"facts": FACTS, "occasion": Occasion.MORNING}
    facts["wanted_at"] = MONDAY + timedelta(microseconds=1)
    with db.write() as session:
        append(session, Message, **message("one", **facts))
        session.add(Message(**message("two", **facts)))
    with db.read() as session:
        one, two = ({column.key: getattr(row, column.key) for column in COLUMNS} for row in messages(session))
    for row in (one, two):
        del row["id"], row["dedup_key"]
    assert one == two
    assert (one["facts"], one["state"], one["tries"], one["urgent"]) == (FACTS, MessageState.PENDING, 0, False)


def test_a_moment_is_kept_whatever_its_zone_and_needs_one(db: Database) -> None:
    there = MONDAY.astimezone(timezone(timedelta(hours=5, minutes=45)))
    with db.write() as session:
        append(session, Message, **message("one", at=there))
    with db.read() as session:
        [one] = messages(session)
        assert (one.created_at, one.created_at.utcoffset()) == (MONDAY, timedelta(0))
    with pytest.raises((ValueError, StatementError), match="time zone"), db.write() as session:
        append(session, Message, **message("two", at=MONDAY.replace(tzinfo=None)))
    with db.read() as session:
        assert len(messages(session)) == 1


def test_rows_of_one_table_with_other_columns_are_all_written(db: Database) -> None:
    with db.write() as session:
        append(session, Message, **message("1", tries=1))
        append(session, Message, **message("2"))
        append(session, Message, **message("3", tries=3))
    with db.read() as session:
        assert [(one.dedup_key, one.tries) for one in messages(session)] == [("1", 1), ("2", 0), ("3", 3)]


@pytest.mark.parametrize("content", [None, [], {"b": 1, "a": None}, "", 0])
def test_what_is_there_already_stays_as_it_is(db: Database, content: Any) -> None:
    for given in (content, "another"):
        with db.write() as session:
            append_once(session, Evidence, digest="d", content=given)
            append_once(session, Evidence, digest="d", content="a third")
    with db.read() as session:
        assert session.get_one(Evidence, "d").content == content
        assert session.scalars(select(Evidence).where(Evidence.content.is_(None))).all() == []


def test_who_writes_what_may_be_there_writes_it_in_one_order(db: Database) -> None:
    if db.is_sqlite:
        pytest.skip("whoever writes has locked everything")
    with db.write() as session:
        append_once(session, Evidence, digest="2", content=None)
        append_once(session, Evidence, digest="1", content=None)
    with db.read() as session:
        assert session.scalars(text("SELECT digest FROM evidence ORDER BY ctid")).all() == ["1", "2"]


def test_postgresql_writes_rows_of_all_tables_by_one_statement(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(SIGN_OFF) + LATER)
    with counted(company.db) as statements:
        company.decides("anna@example.com")
    inserting = [one for one in statements if one.startswith("WITH") and "INSERT INTO" in one]
    assert len(inserting) == (0 if company.db.is_sqlite else 1)
