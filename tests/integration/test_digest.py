"""When mails reach their readers, and what is said in one: by the clock of a company, through the real Post.

Everybody lives in Zurich, an hour ahead of UTC; MONDAY is 10:00 there. Who is asked at a gate of REMINDED is reminded
on Tuesday, and reads it on Wednesday morning.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from itertools import pairwise

import pytest
from sqlalchemy import event

from domain.mail_times import APART
from domain.reasons import Reason
from models.database import Database
from models.outbox import MessageState
from operations.claim_messages import claim_messages
from operations.telling import inform
from operations.workspace import locked
from tests.company import KEYS, PEOPLE, REQUESTER, Company
from tests.delivering import kinds, post, text_of
from tests.fakes import FakeSender
from tests.sample_plans import SIGN_OFF, one_gate

ANNA, BEN, CARLA = "anna@example.com", "ben@example.com", "carla@example.com"
REMINDED = f"{SIGN_OFF}, quorum: all, remind: every 1 business days"
HOURLY = REMINDED.replace("1 business days", "1 hours")
URGENT = f"{REMINDED}, urgent: true"
QUIET = PEOPLE.replace("name: Ben Frei", 'name: Ben Frei, quiet: "19:00-07:00"')
TUESDAY_EVENING = datetime(2026, 3, 3, 19, 30, tzinfo=UTC)
WEDNESDAY = datetime(2026, 3, 4, 7, 0, tzinfo=UTC)  # 08:00 in Zurich


def delivered(company: Company, at: datetime | None = None) -> FakeSender:
    """What the Post sends at a moment, of all that is due by then."""
    company.now, sender = at or company.now, FakeSender()
    post(company, sender).deliver_all()
    return sender


def to(sender: FakeSender, person: str) -> list[EmailMessage]:
    return [mail for recipient, mail in sender.sent if recipient == person]


def reminded(db: Database, gate: str = REMINDED, rollouts: int = 1) -> Company:
    """A company in which everybody was asked on Monday, and reminded on Tuesday."""
    company = Company(db)
    for number in range(rollouts):
        company.start(one_gate(gate), title=f"Rollout {number}")
    delivered(company)
    company.later(days=1)
    company.checks()
    return company


def test_what_comes_by_the_clock_waits_for_the_morning_and_is_one_mail_across_rollouts(db: Database) -> None:
    company = reminded(db, rollouts=2)
    with locked(db, KEYS, company.rollout_id, company.now) as ws:
        ws.note("stage.stalled")
        inform(ws, [BEN], Reason("“{stage}” has stalled", {"stage": "Only stage"}), in_the_morning=True)
    assert delivered(company, WEDNESDAY - timedelta(seconds=1)).sent == []
    sender = delivered(company, WEDNESDAY)
    assert kinds(sender) == {(person, "digest"): 1 for person in (ANNA, BEN, CARLA)}
    [mail] = to(sender, BEN)
    assert mail["Subject"] == "2 questions are waiting for you, and there is news"
    text = text_of(mail)
    for row in company.requests(BEN):  # of the last rollout; the other one's stands beside it
        assert company.token(row) in text and company.code(row) in text.replace(" ", "")
    assert text.count("/decide/") == 2
    assert "“Only stage” has stalled" in text
    assert delivered(company, WEDNESDAY + timedelta(hours=8)).sent == []


def test_one_reminder_alone_is_a_reminder(db: Database) -> None:
    company = reminded(db)
    assert kinds(delivered(company, WEDNESDAY)) == {(person, "reminder"): 1 for person in (ANNA, BEN, CARLA)}


def test_who_has_answered_before_the_morning_gets_no_digest_and_no_empty_one(db: Database) -> None:
    company = reminded(db, rollouts=2)
    company.decides(BEN)
    delivered(company)
    sender = delivered(company, WEDNESDAY)
    assert [str(mail["X-Etappe-Kind"]) for mail in to(sender, BEN)] == ["reminder"]
    company.decides(ANNA, "reject")  # too few are left to approve, so nobody is asked any longer
    company.later(days=2)
    assert "reminder" not in {kind for _, kind in kinds(delivered(company))}


def test_hourly_reminders_come_at_once_one_an_hour_at_most_and_the_others_join(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(HOURLY), title="First")
    company.later(minutes=20)
    company.start(one_gate(HOURLY), title="Second")
    delivered(company)
    company.later(minutes=40)
    company.checks()
    assert kinds(delivered(company))[ANNA, "reminder"] == 1
    company.later(minutes=20)
    company.checks()
    assert delivered(company).sent == []
    company.later(minutes=40)
    company.checks()
    sender = delivered(company)
    assert kinds(sender)[ANNA, "digest"] == 1
    assert text_of(to(sender, ANNA)[0]).count("/decide/") == 2
    company.now = TUESDAY_EVENING
    company.checks()
    assert delivered(company).sent == []  # the night is everybody's


def test_an_urgent_gate_keeps_no_hours_and_its_mails_say_so(db: Database) -> None:
    company = Company(db, now=TUESDAY_EVENING, directory=QUIET)
    company.start(one_gate(URGENT))
    [request] = to(delivered(company), BEN)
    assert str(request["Subject"]).startswith("Urgent: Please decide: The gate")
    assert (request["Importance"], request["X-Priority"]) == ("high", "1")
    company.later(days=4)  # a Saturday evening
    company.checks()
    sender = delivered(company)
    [reminder], [german] = to(sender, BEN), to(sender, ANNA)
    assert str(reminder["Subject"]).startswith("Urgent: Still open")
    assert str(german["Subject"]).startswith("Dringend: Noch offen")
    company.decides(BEN, "reject")
    [outcome] = to(delivered(company), REQUESTER)
    assert outcome["Subject"] == "Dringend: Angehalten: «Only stage» (+1) – A rollout"


def test_quiet_hours_hold_what_asks_and_what_tells_but_not_what_answers(db: Database) -> None:
    company = Company(db, now=TUESDAY_EVENING, directory=QUIET)
    company.start(one_gate(f"{SIGN_OFF}, quorum: all"))
    assert {recipient for recipient, _ in delivered(company).sent} == {ANNA, CARLA, REQUESTER}
    [held] = company.messages("request", BEN)
    assert held.due_at == held.wanted_at == datetime(2026, 3, 4, 6, tzinfo=UTC)
    company.decides(BEN)  # somebody has shown him the link
    assert kinds(delivered(company)) == {(BEN, "receipt"): 1}
    delivered(company, WEDNESDAY)
    assert company.messages("request", BEN)[0].state is MessageState.DROPPED


def test_what_a_mail_server_has_held_up_does_not_come_in_the_night(db: Database) -> None:
    company = Company(db, directory=QUIET)
    company.start(one_gate(SIGN_OFF))
    post(company, FakeSender(*[None] * 9)).deliver_all()
    company.now = TUESDAY_EVENING
    assert {recipient for recipient, _ in delivered(company).sent} == {ANNA, CARLA, REQUESTER}
    assert kinds(delivered(company, WEDNESDAY)) == {(BEN, "request"): 1}


def test_what_was_held_over_a_night_goes_by_the_hours_that_its_reader_has_in_the_morning(db: Database) -> None:
    company = Company(db, now=TUESDAY_EVENING, directory=QUIET)
    company.start(one_gate(SIGN_OFF))
    delivered(company)
    [held] = company.messages("request", BEN)
    company.import_people(QUIET.replace("19:00-07:00", "19:00-11:00"))
    at_seven = held.due_at + timedelta(seconds=1)
    assert not delivered(company, at_seven).sent
    assert kinds(delivered(company, at_seven + timedelta(hours=4))) == {(BEN, "request"): 1}


def test_what_was_held_over_a_night_is_said_in_one_mail(db: Database) -> None:
    company = Company(db, now=TUESDAY_EVENING, directory=QUIET.replace("Lea Brunner", 'Lea, quiet: "19:00-07:00"'))
    for number in range(3):
        company.start(one_gate(SIGN_OFF), title=f"Rollout {number}")
    assert to(delivered(company), REQUESTER) == []
    [mail] = to(delivered(company, WEDNESDAY), REQUESTER)
    assert mail["Subject"] == "3 Neuigkeiten zu Ihren Vorhaben"


def test_what_follows_from_one_decision_is_one_mail_to_whoever_only_hears_it(db: Database) -> None:
    company = Company(db)
    company.start(one_gate(f"{SIGN_OFF}, quorum: any"))
    delivered(company)
    company.decides(ANNA)
    [mail] = to(delivered(company), REQUESTER)
    text = text_of(mail)
    assert "Bestanden: The gate" in text and "Abgeschlossen" in text
    assert mail["References"] and mail["X-Etappe-Rollout"] == company.rollout_id


def test_whoever_is_not_in_the_directory_keeps_the_hours_of_the_plan(db: Database) -> None:
    company = Company(db)
    source = one_gate(REMINDED.replace("[board]", "[ben@example.com, guest@example.org]"))
    company.start(source.replace("Europe/Zurich", "Asia/Tokyo"))
    company.later(days=1)
    company.checks()
    due = {message.recipient: message.due_at for message in company.messages("reminder")}
    assert due == {BEN: WEDNESDAY, "guest@example.org": datetime(2026, 3, 3, 23, tzinfo=UTC)}


def test_what_was_held_over_easter_is_not_given_up_at_its_first_hiccup(db: Database) -> None:
    company = Company(db, now=datetime(2026, 4, 2, 18, tzinfo=UTC),
                      directory=QUIET.replace("name: Ben Frei", "name: Ben Frei, holidays: CH-ZH"))  # fmt: skip
    company.start(one_gate(SIGN_OFF))
    delivered(company)
    company.now = datetime(2026, 4, 7, 5, tzinfo=UTC)
    post(company, FakeSender(450)).deliver_all()
    [held] = company.messages("request", BEN)
    assert (held.state, held.tries) == (MessageState.PENDING, 1)
    company.later(days=3)
    post(company, FakeSender(450)).deliver_all()
    assert company.messages("request", BEN)[0].state is MessageState.DEAD


def test_a_digest_is_not_torn_by_how_much_a_relay_takes_at_once(db: Database) -> None:
    reminded(db, rollouts=4)
    assert [message.recipient for message in claim_messages(db, WEDNESDAY, limit=1)] == [ANNA] * 4
    assert Counter(message.recipient for message in claim_messages(db, WEDNESDAY, limit=4)) == {BEN: 4, CARLA: 4}


def test_two_relays_in_the_same_morning_send_one_digest_each(db: Database) -> None:
    company = reminded(db, rollouts=6)
    company.now = WEDNESDAY
    senders = [FakeSender() for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda sender: post(company, sender).deliver_all(), senders))
    assert sum((kinds(sender) for sender in senders), Counter()) == {
        (person, "digest"): 1 for person in (ANNA, BEN, CARLA)
    }


def test_after_a_crash_the_same_digest_is_sent_again_and_nothing_joins_it(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    company = reminded(db, rollouts=2)
    company.now, first = WEDNESDAY, FakeSender()

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("worker.post.settle_messages", killed)
        with pytest.raises(KeyboardInterrupt):
            post(company, first).deliver_all()
    [(reader, sent)] = first.sent
    with locked(db, KEYS, company.rollout_id, company.now) as ws:
        ws.note("gate.reminded")
        inform(ws, [reader], Reason("Something new"), in_the_morning=True)
    again = to(delivered(company, WEDNESDAY + timedelta(minutes=3)), reader)
    assert [mail["Message-ID"] for mail in again] == [sent["Message-ID"]]
    later = to(delivered(company, WEDNESDAY + timedelta(minutes=63)), reader)
    assert [mail["X-Etappe-Kind"] for mail in later] == ["information"]


def test_a_digest_that_is_tried_again_stays_one(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    company = reminded(db)
    company.now = WEDNESDAY
    post(company, FakeSender(*[450] * 3)).deliver_all()
    with locked(db, KEYS, company.rollout_id, company.now) as ws:  # this one has not failed yet
        ws.note("gate.reminded")
        inform(ws, [BEN], Reason("Something new"), in_the_morning=True)
    company.later(seconds=6)
    post(company, FakeSender(*[450] * 3)).deliver_all()
    company.later(seconds=20)
    assert kinds(delivered(company)) == {(ANNA, "reminder"): 1, (BEN, "digest"): 1, (CARLA, "reminder"): 1}


@pytest.mark.parametrize("seed", range(2))
def test_never_two_mails_by_the_clock_within_an_hour_and_none_is_lost(db: Database, seed: int) -> None:
    chance, company = random.Random(seed), Company(db, directory=QUIET)
    company.start(one_gate(URGENT))
    hours = [company.start(one_gate(gate)) for gate in (HOURLY, REMINDED, HOURLY.replace("1 hours", "25 minutes"))]
    arrived: dict[str, list[datetime]] = defaultdict(list)
    for _ in range(50):
        company.later(minutes=chance.choice((1, 7, 15, 40, 90, 300)))
        if chance.random() < 0.5:
            company.checks()
        for recipient, mail in delivered(company).sent:
            if mail["X-Etappe-Kind"] in ("reminder", "digest"):
                arrived[recipient].append(company.now)
    for moments in arrived.values():
        assert len(moments) > 5
        assert all(later - sooner >= APART for sooner, later in pairwise(moments))
    delivered(company, datetime(2026, 3, 30, 9, tzinfo=UTC))
    delivered(company, datetime(2026, 3, 30, 10, tzinfo=UTC))
    for rollout in hours:
        company.rollout_id = rollout
        assert {message.state for message in company.messages("reminder")} == {MessageState.SENT}


@contextmanager
def counted_selects(db: Database, table: str) -> Iterator[list[str]]:
    """The statements that read a table meanwhile."""
    seen: list[str] = []

    def note(_: object, __: object, statement: str, *___: object) -> None:
        if statement.startswith("SELECT") and f"FROM {table}" in statement:
            seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    yield seen
    event.remove(db.engine, "before_cursor_execute", note)


def test_asking_and_reminding_many_reads_their_hours_once(db: Database) -> None:
    staff = [f"person{number}@example.com" for number in range(40)]
    people = "".join(f"  - {{email: {one}, name: Somebody}}\n" for one in staff)
    company = Company(db, directory=PEOPLE.replace("roles:\n", f"{people}roles:\n  many: [{', '.join(staff)}]\n"))
    source = one_gate(REMINDED.replace("[board]", "[many]")).replace("roles:\n", "roles:\n  many: {title: Many}\n")
    with counted_selects(db, "people") as asking:
        company.start(source)
    company.later(days=1)
    with counted_selects(db, "people") as reminding:
        company.checks()
    assert len(company.messages("reminder")) == len(staff)
    assert len(asking) <= 6
    assert len(reminding) <= 2
