"""The Post: every message of the outbox reaches its reader once, whatever the mail server does."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from email import message_from_bytes
from email.message import EmailMessage

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from sqlalchemy import select

from domain import links
from models.database import Database
from models.outbox import Message, MessageState
from notifications.senders import SmtpPool, SmtpSender
from operations.claim_messages import claim_messages
from operations.compose_message import Composer
from operations.show_request import show_request
from tests.company import KEYS, REQUESTER, Company
from tests.delivering import kinds, post, text_of
from tests.fakes import FakeSender
from tests.ports import free_port
from tests.sample_plans import SIGN_OFF, one_gate
from worker.hurry import Hurry
from worker.relay import MAILS_AT_ONCE

ANNA, BEN, CARLA = "anna@example.com", "ben@example.com", "carla@example.com"
ALL = f"{SIGN_OFF}, quorum: all, remind: every 1 days"


def states(company: Company) -> Counter[MessageState]:
    return Counter(message.state for message in company.messages())


class Server:
    """A real SMTP server that keeps what it takes."""

    def __init__(self) -> None:
        self.mails: list[tuple[str, bytes]] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.mails += [(str(to), envelope.original_content or b"") for to in envelope.rcpt_tos]
        return "250 taken"


@pytest.fixture
def server() -> Iterator[tuple[Server, Controller]]:
    handler = Server()
    controller = Controller(handler, hostname="127.0.0.1", port=free_port())
    controller.start()
    yield handler, controller
    if not controller.loop.is_closed():  # a test may have stopped it already
        controller.stop(no_assert=True)


def url(controller: Controller) -> str:
    return f"smtp://127.0.0.1:{controller.port}"


def test_a_request_arrives_with_a_link_and_a_code_that_work(db: Database, server: tuple[Server, Controller]) -> None:
    handler, controller = server
    company = Company(db)
    company.start(one_gate(ALL))
    sender = SmtpSender(url(controller))
    post(company, sender).deliver_all()
    sender.close()
    assert Counter(to for to, _ in handler.mails) == {ANNA: 1, BEN: 1, CARLA: 1, REQUESTER: 1}
    from email import message_from_bytes, policy

    [content] = [content for to, content in handler.mails if to == BEN]
    text = text_of(message_from_bytes(content, policy=policy.default))
    [token] = set(re.findall(r"https://etappe\.example\.com/decide/(\S+)", text))
    page = show_request(company.db, token, company.now)
    assert page.question.gate_title == "The gate"
    [request] = company.requests(BEN)
    assert links.code(KEYS[0], request.id, request.link_number) in text.replace(" ", "")
    assert states(company) == {MessageState.SENT: 4}


def test_two_reminders_for_one_person_are_one_digest(db: Database) -> None:
    company = Company(db)
    sender = FakeSender()
    source = one_gate(ALL).rstrip() + f"\n      - {{id: other, title: The other gate, {ALL}}}\n"
    company.start(source)
    post(company, sender).deliver_all()
    company.later(days=1, hours=1)
    company.checks()
    company.later(days=1)  # the next morning is over
    sender.sent.clear()
    post(company, sender).deliver_all()
    assert kinds(sender) == {(person, "digest"): 1 for person in (ANNA, BEN, CARLA)}
    text = text_of(sender.sent[0][1])
    assert "The gate" in text
    assert "The other gate" in text
    assert set(states(company)) == {MessageState.SENT}


def test_a_digest_leaves_out_what_is_no_longer_true(db: Database) -> None:
    company = Company(db)
    sender = FakeSender()
    either = 'kind: sign-off, question: "Ok?", approvers: [board, finance], quorum: any, remind: every 1 days'
    company.start(one_gate(ALL).rstrip() + f"\n      - {{id: other, title: The other gate, {either}}}\n")
    post(company, sender).deliver_all()
    company.later(days=1, hours=1)
    company.checks()
    company.decides("dora@example.com")
    company.later(days=1)  # the next morning is over
    sender.sent.clear()
    post(company, sender).deliver_all()
    assert {person: kinds(sender)[person, "reminder"] for person in (ANNA, BEN, CARLA)} == {ANNA: 1, BEN: 1, CARLA: 1}
    assert states(company)[MessageState.DROPPED] == 4


def test_a_temporary_failure_is_tried_again_later(db: Database) -> None:
    company = Company(db)
    sender = FakeSender(450, 450, 450, 450)
    company.start(one_gate(ALL))
    post(company, sender).deliver_all()
    assert states(company) == {MessageState.PENDING: 4}
    post(company, sender).deliver_all()
    assert sender.sent == []
    company.later(seconds=6)
    post(company, sender).deliver_all()
    assert len(sender.sent) == 4
    assert states(company) == {MessageState.SENT: 4}


def test_temporary_failures_for_days_on_end_are_given_up(db: Database) -> None:
    company = Company(db)
    sender = FakeSender(*[None] * 100)
    company.start(one_gate(f"{SIGN_OFF}, quorum: all"))
    post(company, sender).deliver_all()
    company.later(days=4)
    post(company, sender).deliver_all()
    assert states(company)[MessageState.DEAD] >= 3


def test_a_permanent_failure_is_told_to_the_owner_at_once(db: Database) -> None:
    company = Company(db)
    sender = FakeSender()
    company.start(one_gate(ALL), owner="dora@example.com")
    told = [message.recipient for message in sorted(company.messages(), key=lambda one: one.topic != "request")]
    sender.replies = [550 if person == BEN else 250 for person in told]
    post(company, sender).deliver_all()
    dead = [message.recipient for message in company.messages() if message.state is MessageState.DEAD]
    assert dead == [BEN]
    assert any("Ben" in text_of(mail) or BEN in text_of(mail) for to, mail in sender.sent if to == "dora@example.com")
    assert states(company)[MessageState.PENDING] == 0


def test_nothing_is_lost_while_the_mail_server_is_down(db: Database, server: tuple[Server, Controller]) -> None:
    handler, controller = server
    address = url(controller)
    controller.stop()
    company = Company(db)
    company.start(one_gate(ALL))
    sender = SmtpSender(address)
    post(company, sender).deliver_all()
    assert states(company) == {MessageState.PENDING: 4}
    again = Controller(handler, hostname="127.0.0.1", port=int(address.rsplit(":", 1)[1]))
    again.start()
    company.later(seconds=6)
    post(company, sender).deliver_all()
    sender.close()
    again.stop()
    assert len(handler.mails) == 4
    assert states(company) == {MessageState.SENT: 4}


def test_a_message_that_cannot_be_written_does_not_block_the_others(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    company = Company(db)
    sender = FakeSender()
    company.start(one_gate(ALL).rstrip() + f"\n      - {{id: other, title: The other gate, {ALL}}}\n")
    post(company, sender).deliver_all()
    company.later(days=1, hours=1)
    company.checks()
    company.later(days=1)  # the next morning is over
    sender.sent.clear()
    compose = Composer.compose
    broken = next(message.id for message in company.messages() if message.topic == "reminder")

    def compose_or_break(self: Composer, ws: object, message: object) -> object:
        if message.id == broken:  # type: ignore[attr-defined]
            raise LookupError("no such template")
        return compose(self, ws, message)  # type: ignore[arg-type]

    monkeypatch.setattr(Composer, "compose", compose_or_break)
    post(company, sender).deliver_all()
    assert len(sender.sent) == 3
    assert [message.id for message in company.messages() if message.state is MessageState.PENDING] == [broken]
    company.later(days=5)  # reminders keep weekends
    post(company, sender).deliver_all()
    [dead] = [message for message in company.messages() if message.state is MessageState.DEAD]
    assert dead.id == broken
    assert "no such template" in str(dead.last_error)


def test_a_mail_sent_again_after_a_crash_has_the_same_message_id(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    company = Company(db)
    sender = FakeSender()
    company.start(one_gate(f"{SIGN_OFF}, quorum: any"))

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("worker.post.settle_messages", killed)
        with pytest.raises(KeyboardInterrupt):
            post(company, sender).deliver_all()
    [(recipient, first)] = sender.sent
    post(company, sender).deliver_all()
    assert recipient not in [to for to, _ in sender.sent[1:]]  # until the lease ends
    company.later(minutes=3)
    post(company, sender).deliver_all()
    again = [mail for to, mail in sender.sent[1:] if to == recipient]
    assert first["Message-ID"] in [mail["Message-ID"] for mail in again]
    assert states(company) == {MessageState.SENT: 4}


def test_what_a_slow_mail_server_leaves_of_a_batch_is_delivered_by_the_next_one(db: Database) -> None:
    company = Company(db)

    class Slow(FakeSender):
        def send(self, message: EmailMessage, recipient: str) -> None:
            super().send(message, recipient)
            company.later(seconds=40)

    sender = Slow()
    company.start(one_gate(ALL))
    post(company, sender).deliver()
    assert len(sender.sent) == 2
    company.later(minutes=1)
    post(company, sender).deliver_all()
    assert Counter(to for to, _ in sender.sent) == {ANNA: 1, BEN: 1, CARLA: 1, REQUESTER: 1}


def test_a_stopped_post_ends_after_the_batch_it_has_begun(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(ALL))
    sender = FakeSender()
    stopped = post(company, sender)
    stopped._stopped = lambda: True
    stopped.deliver_all()
    assert sender.sent == []


def test_two_relays_send_each_mail_once(db: Database) -> None:
    company = Company(db)
    for number in range(15):
        company.start(one_gate(ALL), title=f"Rollout {number}")
    senders = [FakeSender() for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda sender: post(company, sender).deliver_all(), senders))
    sent = Counter((to, str(mail["Message-ID"])) for sender in senders for to, mail in sender.sent)
    assert len(sent) == 15 * 4
    assert set(sent.values()) == {1}
    company.later(minutes=5)
    assert post(company, FakeSender()).deliver() == 0


class SeveralAtOnce(Server):
    """Takes no mail before so many are being handed in at the same time."""

    def __init__(self, several: int) -> None:
        super().__init__()
        self._waiting, self._several = 0, several
        self._together = asyncio.Event()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self._waiting += 1
        if self._waiting == self._several:
            self._together.set()
        await self._together.wait()
        return await super().handle_DATA(server, session, envelope)


def test_when_there_is_much_to_send_several_mails_are_sent_at_once_and_each_of_them_once(db: Database) -> None:
    handler = SeveralAtOnce(MAILS_AT_ONCE)
    controller = Controller(handler, hostname="127.0.0.1", port=free_port())
    controller.start()
    company = Company(db)
    for _ in range(3):
        company.start(one_gate(ALL))
    sender = SmtpPool(url(controller))
    delivering = post(company, sender, at_once=MAILS_AT_ONCE)
    try:
        delivering.deliver_all()
    finally:
        delivering.close()
        sender.close()
        controller.stop(no_assert=True)
    with db.read() as session:
        states = Counter(session.scalars(select(Message.state)))
    assert states == {MessageState.SENT: len(handler.mails)}
    ids = [message_from_bytes(content)["Message-ID"] for _, content in handler.mails]
    assert len(set(ids)) == len(ids) == 3 * 4  # three who decide, and the requester


def test_what_a_rollout_waits_for_is_sent_before_what_is_merely_told(db: Database) -> None:
    company = Company(db)
    for _ in range(2):
        company.start(one_gate(ALL))
        company.decides(ANNA)
    first = [message.topic for message in claim_messages(db, company.now)]
    assert first[:6] == ["request"] * 6
    assert Counter(first[6:]) == {"information": 2, "receipt": 2}


def test_whoever_is_asked_meanwhile_does_not_wait_for_what_is_merely_told(db: Database) -> None:
    company = Company(db)
    for number in range(25):
        company.start(one_gate(f"{SIGN_OFF}, quorum: any"), title=f"Rollout {number}")
        company.mails_arrive()
        company.decides(ANNA)

    class Meanwhile(FakeSender):
        def send(self, message: EmailMessage, recipient: str) -> None:
            super().send(message, recipient)
            if len(self.sent) == 1:
                company.start(one_gate(SIGN_OFF))

    sender = Meanwhile()
    post(company, sender).deliver_all()
    sent = [str(mail["X-Etappe-Kind"]) for _, mail in sender.sent]
    assert sent[0] != "request"
    assert "request" not in sent[20:]
    assert sent.count("request") == 3
    assert len(sent) > 30


def test_others_hear_when_people_are_asked_and_only_then(db: Database) -> None:
    company = Company(db)
    said: list[int] = []
    sender = FakeSender()

    class Heard(Hurry):
        def goes_on(self) -> None:
            said.append(len(sender.sent))
            super().goes_on()

    delivering = post(company, sender, hurry=Heard())
    delivering.deliver_all()
    assert said == []
    company.start(one_gate(ALL))
    delivering.deliver_all()
    assert said == [0]


def test_what_is_merely_told_waits_while_more_and_more_people_are_asked(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(f"{SIGN_OFF}, quorum: any"))
    company.mails_arrive()
    company.decides(ANNA)
    left = [1, 2, 3]

    class Lasting(Hurry):
        def lasts(self) -> bool:
            if left:
                company.start(one_gate(f"{SIGN_OFF}, quorum: any"), title=f"Rollout {left.pop()}")
                return True
            return False

    sender = FakeSender()
    post(company, sender, hurry=Lasting()).deliver_all()
    sent = [str(mail["X-Etappe-Kind"]) for _, mail in sender.sent]
    assert sent.count("request") == 9
    assert set(sent[:9]) == {"request"}
    assert len(sent) > 9


def test_what_is_merely_told_does_not_wait_for_ever(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker.post.AT_MOST_SECONDS", 0.05)
    company = Company(db)
    company.start(one_gate(f"{SIGN_OFF}, quorum: any"))
    company.mails_arrive()
    company.decides(ANNA)

    class Endless(Hurry):
        def lasts(self) -> bool:
            return True

    sender = FakeSender()
    post(company, sender, hurry=Endless()).deliver_all()
    assert ("receipt", ANNA) in [(str(mail["X-Etappe-Kind"]), to) for to, mail in sender.sent]
