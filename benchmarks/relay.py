"""What the relay takes of the processor for a decision: its mails claimed, written, sent, settled, on both databases.

So many rollouts have been decided at once below the page, and each waits for three mails: one asks the next person, one
is a receipt, one tells the requester. The relay's own part for mail then delivers them in this process, as many at the
same time as it always does, to a mail server in another one. Processor time is this process's alone, so neither the
mail server nor PostgreSQL is in it. The raw limit in the same run: the same mail sent again and again over a kept
connection, and a row committed for each.

Run: python benchmarks/relay.py [decisions] [times] [sqlite or postgresql] [--write]
"""

from __future__ import annotations

import multiprocessing
import smtplib
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import wraps
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from sqlalchemy import event

import worker.post
from benchmarks.kit.etappe import KINDS, PLAN, POSTGRESQL, kinds_asked_for
from benchmarks.kit.report import Report, numbers, reporting
from benchmarks.kit.serving import DISK, durable_postgres
from benchmarks.kit.spread import spread
from domain import links
from models import schema
from models.checks import CheckRun
from models.requests import RequestState, requests_of
from notifications.senders import SmtpPool
from operations.compose_message import Composer
from operations.import_people import import_people
from operations.installation import Installation
from operations.record_decision import DecisionForm, record_decision
from operations.show_request import show_request
from operations.start_rollout import Start, start_rollout
from plans.directory import read_directory
from plans.reading import read_plan
from settings import Settings
from tests.company import PEOPLE, REQUESTER
from tests.ports import free_port
from worker.post import Post
from worker.relay import MAILS_AT_ONCE

COLUMNS = ("per decision", "min", "max", "mails", "per CPU s", "× limit", "statements", "last asked", "all sent")
MAIL = b"Subject: hello\r\n\r\n" + 100 * (70 * b"x" + b"\r\n")
WARM_UP = 5
PARTS = {
    "claim": (worker.post, ("claim_messages", "claim_asking")),
    "read": (worker.post, ("read_ahead",)),
    "compose": (Composer, ("compose",)),
    "render": (worker.post, ("render",)),
    "make a message": (worker.post, ("to_message",)),
    "send": (SmtpPool, ("send",)),
    "settle": (worker.post, ("settle_messages",)),
}
"""Which functions of the relay are which part of its work; what is none of them is the rest."""


@dataclass
class Took:
    """What delivering all mails of several decisions took: processor seconds, mails, statements, seconds on a clock."""

    processor: float
    mails: int
    statements: int
    asked: float
    all_sent: float
    parts: dict[str, float] = field(default_factory=dict)


class _Counting:
    """A mail server that says how many mails it has taken, and when the last one came that asks somebody."""

    def __init__(self) -> None:
        self.mails, self.asked_at = 0, 0.0

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Take a mail."""
        self.mails += 1
        if b"\nX-Etappe-Kind: request" in (envelope.original_content or b""):
            self.asked_at = time.monotonic()
        return "250 taken"


def _take_mails(port: int, line: Connection) -> None:
    counting = _Counting()
    server = Controller(counting, hostname="127.0.0.1", port=port)
    server.start()
    line.send(None)
    while line.recv():
        line.send((counting.mails, counting.asked_at))
        counting.mails = 0
    server.stop()


@contextmanager
def _mail_server() -> Iterator[tuple[int, Callable[[], tuple[int, float]]]]:
    """A mail server in a process of its own: its port, and how to ask it what it has taken since it was last asked."""
    here, there = multiprocessing.Pipe()
    port = free_port()
    process = multiprocessing.get_context("spawn").Process(target=_take_mails, args=(port, there))
    process.start()
    here.recv()

    def ask() -> tuple[int, float]:
        here.send(True)
        found: tuple[int, float] = here.recv()
        return found

    try:
        yield port, ask
    finally:
        here.send(False)
        process.join()


class Lab:
    """A database with people in it, and the relay's part that delivers mail."""

    def __init__(self, home: Path, url: str, port: int, taken: Callable[[], tuple[int, float]]) -> None:
        """`taken` asks the mail server at `port`."""
        environment = {"ETAPPE_HOME": str(home), "ETAPPE_SMTP_URL": f"smtp://127.0.0.1:{port}"}
        environment |= {"ETAPPE_DATABASE_URL": url} if url else {}
        self.here = Installation(Settings.from_environment(environment))
        self.db, self._keys, self._port, self._taken = self.here.db, self.here.keys, port, taken
        schema.upgrade(self.db)
        import_people(self.db, read_directory(PEOPLE, "people.yaml"), datetime.now(UTC))
        self._sender = SmtpPool(self.here.settings.smtp_url)
        self._post = Post(self.here, self._sender, at_once=MAILS_AT_ONCE)
        self._statements = 0
        event.listen(self.db.engine, "before_cursor_execute", self._count)

    def close(self) -> None:
        """Let go of everything."""
        self._post.close()
        self._sender.close()
        self.db.close()

    def decided(self, count: int) -> None:
        """Have so many rollouts decided, with all that went before delivered."""
        started = [self._start() for _ in range(count)]
        self._post.deliver_all()
        for rollout_id in started:
            self._decide(rollout_id)
        self._taken()

    def deliver(self) -> Took:
        """Deliver what waits."""
        before, began, processor = self._statements, time.monotonic(), time.process_time()
        self._post.deliver_all()
        processor, all_sent = time.process_time() - processor, time.monotonic() - began
        mails, asked_at = self._taken()
        return Took(processor, mails, self._statements - before, asked_at - began, all_sent)

    def limit(self, count: int) -> float:
        """Commit a row and send a mail over a kept connection, so many times; return the processor seconds of one."""
        with smtplib.SMTP("127.0.0.1", self._port, local_hostname="localhost") as smtp:
            began = time.process_time()
            for _ in range(count):
                with self.db.write() as session:
                    session.add(CheckRun(started_at=datetime.now(UTC), report={}))
                smtp.sendmail("a@example.com", ["b@example.com"], MAIL)
            return (time.process_time() - began) / count

    def _start(self) -> str:
        start = Start(read_plan(PLAN, "plan.yaml"), PLAN, "Measured", REQUESTER)
        return start_rollout(self.db, self._keys, start, datetime.now(UTC))

    def _decide(self, rollout_id: str) -> None:
        with self.db.read() as session:
            [request] = [row for row in session.scalars(requests_of(rollout_id)) if row.state is RequestState.OPEN]
        token = links.link_token(self._keys[0], request.id, request.link_number)
        code = links.code(self._keys[0], request.id, request.link_number)
        digest = show_request(self.db, token, datetime.now(UTC)).digest
        record_decision(self.db, self._keys, token, DecisionForm("approve", code, digest), datetime.now(UTC))

    def _count(self, *_: object) -> None:
        self._statements += 1


def main() -> None:
    """Measure both databases, or the one that is named."""
    count, times = numbers(200, 5)
    kinds = kinds_asked_for()
    with reporting(__file__, __doc__) as report, ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=DISK)))
        postgres, _ = stack.enter_context(durable_postgres(folder)) if POSTGRESQL in kinds else (None, None)
        port, taken = stack.enter_context(_mail_server())
        for kind in kinds:
            (folder / kind).mkdir()
            url = postgres.create() if postgres and kind == POSTGRESQL else ""
            lab = Lab(folder / kind, url, port, taken)
            _measure(report, KINDS[kind], lab, count, times)
            lab.close()


def _measure(report: Report, kind: str, lab: Lab, count: int, times: int) -> None:
    lab.decided(WARM_UP)
    lab.deliver()
    limit = lab.limit(count)
    table = report.table(f"{kind}, {count} decisions, {times} times", *COLUMNS)
    found = [_once(lab, count) for _ in range(times)]
    each = spread([1000 * one.processor / count for one in found])
    rate = spread([one.mails / one.processor for one in found]).median
    last_asked, all_sent = (spread([getattr(one, name) for one in found]).median for name in ("asked", "all_sent"))
    table.row(
        "processor time, all threads", f"{each.median:.1f} ms", f"{each.least:.1f} ms", f"{each.most:.1f} ms",
        found[0].mails, f"{rate:.0f}", f"{rate * limit:.2f}", f"{found[0].statements / count:.1f}",
        f"{last_asked:.2f} s", f"{all_sent:.2f} s",
    )  # fmt: skip
    report.say(f"{kind}, the limit: {1000 * limit:.2f} ms for one row and one mail, {1 / limit:.0f} per CPU s.")
    _say_parts(report, kind, lab, count)


def _once(lab: Lab, count: int) -> Took:
    lab.decided(count)
    return lab.deliver()


def _say_parts(report: Report, kind: str, lab: Lab, count: int) -> None:
    """Deliver once more with a clock at each part, which takes time itself."""
    lab.decided(count)
    spent: dict[str, float] = dict.fromkeys(PARTS, 0.0)
    with ExitStack() as stack:
        for part, (owner, names) in PARTS.items():
            for name in names:
                stack.enter_context(_clocked(owner, name, part, spent))
        took = lab.deliver()
    table = report.table(f"{kind}, by part", "per decision", "share")
    for part, seconds in {**spent, "the rest": took.processor - sum(spent.values())}.items():
        table.row(part, f"{1000 * seconds / count:.2f} ms", f"{100 * seconds / took.processor:.0f} %")


@contextmanager
def _clocked(owner: Any, name: str, part: str, spent: dict[str, float]) -> Iterator[None]:
    """Count the processor time of a function to a part, until the block ends. Threads take turns in counting."""
    function, adding = getattr(owner, name), threading.Lock()

    @wraps(function)
    def clocked(*given: Any, **named: Any) -> Any:
        began = time.thread_time()
        try:
            return function(*given, **named)
        finally:
            seconds = time.thread_time() - began
            with adding:
                spent[part] += seconds

    setattr(owner, name, clocked)
    try:
        yield
    finally:
        setattr(owner, name, function)


if __name__ == "__main__":
    main()
