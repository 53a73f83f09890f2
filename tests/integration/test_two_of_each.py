"""Two relays and two web processes on one PostgreSQL, as processes: nothing is sent twice, and nothing is lost when one
of them is killed.

A mail that was on its way when its relay was killed may arrive a second time, as the same mail: nobody can know whether
the mail server had taken it. Everything else arrives once.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from email import message_from_bytes
from pathlib import Path
from threading import Barrier

import httpx
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from sqlalchemy import func, select, text, update

from models.database import Database
from models.outbox import Message, MessageState
from models.requests import Decision, Request
from settings import CHECKOUT
from tests.company import KEYS, Company
from tests.integration.test_turns import within
from tests.ports import free_port
from tests.postgres import Postgres
from tests.sample_plans import SIGN_OFF, one_gate

ANNA, BEN = "anna@example.com", "ben@example.com"
ALONE = ("let_the_next_in", "look_after_gates", "read_calendars")
"""What one relay does at a time. One follows in Prefect as well, but here is no Prefect to follow."""
PAUSE_SECONDS = 0.02
PATIENCE_SECONDS = 120
"""For processes to start, and work to be done, on a machine that is busy with other things."""
MAILS_EACH = 7


class MailServer:
    """Takes mails, each after a moment, and remembers who has brought which: (relay, Message-ID)."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, str]] = []

    @contextmanager
    def door(self, relay: str) -> Iterator[str]:
        """An address of its own for each relay."""
        controller = Controller(_Door(self, relay), hostname="127.0.0.1", port=free_port())
        controller.start()
        try:
            yield f"smtp://127.0.0.1:{controller.port}"
        finally:
            controller.stop()

    def by(self, relay: str) -> set[str]:
        """The mails that a relay has brought."""
        return {message_id for who, message_id in self.taken if who == relay}

    def twice(self) -> set[str]:
        """The mails that were brought more than once."""
        times = Counter(message_id for _, message_id in self.taken)
        return {message_id for message_id, count in times.items() if count > 1}


class _Door:
    def __init__(self, server: MailServer, relay: str) -> None:
        self._server, self._relay = server, relay

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        content = envelope.original_content or b""
        self._server.taken.append((self._relay, str(message_from_bytes(content)["Message-ID"])))
        await asyncio.sleep(PAUSE_SECONDS)
        return "250 taken"


@pytest.fixture
def db(postgres: Postgres) -> Iterator[Database]:
    """An empty Etappe database on PostgreSQL."""
    database = Database(postgres.create(template="etappe_template"))
    yield database
    database.close()


@pytest.fixture
def company(db: Database) -> Company:
    """A company whose clock is the machine's, since the processes read that one."""
    return Company(db, now=datetime.now(UTC))


@contextmanager
def running(db: Database, home: Path, name: str, *command: str, **more: str) -> Iterator[subprocess.Popen[bytes]]:
    """A command of Etappe's as a process, until the block ends; its sessions in PostgreSQL bear its name."""
    environment = {
        **os.environ,
        "ETAPPE_HOME": str(home / name),
        "ETAPPE_DATABASE_URL": db.url,
        "ETAPPE_SECRET_KEYS": KEYS[0].decode(),
        "PREFECT_API_URL": "http://127.0.0.1:9/api",  # nothing ever answers there
        "PGAPPNAME": name,
        **more,
    }
    (home / name).mkdir()
    with (home / name / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "cli", *command], cwd=CHECKOUT, env=environment, stdout=log, stderr=log
        )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)


def sessions_that(db: Database, query: str) -> list[str]:
    """The names of the processes that a query about PostgreSQL's sessions finds."""
    with db.read() as session:
        return [str(name) for name in session.scalars(text(query))]


def listening(db: Database) -> set[str]:
    return set(sessions_that(db, "SELECT application_name FROM pg_stat_activity WHERE query = 'LISTEN etappe'"))


def has_turns(db: Database) -> Counter[str]:
    """How many things each relay does for all."""
    names = ", ".join(f"(hashtext('{name}')::bigint & 4294967295)::oid" for name in ALONE)
    return Counter(
        sessions_that(
            db,
            "SELECT application_name FROM pg_locks JOIN pg_stat_activity USING (pid) "
            f"WHERE locktype = 'advisory' AND granted AND objsubid = 2 AND objid IN ({names})",
        )
    )


def pending(db: Database) -> list[Message]:
    with db.read() as session:
        return list(session.scalars(select(Message).where(Message.state == MessageState.PENDING)))


def nothing_is_free(db: Database) -> bool:
    """Whether everything that waits in the outbox is in somebody's hands."""
    return all(message.leased_until and message.leased_until > datetime.now(UTC) for message in pending(db))


def let_leases_end(db: Database) -> None:
    """Two minutes later, for whoever reads the outbox."""
    with db.write() as session:
        session.execute(update(Message).where(Message.state == MessageState.PENDING).values(leased_until=None))


def ask_many(company: Company, rollouts: int) -> None:
    """Start rollouts that ask six people each, all of them others; whoever has started one hears of it as well."""
    for number in range(rollouts):
        people = [f"person{number}.{place}@example.com" for place in range(MAILS_EACH - 1)]
        company.start(one_gate(f"{SIGN_OFF}, quorum: all"), people={"board": people})


def test_of_two_relays_one_is_killed_and_every_mail_arrives(db: Database, company: Company, tmp_path: Path) -> None:
    server = MailServer()
    with server.door("one") as first, server.door("two") as second:
        with (
            running(db, tmp_path, "one", "relay", ETAPPE_SMTP_URL=first) as one,
            running(db, tmp_path, "two", "relay", ETAPPE_SMTP_URL=second) as two,
        ):
            assert within(PATIENCE_SECONDS, lambda: listening(db) == {"one", "two"})
            assert within(PATIENCE_SECONDS, lambda: has_turns(db).total() == len(ALONE))
            ask_many(company, rollouts=40)
            assert within(PATIENCE_SECONDS, lambda: len(server.by("one")) > 30 and len(server.by("two")) > 30)
            leader = has_turns(db).most_common(1)[0][0]
            killed, left = ("one", "two") if leader == "one" else ("two", "one")
            {"one": one, "two": two}[killed].send_signal(signal.SIGKILL)

            assert within(10, lambda: has_turns(db) == Counter({left: len(ALONE)}))
            assert within(PATIENCE_SECONDS, lambda: nothing_is_free(db))
            assert within(PATIENCE_SECONDS, lambda: not server.by("one") & server.by("two"))
            assert not server.twice()
            in_flight = {message.dedup_key for message in pending(db)}

            let_leases_end(db)
            assert within(PATIENCE_SECONDS, lambda: not pending(db))
    with db.read() as session:
        states = Counter(session.scalars(select(Message.state)))
    assert states == {MessageState.SENT: MAILS_EACH * 40}
    assert len({message_id for _, message_id in server.taken}) == MAILS_EACH * 40
    assert len(server.twice()) <= len(in_flight)
    assert server.twice() == server.by("one") & server.by("two")


def test_mails_of_one_person_go_out_once_however_many_relays_there_are(
    db: Database, company: Company, tmp_path: Path
) -> None:
    server = MailServer()
    with server.door("one") as first, server.door("two") as second, server.door("three") as third:
        with (
            running(db, tmp_path, "one", "relay", ETAPPE_SMTP_URL=first),
            running(db, tmp_path, "two", "relay", ETAPPE_SMTP_URL=second),
            running(db, tmp_path, "three", "relay", ETAPPE_SMTP_URL=third),
        ):
            assert within(PATIENCE_SECONDS, lambda: listening(db) == {"one", "two", "three"})
            for _ in range(30):
                company.start(one_gate(f"{SIGN_OFF}, quorum: all"))
            assert within(PATIENCE_SECONDS, lambda: not pending(db))
    assert not server.twice()
    assert len(server.taken) == 4 * 30  # three approvers, and whoever has started it


Post = Callable[[httpx.Client, str], httpx.Response]


def deciding(company: Company, person: str) -> Post:
    """Post a person's yes at the gate that was opened last; the page is asked for first, as a browser does."""
    request = company.asked(person)
    path, code = f"/decide/{company.token(request)}", company.code(request)
    digest = company.page(request).digest

    def post(client: httpx.Client, at: str) -> httpx.Response:
        return client.post(f"{at}{path}", data={"decision": "approve", "code": code, "digest": digest})

    return post


@contextmanager
def two_webs(db: Database, home: Path) -> Iterator[tuple[list[str], list[subprocess.Popen[bytes]]]]:
    """Two web processes: where they are, and the processes."""
    ports = [free_port(), free_port()]
    with (
        running(db, home, "web-one", "web", "--web-port", str(ports[0])) as one,
        running(db, home, "web-two", "web", "--web-port", str(ports[1])) as two,
    ):
        addresses = [f"http://127.0.0.1:{port}" for port in ports]
        assert within(PATIENCE_SECONDS, lambda: all(answers(address) for address in addresses))
        yield addresses, [one, two]


def answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/healthz", trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def at_once(posts: list[tuple[Post, str]]) -> list[httpx.Response]:
    """Post all together, behind a barrier."""
    barrier = Barrier(len(posts))

    def post(one: tuple[Post, str]) -> httpx.Response:
        with httpx.Client(trust_env=False, timeout=PATIENCE_SECONDS) as client:
            barrier.wait()
            return one[0](client, one[1])

    with ThreadPoolExecutor(len(posts)) as pool:
        return list(pool.map(post, posts))


def decisions(db: Database) -> int:
    with db.read() as session:
        return session.scalar(select(func.count(Decision.id))) or 0


def test_two_people_who_decide_by_two_web_processes_at_once_are_told_the_same(
    db: Database, company: Company, tmp_path: Path
) -> None:
    with two_webs(db, tmp_path) as ([here, there], _):
        for _ in range(8):
            company.start(one_gate(f"{SIGN_OFF}, quorum: any"))
            answers = at_once([(deciding(company, ANNA), here), (deciding(company, BEN), there)])
            assert sorted(answer.status_code for answer in answers) == [200, 409]
            assert (company.state, company.actions().count("gate.passed")) == ("completed", 1)
        assert decisions(db) == 8


def test_one_person_who_decides_by_two_web_processes_at_once_decides_once(
    db: Database, company: Company, tmp_path: Path
) -> None:
    with two_webs(db, tmp_path) as ([here, there], _):
        company.start(one_gate(f"{SIGN_OFF}, quorum: all"))
        yes = deciding(company, ANNA)
        answers = at_once([(yes, here), (yes, there)] * 4)
        assert {answer.status_code for answer in answers} == {200}
        assert (decisions(db), len(company.messages("receipt", ANNA))) == (1, 1)


def test_when_a_web_process_is_killed_everybody_decides_by_the_other_one_and_once(
    db: Database, company: Company, tmp_path: Path
) -> None:
    posts = []
    for _ in range(60):
        company.start(one_gate(f"{SIGN_OFF}, quorum: any"))
        posts.append(deciding(company, ANNA))
    with two_webs(db, tmp_path) as ([here, there], [one, _]):

        def decide(number: int) -> int:
            """Behind a service, whoever gets no answer asks again, and is sent to the one that is left."""
            with httpx.Client(trust_env=False, timeout=PATIENCE_SECONDS) as client:
                if number == 20:
                    one.send_signal(signal.SIGKILL)
                for address in (here, there) if number % 2 else (there, here):
                    try:
                        return posts[number](client, address).status_code
                    except httpx.TransportError:
                        continue
            return 0

        with ThreadPoolExecutor(6) as pool:
            assert Counter(pool.map(decide, range(len(posts)))) == {200: 60}
        assert one.wait(10) == -signal.SIGKILL
    assert decisions(db) == 60
    with db.read() as session:
        assert session.scalar(select(func.count(Request.id)).where(Request.person == ANNA)) == 60
    assert len({message.rollout_id for message in all_receipts(db)}) == 60


def all_receipts(db: Database) -> list[Message]:
    with db.read() as session:
        return list(session.scalars(select(Message).where(Message.topic == "receipt")))
