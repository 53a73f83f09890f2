"""From a decision to the next person's mail: one at a time, and 200 at once; Prefect attached, on both databases.

Starts Etappe as `etappe start` does, without a worker, in a temporary home, and a mail server of this script's that
notes when it has taken a mail. A decision is a POST over HTTP with everything: code, digest, eligibility, quorum,
record, messages, page; it passes a stage, and the mail is the one that asks for the next. Printed are medians with
minimum, 99th percentile and maximum, and the ratio to the raw limit measured in the same run: one committed row and one
mail over a kept connection.
Run: python benchmarks/next_request.py [one at a time] [at once]
"""

from __future__ import annotations

import re
import smtplib
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from sqlalchemy import select

from benchmarks.kit.processes import free_port
from cli.parts import Layout, all_parts
from domain import links
from models.checks import CheckRun
from models.database import Database
from models.outbox import Message, MessageState
from models.requests import RequestState, requests_of
from models.rollouts import rollouts_unpainted, rollouts_without_flow_run
from operations.import_people import import_people
from operations.installation import Installation
from operations.show_request import show_request
from operations.start_rollout import Start, start_rollout
from plans.directory import read_directory
from plans.reading import read_plan
from tests.company import PEOPLE, ROLES, SIGN_OFF
from tests.postgres import Postgres
from worker.parts import Crew

PATIENCE_SECONDS = 120
_IS_PENDING = Message.state == MessageState.PENDING
CLIENTS = 16
PLAN = f"""
plan: three-stages
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


class Mails:
    """A mail server that notes when it took the first request of which rollout's which gate."""

    def __init__(self) -> None:
        self.first: dict[tuple[str, str], float] = {}
        self._news = threading.Condition()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Take a mail."""
        mail = message_from_bytes(envelope.original_content or b"")
        if mail["X-Etappe-Kind"] == "request":
            with self._news:
                self.first.setdefault((mail["X-Etappe-Rollout"], mail["X-Etappe-Gate"]), time.monotonic())
                self._news.notify_all()
        return "250 taken"

    def taken(self, *keys: tuple[str, str]) -> float:
        """Wait until each of these was taken; return when the last of them was."""
        with self._news:
            if not self._news.wait_for(lambda: self.first.keys() >= set(keys), PATIENCE_SECONDS):
                raise SystemExit("Waited in vain for a mail.")
            return max(self.first[key] for key in keys)


def main() -> None:
    """Measure both databases and print a table."""
    single, burst = (int(one) for one in (*sys.argv[1:], *("100", "200")[len(sys.argv) - 1 :]))
    with tempfile.TemporaryDirectory() as folder, Postgres.running(Path(folder)) as server:
        for kind in ("SQLite", "PostgreSQL"):
            with _running(Path(folder) / kind, "" if kind == "SQLite" else server.create()) as (here, client, mails):
                _measure(kind, here, client, mails, single, burst)


@contextmanager
def _running(home: Path, url: str) -> Iterator[tuple[Installation, httpx.Client, Mails]]:
    home.mkdir()
    mails = Mails()
    server = Controller(mails, hostname="127.0.0.1", port=free_port())
    server.start()
    layout = Layout(home, free_port(), free_port(), free_port(), smtp_url=f"smtp://127.0.0.1:{server.port}")
    more = {"ETAPPE_DATABASE_URL": url} if url else {}
    try:
        with Crew(home / "logs") as crew, httpx.Client(base_url=layout.web_url, trust_env=False, timeout=60) as client:
            for part in all_parts(layout):
                if part.name != "worker":
                    crew.start(replace(part, environment={**part.environment, **more}))
            settings = layout.settings()
            here = Installation(replace(settings, database_url=url) if url else settings)
            import_people(here.db, read_directory(PEOPLE, "people.yaml"), datetime.now(UTC))
            yield here, client, mails
            here.db.close()
    finally:
        server.stop()


def _measure(kind: str, here: Installation, client: httpx.Client, mails: Mails, single: int, burst: int) -> None:
    mail_server = urlsplit(here.settings.smtp_url)
    with smtplib.SMTP(str(mail_server.hostname), mail_server.port or 25, local_hostname="localhost") as smtp:
        raw = [_raw_limit(here.db, smtp) for _ in range(single)]
    _say(kind, "one commit and one mail", raw, raw)
    forms = [_form(here, mails) for _ in range(single)]
    answers, next_mails = zip(*(_decide(here, client, mails, *form) for form in forms), strict=True)
    _say(kind, "POST until its answer", answers, raw)
    _say(kind, "POST until the next mail", next_mails, raw)
    forms = [_form(here, mails) for _ in range(burst)]
    _until_all_is_quiet(here)
    began = time.monotonic()
    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(lambda form: _post(client, *form[1:]), forms))
    posted = time.monotonic() - began
    took = mails.taken(*((rollout_id, "second-gate") for rollout_id, _, _ in forms)) - began
    said = f"answered in {posted:.2f} s, all next mails in {took:.2f} s, {burst / took:.0f} per s"
    print(f"{kind:<12}{burst} at once: {said}", flush=True)


def _raw_limit(db: Database, smtp: smtplib.SMTP) -> float:
    began = time.monotonic()
    with db.write() as session:
        session.add(CheckRun(started_at=datetime.now(UTC), report={}))
    smtp.sendmail("a@example.com", ["b@example.com"], b"Subject: hello\r\n\r\nhello\r\n")
    return time.monotonic() - began


def _form(here: Installation, mails: Mails) -> tuple[str, str, dict[str, str]]:
    """Start a rollout; return it, the path of its first request, and the form that approves it."""
    start = Start(read_plan(PLAN, "plan.yaml"), PLAN, "Measured", "lea@example.com")
    rollout_id = start_rollout(here.db, here.keys, start, datetime.now(UTC))
    mails.taken((rollout_id, "first-gate"))
    with here.db.read() as session:
        [request] = [row for row in session.scalars(requests_of(rollout_id)) if row.state is RequestState.OPEN]
    token = links.link_token(here.keys[0], request.id, request.link_number)
    code = links.code(here.keys[0], request.id, request.link_number)
    digest = show_request(here.db, token, datetime.now(UTC)).digest
    return rollout_id, f"/decide/{token}", {"decision": "approve", "code": code, "digest": digest}


def _decide(
    here: Installation, client: httpx.Client, mails: Mails, rollout_id: str, path: str, form: dict[str, str]
) -> tuple[float, float]:
    _until_all_is_quiet(here)
    began = time.monotonic()
    _post(client, path, form)
    answered = time.monotonic() - began
    return answered, mails.taken((rollout_id, "second-gate")) - began


def _until_all_is_quiet(here: Installation) -> None:
    """Wait until every mail is sent, and Prefect's page shows all that has happened."""
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        with here.db.read() as session:
            waiting = (rollouts_without_flow_run(), rollouts_unpainted(), select(Message).where(_IS_PENDING))
            if not any(session.scalars(query.limit(1)).first() for query in waiting):
                return
        time.sleep(0.1)
    raise SystemExit("It did not become quiet.")


def _post(client: httpx.Client, path: str, form: dict[str, str]) -> None:
    answer = client.post(path, data=form)
    if answer.status_code != 200:
        raise SystemExit(f"not a 200: {answer.status_code} {re.sub('<[^>]+>', ' ', answer.text)[:500]}")


def _say(kind: str, what: str, took: Sequence[float], raw: Sequence[float]) -> None:
    seconds = sorted(took)
    median, least, most = statistics.median(seconds), seconds[0], seconds[-1]
    late = seconds[int(len(seconds) * 0.99)]
    print(
        f"{kind:<12}{what:<26} median {median * 1000:6.1f} ms   min {least * 1000:6.1f}   99 % {late * 1000:6.1f}"
        f"   max {most * 1000:6.1f}   {median / statistics.median(raw):5.1f} × the limit",
        flush=True,
    )


if __name__ == "__main__":
    main()
