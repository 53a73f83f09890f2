"""The outbox: who is told what, each thing once, and what becomes of messages that cannot be delivered."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from domain.mail_times import Occasion, was_held_up
from domain.reasons import Reason
from models.database import Database
from models.outbox import Message, MessageState
from notifications.messages import Mail, OutcomeMail
from operations.claim_messages import LEASE, claim_asking, claim_messages, claim_punctual
from operations.compose_message import Composer, workspace_for
from operations.settle_message import bury, settle_messages, try_again_later
from operations.telling import inform
from operations.workspace import locked
from tests.company import KEYS, MONDAY, REQUESTER, Company
from tests.integration.test_check_costs import counted
from tests.sample_plans import LATER, SIGN_OFF, one_gate

ANNA, BEN, CARLA = "anna@example.com", "ben@example.com", "carla@example.com"
DORA, EMIL = "dora@example.com", "emil@example.com"
COMPOSER = Composer(KEYS, "https://etappe.example.com")
ALL = f"{SIGN_OFF}, quorum: all, remind: every 1 days, escalate: [{{after: 2 days, to: chair}}]"


def compose(company: Company, message: Message) -> Mail | None:
    with company.db.read() as session:
        return COMPOSER.compose(workspace_for(session, message, company.now), message)


def told(company: Company) -> Counter[tuple[str, str]]:
    return Counter((message.topic, message.recipient) for message in company.messages())


def test_two_things_said_because_of_one_entry_are_both_said(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(ALL))
    with locked(db, KEYS, company.rollout_id, company.now) as ws:
        ws.note("gate.reminded")
        for headline in ("One thing", "Another"):
            inform(ws, [ANNA, ANNA], Reason(headline))
    assert company.headlines(ANNA) == ["One thing", "Another"]


def test_everybody_who_must_be_told_is_told_once_per_event(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(ALL), owner=DORA)
    for person in (ANNA, BEN, CARLA):
        company.decides(person)
    assert told(company) == Counter(
        {("request", person): 1 for person in (ANNA, BEN, CARLA)}
        | {("receipt", person): 1 for person in (ANNA, BEN, CARLA)}
        | {("outcome", person): 1 for person in (REQUESTER, DORA)}
        | {("information", person): 2 for person in (REQUESTER, DORA)}  # started, completed
    )


def test_an_owner_who_is_also_the_requester_is_told_once(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(f"{SIGN_OFF}, quorum: any"))
    company.decides(ANNA)
    assert told(company)["outcome", REQUESTER] == 1
    assert company.headlines(REQUESTER) == ["The rollout has started", "Completed: every stage has passed"]


def test_no_two_messages_share_a_dedup_key(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(ALL))
    for _ in range(3):
        company.later(days=1)
        company.checks()
    for person in (ANNA, BEN):
        company.decides(person, "reject")
    company.resumes()
    keys = [message.dedup_key for message in company.messages()]
    assert len(keys) == len(set(keys)) > 15


def test_every_message_of_an_eventful_rollout_can_be_written(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(ALL))
    company.later(days=2)
    company.checks()
    company.decides(EMIL, "request-changes")
    waiting = {message.topic: compose(company, message) for message in company.messages()}
    assert {topic: mail.kind for topic, mail in waiting.items() if mail} == {
        topic: topic for topic in ("request", "reminder", "escalation", "receipt", "information")
    }
    for person in (ANNA, BEN):
        company.decides(person, "reject")
    [outcome] = company.messages("outcome")
    mail = compose(company, outcome)
    assert isinstance(mail, OutcomeMail)
    assert (mail.gate, mail.settlement.outcome) == ("gate", "hold")


def test_asking_somebody_is_no_longer_true_once_their_request_is_void_or_done(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(ALL.replace("quorum: all", "quorum: any")))
    company.later(days=2)
    company.checks()
    asking = [message for message in company.messages() if message.topic in ("request", "reminder", "escalation")]
    assert all(compose(company, message) for message in asking)
    company.decides(ANNA)
    assert [compose(company, message) for message in asking] == [None] * len(asking)
    assert len(asking) > 5


def test_a_claimed_message_is_not_claimed_again_until_its_lease_has_ended(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(SIGN_OFF))
    first = [message.id for message in claim_messages(db, company.now)]
    assert len(first) == len(company.messages())
    company.now += LEASE - timedelta(seconds=1)
    assert claim_messages(db, company.now) == []
    company.later(seconds=1)
    assert [message.id for message in claim_messages(db, company.now)] == first


def test_whose_hours_were_seen_a_moment_ago_is_not_looked_up_again(db: Database) -> None:
    def looked_up(**since: float) -> bool:
        with counted(db) as statements:
            assert claim_messages(db, company.now + timedelta(**since))
        return any("FROM people" in statement for statement in statements)

    company = Company(db)
    company.start(one_gate(SIGN_OFF))
    assert not looked_up()
    company.start(one_gate(SIGN_OFF))
    assert looked_up(seconds=10)  # it was held up
    for message in (held := claim_messages(db, company.now + 2 * LEASE)):
        try_again_later(db, [message.id], "busy", company.now - timedelta(seconds=60))
    assert held
    assert looked_up()  # when it is tried again, nobody has asked yet whether its reader gets mail then


def test_what_asks_and_was_written_a_moment_ago_is_taken_at_once_and_by_itself(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(ALL))
    taken = claim_punctual(db, company.now, limit=2)
    assert [(message.topic, message.recipient) for message in taken] == [("request", ANNA), ("request", BEN)]
    assert {message.leased_until for message in taken} == {company.now + LEASE}
    with counted(db) as statements:
        assert [message.recipient for message in claim_asking(db, company.now)] == [CARLA]
    assert len([one for one in statements if "messages" in one]) == 1
    assert claim_punctual(db, company.now) == claim_asking(db, company.now) == []
    assert {message.topic for message in claim_messages(db, company.now)} == {"information"}


@pytest.mark.parametrize(
    ("later", "values"),
    [
        (timedelta(seconds=5), {}),
        (timedelta(seconds=5, microseconds=1), {}),
        (timedelta(0), {"tries": 1}),
        (timedelta(0), {"occasion": Occasion.PRESSING}),
    ],
)
def test_what_is_taken_at_once_is_what_needs_no_look_at_its_readers_hours(
    db: Database, later: timedelta, values: dict[str, Any]
) -> None:
    company = Company(db)
    company.start(one_gate(ALL))
    now = company.now + later
    for column, value in values.items():
        with db.write() as session:
            session.execute(update(Message).where(Message.topic == "request").values({column: value}))
    with db.read() as session:
        asking = session.scalars(select(Message).where(Message.topic == "request")).all()
    needs_a_look = was_held_up(company.now, now) or any(one.tries or one.by_the_clock for one in asking)
    with counted(db) as statements:
        taken = claim_asking(db, now)
    assert len(taken) == len(asking) == 3
    assert any("FROM people" in statement for statement in statements) is needs_a_look
    assert bool(values or later > timedelta(seconds=5)) is needs_a_look


@pytest.mark.parametrize(
    "values",
    [
        {"state": MessageState.SENT},
        {"topic": "receipt"},
        {"due_at": MONDAY + timedelta(seconds=1)},
        {"leased_until": MONDAY + timedelta(seconds=1)},
        {"tries": 1},
        {"occasion": Occasion.PRESSING},
    ],
    ids=str,
)
def test_nothing_else_is_taken_at_once(db: Database, values: dict[str, Any]) -> None:
    company = Company(db)
    company.start(one_gate(ALL))
    with db.write() as session:
        session.execute(update(Message).values(**values))
    assert claim_punctual(db, MONDAY) == []


def test_a_message_that_was_sent_or_dropped_is_not_claimed_again(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(SIGN_OFF))
    claimed = [message.id for message in claim_messages(db, company.now)]
    settle_messages(db, claimed[:2], MessageState.SENT, company.now)
    settle_messages(db, claimed[2:], MessageState.DROPPED, company.now)
    company.later(days=30)
    assert claim_messages(db, company.now) == []
    assert [message.tries for message in company.messages()] == [1] * len(claimed)


def test_a_message_that_failed_for_now_is_tried_again_with_growing_pauses(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(SIGN_OFF))
    pauses = []
    for _ in range(4):
        claimed = [message.id for message in claim_messages(db, company.now)]
        try_again_later(db, claimed, "451 try later", company.now)
        assert claim_messages(db, company.now) == []
        due = min(message.due_at for message in company.messages())
        pauses.append(due - company.now)
        company.now = due
    assert pauses == sorted(set(pauses))
    assert {message.last_error for message in company.messages()} == {"451 try later"}


def test_a_message_that_can_never_be_delivered_is_told_to_the_owner_and_recorded(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(SIGN_OFF), owner=DORA)
    [request] = company.messages("request", BEN)
    bury(db, [request.id], "550 no such user", company.now)
    assert company.messages("request", BEN)[0].state is MessageState.DEAD
    for person in (DORA, REQUESTER):
        assert company.headlines(person)[-1] == "A mail could not be delivered to ben@example.com"
    assert company.actions()[-1] == "message.dead"
    company.later(days=30)
    assert request.id not in [message.id for message in claim_messages(db, company.now)]


def test_the_owners_own_dead_mail_is_not_answered_with_another_mail_to_them(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(SIGN_OFF))
    [started] = company.messages("information", REQUESTER)
    bury(db, [started.id], "550", company.now)
    assert len(company.messages("information", REQUESTER)) == 1


def test_news_of_a_gate_that_come_late_say_what_has_become_of_the_rollout_and_not_that_it_was_the_last(
    db: Database,
) -> None:
    company = Company(db)
    company.start(one_gate(f"{SIGN_OFF}, quorum: any") + LATER)
    company.decides(ANNA)
    [first] = company.messages("outcome", REQUESTER)
    assert follows(company, first) == "The rollout goes on. Open now: The last gate"
    company.later(minutes=2)
    company.decides(DORA)
    [_, last] = company.messages("outcome", REQUESTER)
    assert follows(company, first) == "The rollout is completed by now."
    assert follows(company, last) == "This was the last one: the rollout is completed."


def test_news_of_a_gate_that_come_after_the_rollout_was_called_off_do_not_say_that_it_goes_on(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(f"{SIGN_OFF}, quorum: any") + LATER)
    company.decides(ANNA)
    [first] = company.messages("outcome", REQUESTER)
    company.cancels()
    assert follows(company, first) == "The rollout has ended for good."


def follows(company: Company, message: Message) -> str:
    """What happens now, as the news of a gate would say it now."""
    mail = compose(company, message)
    assert isinstance(mail, OutcomeMail)
    return str(mail.follows)
