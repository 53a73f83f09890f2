"""Chat: which channel hears what, what a person's own chat says, and what never gets into either."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from domain import links
from models.database import Database
from models.outbox import CHAT, Message, MessageState
from models.requests import RequestState
from notifications.chat import ChatMessage
from operations.installation import Installation
from operations.settle_message import settle_messages
from settings import Settings
from tests.company import KEYS, PEOPLE, REQUESTER, Company
from tests.fakes import FakeChat, FakeSender
from tests.sample_plans import SIGN_OFF, one_gate
from worker import relay
from worker.chat_post import ChatPost

ANNA, BEN, CARLA = "anna@example.com", "ben@example.com", "carla@example.com"
DORA, EMIL = "dora@example.com", "emil@example.com"
TEAM, OPS, BENS = "slack://team-secret", "json://ops-secret", "json://ben-secret"
WITH_CHATS = PEOPLE.replace("Ben Frei, language: en", f'Ben Frei, language: en, chat: "{BENS}"').replace(
    "Emil Vogt, language: de", "Emil Vogt, language: de, chat: ops"
)
LATER = "escalate: [{after: 2 days, to: chair}], expires: {after: 9 days}"
GATE = f"{SIGN_OFF}, quorum: all, remind: every 1 days, {LATER}"


def plan(gate: str = GATE, *, of_plan: str = "team", of_stage: str = "ops") -> str:
    """A plan with one gate, whose channels and those of whose stage are these."""
    source = one_gate(gate).replace("title: One gate\n", f"title: One gate\nchat: [{of_plan}]\n")
    return source.replace("title: Only stage\n", f"title: Only stage\n    chat: [{of_stage}]\n")


def installation(company: Company) -> Installation:
    settings = Settings.from_environment({"ETAPPE_HOME": "/nowhere", "ETAPPE_CHAT_URLS": f"team={TEAM},ops={OPS}"})
    here = Installation(replace(settings, base_url="https://etappe.example.com"))
    here.__dict__.update(db=company.db, keys=KEYS)
    return here


class Listening(Company):
    """A company whose chats can be read; two people have a chat of their own."""

    def __init__(self, db: Database) -> None:
        super().__init__(db, directory=WITH_CHATS)
        self.chat = FakeChat()

    def hears(self, address: str = TEAM) -> list[tuple[str, ...]]:
        """What is new in one chat, after everything was delivered that is due; in the others it is forgotten."""
        self.chat.sent.clear()
        settle_messages(self.db, [mail.id for mail in _waiting(self)], MessageState.SENT, self.now)
        ChatPost(installation(self), self.chat, lambda: self.now).deliver_all()
        return [message.lines for to, message in self.chat.sent if to == address]


@pytest.fixture
def company(db: Database) -> Listening:
    """That company."""
    return Listening(db)


def test_a_channel_hears_who_is_asked_by_when_and_what_a_gate_came_to(company: Listening) -> None:
    company.start(plan(), language="en")
    assert company.hears() == [
        ("Open: “Only stage”",
         "“The gate” is asked of Anna Keller, Ben Frei, Carla Rossi, by Wednesday, 11 March 2026, 10:00"),
    ]  # fmt: skip
    for person in (ANNA, BEN, CARLA):
        company.decides(person)
    assert company.hears() == [
        (
            "“The gate”: passed", "3 of 3 needed voices", "Anna Keller: approved", "Ben Frei: approved",
            "Carla Rossi: approved",
        ),
        ("Completed: every stage has passed",),
    ]  # fmt: skip


def test_of_a_crowd_five_are_named(company: Listening) -> None:
    crowd = [f"p{number}@example.org" for number in range(1, 9)]
    company.start(plan(GATE.replace("[board]", f"[{', '.join(crowd)}]")), language="en")
    [(_, asked)] = company.hears()
    assert asked.startswith(f"“The gate” is asked of {', '.join(crowd[:5])}, and 3 more, by ")


def test_it_hears_of_an_escalation_and_of_what_stops_a_rollout(company: Listening) -> None:
    company.start(plan().replace("chat: [ops]\n", "chat: [ops]\n    stalled_after: 1 days\n"), language="de")
    company.hears()
    company.later(days=2)
    company.checks()
    assert company.hears(OPS)[-2:] == [
        ("«The gate» wurde weitergereicht", "Ab jetzt wird auch gefragt: Emil Vogt."),
        ("«Only stage» stockt", "Sie ist länger offen, als der Plan erlaubt.", "Noch offen: «The gate»."),
    ]
    company.decides(ANNA, "reject")
    company.decides(BEN, "reject")
    assert [lines[0] for lines in company.hears()] == ["«The gate»: abgelehnt", "Angehalten: «Only stage»"]
    company.resumes()
    assert company.hears()[0][0] == "Offen: «Only stage»"
    company.cancels("no longer wanted")
    assert company.hears(OPS) == [("Das Vorhaben wurde abgebrochen", "Grund: no longer wanted")]


def test_a_stages_channel_hears_of_its_stage_and_the_plans_of_everything(company: Listening) -> None:
    company.start(plan(of_plan="team, ops", of_stage="ops"))
    assert [message.recipient for message in company.messages(CHAT) if "@" not in message.recipient] == ["team", "ops"]


def test_what_is_no_longer_true_when_it_is_sent_is_not_said(company: Listening) -> None:
    company.start(plan())
    company.cancels()
    assert [lines[0] for lines in company.hears()] == ["The rollout was called off"]


def test_a_persons_own_chat_says_that_a_mail_is_there(company: Listening) -> None:
    company.start(plan())
    assert company.hears(BENS) == [("You are asked at “The gate”; see your mail.",)]
    company.later(days=1)
    company.checks()
    assert company.hears(BENS) == [("You have not answered “The gate” yet; see your mail.",)]
    company.later(days=1)
    company.checks()
    company.decides(BEN)
    assert (
        "Sie werden bei «The gate» gefragt, weil andere nicht geantwortet haben; Näheres steht in Ihrer Mail.",
    ) in company.hears(OPS)
    assert [row.state for row in company.messages(CHAT, BEN)].count(MessageState.DROPPED) == 1


def test_a_persons_own_chat_waits_for_the_mail_it_speaks_of(company: Listening) -> None:
    company.start(plan())
    post = ChatPost(installation(company), company.chat, lambda: company.now)
    post.deliver_all()
    assert [to for to, _ in company.chat.sent] == [TEAM, OPS]
    company.later(hours=9)
    assert company.hears(BENS) == [("You are asked at “The gate”; see your mail.",)]


def test_no_chat_ever_holds_what_it_takes_to_decide(company: Listening) -> None:
    company.start(plan(), owner=DORA)
    said: list[ChatMessage] = []
    for _ in range(3):
        company.later(days=1)
        company.checks()
        company.hears()
        said += [message for _, message in company.chat.sent]
    company.decides(EMIL, "request-changes")
    company.answers_changes(DORA)
    company.hears()
    said += [message for _, message in company.chat.sent]
    page = f"/rollouts/{company.rollout_id}/{links.page_token(KEYS[0], company.rollout_id)}"
    assert {message.link for message in said} == {f"https://etappe.example.com{page}"}
    texts = " ".join(" ".join((message.title, *message.lines)) for message in said)
    requests = [request for person in (ANNA, BEN, CARLA, DORA, EMIL) for request in company.requests(person)]
    secrets = [secret for request in requests for secret in (company.token(request), company.code(request))]
    assert len(said) > 10 and not [secret for secret in secrets if secret in texts]


def test_no_address_of_a_chat_is_stored_with_what_is_said_there(company: Listening) -> None:
    company.start(plan())
    company.chat.replies = [500] * 9
    company.hears()
    rows = [f"{row.recipient} {row.facts} {row.last_error}" for row in company.messages(CHAT)]
    assert len(rows) == 3 and "secret" not in " ".join(rows)


def test_a_chat_that_is_down_is_tried_again_and_not_twice_at_once(company: Listening) -> None:
    company.start(plan())
    for person in (ANNA, BEN, CARLA):
        company.decides(person)
    company.chat.replies = [500]
    assert company.hears() == []
    company.later(minutes=10)
    assert [lines[0] for lines in company.hears()] == [
        "“The gate”: passed",
        "Completed: every stage has passed",
    ]


def test_a_channel_that_nobody_has_configured_is_told_to_the_owner_once(company: Listening) -> None:
    company.start(plan(of_plan="nowhere"), owner=DORA)
    for person in (ANNA, BEN, CARLA):
        company.decides(person)
    company.hears()
    dead = [row for row in company.messages(CHAT, "nowhere") if row.state is MessageState.DEAD]
    assert len(dead) == 2 and dead[0].last_error == "ETAPPE_CHAT_URLS has no chat channel “nowhere”."
    for person in (DORA, REQUESTER):
        told = company.headlines(person)
        assert told.count("A chat message could not be delivered to nowhere") == 1


def test_a_chat_that_takes_nothing_does_not_undo_consent_by_silence(company: Listening) -> None:
    consent = f"{SIGN_OFF}, quorum: all, silence_is_consent: true, expires: {{after: 5 days, outcome: pass}}"
    company.start(plan(consent))
    company.chat.replies = [500] * 9
    company.hears()
    company.later(days=5)
    company.checks_on_schedule()
    assert company.state == "completed"
    assert {row.state for row in company.requests(BEN)} == {RequestState.VOID}


def test_a_chat_service_that_hangs_holds_up_nobodys_mail(company: Listening, monkeypatch: pytest.MonkeyPatch) -> None:
    company.start(plan())
    mails, hanging, let_go, stop = FakeSender(), threading.Event(), threading.Event(), threading.Event()

    class Hanging(FakeChat):
        def send(self, address: str, message: ChatMessage) -> None:
            hanging.set()
            let_go.wait(20)

    monkeypatch.setattr(relay, "AppriseSender", Hanging)
    monkeypatch.setattr(relay, "SmtpPool", lambda url: mails)
    here = installation(company)
    thread = threading.Thread(target=relay.run, args=(here, stop), kwargs={"with_prefect": False})
    thread.start()
    try:
        assert hanging.wait(20)
        for _ in range(200):
            if not _waiting(company):
                break
            stop.wait(0.05)
        assert len(mails.sent) == 4 and not _waiting(company)
    finally:
        stop.set()
        let_go.set()
        thread.join(20)


def _waiting(company: Company) -> list[Message]:
    rows = company.messages()
    return [row for row in rows if row.topic != CHAT and row.state is MessageState.PENDING]
