"""Several mails written together say what each would say by itself, and are not paid for one by one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from email.message import EmailMessage

import pytest

from domain.mail_times import Occasion
from models.database import Database
from models.outbox import Message, MessageState
from notifications.messages import Mail
from operations.compose_message import Composer, workspace_for
from operations.reading_ahead import read_ahead
from tests.company import ANNA, BEN, CARLA, DORA, EMIL, KEYS, Company
from tests.delivering import post
from tests.fakes import FakeSender
from tests.integration.test_check_costs import counted
from tests.sample_plans import LATER, SIGN_OFF, one_gate

COMPOSER = Composer(KEYS, "https://etappe.example.com")
ALL = f"{SIGN_OFF}, quorum: all, remind: every 1 days, escalate: [{{after: 2 days, to: chair}}]"


def mails_of(company: Company, messages: Sequence[Message], *, ahead: bool) -> list[Mail | None]:
    """What these messages say now, written in one session."""
    with company.db.read() as session:
        if ahead:
            read_ahead(session, messages, company.now)
        return [COMPOSER.compose(workspace_for(session, message, company.now), message) for message in messages]


def an_eventful_time(company: Company) -> Iterator[list[Message]]:
    """Lent voices, absences, conditions, silence, a change of the budget: all messages, at several moments."""
    company.lends(BEN, DORA)
    company.is_away(CARLA, days=60)
    before: list[Message] = []
    for title in ("One", "Another"):
        company.start(one_gate(f"{ALL}, pinned_to: [budget]") + LATER, title=title, budget={"Printing": "5000"})
        company.attaches("https://example.com/offer", "The offer")
        company.decides(ANNA, "approve-with-conditions", conditions=[company.condition("A training", EMIL)])
        company.later(days=2)
        company.checks()
        yield before + company.messages()
        company.changes(budget={"Printing": "7000"})
        yield before + company.messages()
        for request in (company.asked_for(BEN, DORA), company.asked(ANNA), company.asked(CARLA)):
            company.decides(request.person, request=request)
        before += company.messages()
        yield before


def test_what_is_read_ahead_changes_no_mail(db: Database) -> None:
    company, kinds = Company(db), set[str]()
    for messages in an_eventful_time(company):
        alone = [mail for message in messages for mail in mails_of(company, [message], ahead=False)]
        assert mails_of(company, messages, ahead=True) == alone
        kinds |= {mail.kind for mail in alone if mail}
    assert kinds >= {"request", "receipt", "reminder", "escalation", "lapsed", "outcome", "information"}


def decided(company: Company, count: int) -> None:
    """So many rollouts are decided, and for each wait three mails: one asks, a receipt, and what it came to."""
    rollout_ids = [company.start(one_gate(f"{SIGN_OFF}, quorum: any") + LATER) for _ in range(count)]
    post(company, FakeSender()).deliver_all()
    for company.rollout_id in rollout_ids:
        company.decides(ANNA)


@pytest.mark.parametrize("topic", ["request", "receipt", "outcome"])
def test_writing_asks_the_database_nothing_that_was_read_ahead(db: Database, topic: str) -> None:
    company = Company(db)
    decided(company, 2)
    messages = [one for one in company.messages(topic) if one.state is MessageState.PENDING]
    with company.db.read() as session:
        read_ahead(session, messages, company.now)
        with counted(company.db) as statements:
            for message in messages:
                assert COMPOSER.compose(workspace_for(session, message, company.now), message)
    assert messages
    assert statements == []


def test_ten_mails_are_written_with_as_many_statements_as_two(db: Database) -> None:
    company = Company(db)
    took = {}
    for count in (2, 10):
        decided(company, count)
        sender = FakeSender()
        with counted(company.db) as statements:
            post(company, sender).deliver()
        assert [mail["X-Etappe-Kind"] for _, mail in sender.sent] == count * ["request"]
        took[count] = [statement for statement in statements if not statement.startswith("UPDATE")]
        post(company, FakeSender()).deliver_all()
    assert len(took[10]) - 8 == len(took[2])  # each is settled by a transaction of its own, where they go one by one


@pytest.mark.parametrize("nonsense", [{"decision_id": "seven"}, {"request_id": {"no": "id"}}, {"gate_id": [1]}])
def test_a_message_that_cannot_be_read_about_holds_up_no_other(db: Database, nonsense: dict[str, object]) -> None:
    company = Company(db)
    company.start(one_gate(ALL))
    with db.write() as session:
        bad = Message(rollout_id=company.rollout_id, recipient=EMIL, topic="receipt", dedup_key="bad", facts=nonsense,
                      occasion=Occasion.EVENT, due_at=company.now, created_at=company.now)  # fmt: skip
        session.add(bad)
    sender = FakeSender()
    post(company, sender).deliver_all()
    assert {message.state for message in company.messages() if message.dedup_key != "bad"} == {MessageState.SENT}
    [bad] = [message for message in company.messages() if message.dedup_key == "bad"]
    assert (bad.state, bad.tries) == (MessageState.PENDING, 1)
    assert bad.last_error


def test_what_was_sent_together_is_settled_by_one_statement(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker.post.SETTLE_AFTER_SECONDS", 60.0)
    company = Company(db)
    company.start(one_gate(ALL))
    delivering = post(company, FakeSender(), at_once=4)
    with counted(company.db) as statements:
        delivering.deliver()
    delivering.close()
    assert [one.state for one in company.messages("request")] == 3 * [MessageState.SENT]
    assert len([one for one in statements if one.startswith("UPDATE messages SET state")]) == 1


def test_a_slow_answer_keeps_no_other_mail_from_being_settled(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(ALL))
    others_are_settled: list[bool] = []

    class Slow(FakeSender):
        def send(self, message: EmailMessage, recipient: str) -> None:
            if recipient == ANNA:
                others_are_settled.append(within_half_a_minute(lambda: settled(company) >= {BEN, CARLA}))
            super().send(message, recipient)

    delivering = post(company, Slow(), at_once=4)
    delivering.deliver()
    delivering.close()
    assert others_are_settled == [True]
    assert settled(company) == {ANNA, BEN, CARLA}


def settled(company: Company) -> set[str]:
    """Whose mail that asks is settled."""
    return {one.recipient for one in company.messages("request") if one.state is MessageState.SENT}


def within_half_a_minute(so: Callable[[], bool]) -> bool:
    until = time.monotonic() + 30
    while not so():
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True
