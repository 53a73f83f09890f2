"""A whole Etappe, started as `etappe start` does, with a mail server that notes when it has taken which mail."""

from __future__ import annotations

import re
import smtplib
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from sqlalchemy import select

from benchmarks.kit import posting
from benchmarks.kit.posting import Line
from benchmarks.kit.serving import DISK, durable_postgres
from cli.parts import Layout, all_parts
from domain import links
from models.checks import CheckRun
from models.outbox import Message, MessageState
from models.requests import RequestState, requests_of
from models.rollouts import rollouts_unpainted, rollouts_without_flow_run
from operations.import_people import import_people
from operations.installation import Installation
from operations.show_request import show_request
from operations.start_rollout import Start, start_rollout
from plans.directory import read_directory
from plans.reading import read_plan
from tests.company import PEOPLE, REQUESTER
from tests.ports import free_port
from tests.sample_plans import ROLES, SIGN_OFF
from worker.parts import Crew

PATIENCE_SECONDS = 120
LONG_PATIENCE_SECONDS = 600
"""For the next thing to happen, and for all of many things to be over, on a machine that is busy."""
POSTGRESQL = "postgresql"
KINDS = {"sqlite": "SQLite", POSTGRESQL: "PostgreSQL"}
PLAN_NAME = "three-stages"
FIRST, SECOND, THIRD = "first-gate", "second-gate", "third-gate"
"""The gates of PLAN: one in each stage, one approver each."""
PLAN = f"""
plan: {PLAN_NAME}
title: Three stages
{ROLES}
stages:
""" + "".join(
    f"""
  - id: {stage}
    title: The {stage} stage
    gates:
      - {{id: {stage}-gate, title: The {stage} gate, {SIGN_OFF.replace("board", role)}}}"""
    for stage, role in (("first", "finance"), ("second", "chair"), ("third", "finance-head"))
)
_COMPLAINT = re.compile(r"WARNING|ERROR|CRITICAL|Traceback|failed|^\w*(Error|Exception)\b")
_IS_PENDING = Message.state == MessageState.PENDING
Found = TypeVar("Found")


class Mails:
    """A mail server that notes when it took the first request of which rollout's which gate."""

    def __init__(self) -> None:
        self.first: dict[tuple[str, str], float] = {}
        self._news = threading.Condition()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Take a mail."""
        mail = BytesHeaderParser().parsebytes(envelope.original_content or b"")
        if mail["X-Etappe-Kind"] == "request":
            with self._news:
                self.first.setdefault((mail["X-Etappe-Rollout"], mail["X-Etappe-Gate"]), time.monotonic())
                self._news.notify_all()
        return "250 taken"

    def taken(self, rollout_ids: Iterable[str], gate: str) -> float:
        """Wait until each of these rollouts' requests at this gate was taken; return when the last of them was."""
        keys = {(rollout_id, gate) for rollout_id in rollout_ids}
        self._until(lambda: len(keys - self.first.keys()))
        return max(self.first[key] for key in keys)

    def more(self, before: Collection[tuple[str, str]], count: int) -> float:
        """Wait until so many were taken that were not there before; return when the last of them was."""
        known = set(before)
        self._until(lambda: count - len(self.first.keys() - known))
        return sorted(self.first[key] for key in self.first.keys() - known)[count - 1]

    def _until(self, missing: Callable[[], int]) -> None:
        """Wait until nothing is missing, as long as more mails keep coming."""
        with self._news:
            while (left := missing()) > 0:
                if not self._news.wait_for(lambda left=left: missing() < left, PATIENCE_SECONDS):  # type: ignore[misc]
                    raise SystemExit(f"Waited {PATIENCE_SECONDS} seconds in vain for another mail; {left} are missing.")


@contextmanager
def mail_server() -> Iterator[tuple[Mails, int]]:
    """Run a mail server until the block ends; give what it has taken, and its port."""
    mails = Mails()
    server = Controller(mails, hostname="127.0.0.1", port=free_port())
    server.start()
    try:
        yield mails, server.port
    finally:
        server.stop()


@dataclass(frozen=True)
class Running:
    """A running Etappe: its installation, where its parts are, Prefect's API, its mail server, and what is in the
    environment of its parts."""

    here: Installation
    layout: Layout
    prefect: httpx.Client
    mails: Mails
    environment: Mapping[str, str]

    def start(self) -> str:
        """Start a rollout of PLAN by its verb; return it."""
        start = Start(read_plan(PLAN, "plan.yaml"), PLAN, "Measured", REQUESTER)
        return start_rollout(self.here.db, self.here.keys, start, datetime.now(UTC))

    def approval(self, rollout_id: str) -> bytes:
        """Return the request over HTTP that approves at the gate that is open, which one person is asked at."""
        with self.here.db.read() as session:
            [request] = [row for row in session.scalars(requests_of(rollout_id)) if row.state is RequestState.OPEN]
        token = links.link_token(self.here.keys[0], request.id, request.link_number)
        code = links.code(self.here.keys[0], request.id, request.link_number)
        digest = show_request(self.here.db, token, datetime.now(UTC)).digest
        return posting.form_post(f"/decide/{token}", {"decision": "approve", "code": code, "digest": digest})

    def decide(self, rollout_id: str) -> tuple[float, float]:
        """Approve at the gate that is open, when all is quiet; return when that began, and the seconds to the answer.

        The moment is one of `time.monotonic`. Raises SystemExit for any answer but 200.
        """
        form = self.approval(rollout_id)
        self.until_quiet()
        line = Line(self.layout.web_port)
        began = time.monotonic()
        status, page = line.ask(form)
        answered = time.monotonic() - began
        line.close()
        if status != 200:
            raise SystemExit(posting.in_words(status, page))
        return began, answered

    def one_commit_and_one_mail(self, count: int) -> list[float]:
        """Commit a row and send a mail over a kept connection, so many times; return the seconds of each: the limit."""
        mail_server = urlsplit(self.here.settings.smtp_url)
        took = []
        with smtplib.SMTP(str(mail_server.hostname), mail_server.port or 25, local_hostname="localhost") as smtp:
            for _ in range(count):
                began = time.monotonic()
                with self.here.db.write() as session:
                    session.add(CheckRun(started_at=datetime.now(UTC), report={}))
                smtp.sendmail("a@example.com", ["b@example.com"], b"Subject: hello\r\n\r\nhello\r\n")
                took.append(time.monotonic() - began)
        return took

    def until_quiet(self) -> None:
        """Wait until every mail is sent, and Prefect's page shows all that has happened."""
        until(self._is_quiet, every=0.1)

    def _is_quiet(self) -> bool:
        with self.here.db.read() as session:
            waiting = (rollouts_without_flow_run(), rollouts_unpainted(), select(Message).where(_IS_PENDING))
            return not any(session.scalars(query.limit(1)).first() for query in waiting)

    def ask_prefect(self, path: str, body: dict[str, Any]) -> Any:
        """Post something to Prefect's API; return its answer. Raises HTTPStatusError when it refuses."""
        return self.prefect.post(path, json=body).raise_for_status().json()


@contextmanager
def running(home: Path, url: str = "", *, worker: bool = False) -> Iterator[Running]:
    """Run an Etappe in this folder until the block ends, on its own SQLite or on this database; PLAN is one of its
    plans, and its people are those of the tests. Without a worker, flow runs begin suspended and nothing wakes them."""
    (home / "plans").mkdir(parents=True)
    (home / "plans" / f"{PLAN_NAME}.yaml").write_text(PLAN, "utf-8")
    with mail_server() as (mails, smtp_port):
        layout = Layout(home, free_port(), free_port(), free_port(), smtp_url=f"smtp://127.0.0.1:{smtp_port}")
        more = {"ETAPPE_PLANS": str(home / "plans"), **({"ETAPPE_DATABASE_URL": url} if url else {})}
        prefect = httpx.Client(base_url=f"{layout.prefect.url}/", trust_env=False, timeout=60)
        try:
            with Crew(home / "logs") as crew, prefect:
                for part in all_parts(layout):
                    if worker or part.name != "worker":
                        crew.start(replace(part, environment={**part.environment, **more}))
                settings = layout.settings()
                here = Installation(replace(settings, database_url=url) if url else settings)
                import_people(here.db, read_directory(PEOPLE, "people.yaml"), datetime.now(UTC))
                yield Running(here, layout, prefect, mails, {**layout.environment(), **more})
                here.db.close()
        finally:
            for complaint in complaints(home / "logs"):
                print(complaint, file=sys.stderr, flush=True)


def kinds_asked_for() -> list[str]:
    """Return the kinds of databases that are named among the script's arguments, or all."""
    return [kind for kind in KINDS if kind in sys.argv] or list(KINDS)


def on_each_database(measure: Callable[[str, Running], None], *, worker: bool = False) -> None:
    """Run an Etappe on SQLite and one on PostgreSQL, or only on what is named among the arguments, one after the other;
    give the name and the running Etappe to `measure`. Both lie on a disk, and what they have committed is on it."""
    kinds = kinds_asked_for()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=DISK)))
        server, _ = stack.enter_context(durable_postgres(folder)) if POSTGRESQL in kinds else (None, None)
        for kind in kinds:
            url = server.create() if server and kind == POSTGRESQL else ""
            with running(folder / kind, url, worker=worker) as etappe:
                measure(KINDS[kind], etappe)


def complaints(logs: Path, most: int = 5) -> list[str]:
    """Return what Etappe's parts have complained of in their logs: so many lines of each, and how many there are."""
    found = []
    for name in ("web-page", "relay", "worker"):
        log = logs / f"{name}.log"
        lines = log.read_text("utf-8", "replace").splitlines() if log.exists() else []
        bad = [line for line in lines if _COMPLAINT.search(line)]
        found += [f"{name}: {len(bad)} complaints in its log", *(f"  {line}" for line in bad[:most])] if bad else []
    return found


def until(look: Callable[[], Found], every: float = 0.002) -> Found:
    """Wait until there is something to find, and return it. Looks again after so many seconds."""
    deadline = time.monotonic() + LONG_PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(every)
    raise SystemExit(f"Waited {LONG_PATIENCE_SECONDS} seconds in vain.")
