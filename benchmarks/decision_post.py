"""How long a decision POST takes over real HTTP: the whole page, code, digest, quorum, record and outbox included.

One after the other, on SQLite with synchronous=FULL, in a thread of this process. The raw limit in the same run: one
committed row. Run: python benchmarks/decision_post.py [how many] [--write]
"""

from __future__ import annotations

import re
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import httpx
import uvicorn

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.kit.report import numbers, reporting
from benchmarks.kit.serving import DISK
from models import schema
from models.checks import CheckRun
from models.database import Database
from settings import Settings
from tests.company import KEYS, Company
from tests.sample_plans import SIGN_OFF, one_gate
from web.app import create_app


def main() -> None:
    """Decide so many gates one after the other, each with a quorum of one, and print what it took."""
    [count] = numbers(200)
    with reporting(__file__, __doc__) as report, tempfile.TemporaryDirectory(dir=DISK) as folder:
        db = Database(f"sqlite:///{Path(folder) / 'etappe.db'}")
        schema.upgrade(db)
        company = Company(db, now=datetime.now(UTC))
        forms = [_form(company) for _ in range(count)]
        with Serving(db, folder) as client:
            gets = [_timed(partial(client.get, path)) for path, _ in forms]
            posts = [_timed(partial(client.post, path, data=form)) for path, form in forms]
        commits = [_timed(partial(_commit, db)) for _ in range(count)]
        db.close()
        spans = report.spans("SQLite")
        limit = spans.row("one committed row", commits)
        spans.row("GET the page", gets, limit)
        spans.row("POST a decision", posts, limit)


def _form(company: Company) -> tuple[str, dict[str, str]]:
    company.start(one_gate(f"{SIGN_OFF}, quorum: any"))
    request = company.asked("anna@example.com")
    form = {"decision": "approve", "code": company.code(request), "digest": company.page(request).digest}
    return f"/decide/{company.token(request)}", form


class Serving:
    """The page on a real server in a thread of this process, and a client with a kept connection."""

    def __init__(self, db: Database, folder: str) -> None:
        settings = Settings.from_environment({"ETAPPE_HOME": folder, "ETAPPE_SECRET_KEYS": KEYS[0].decode()})
        config = uvicorn.Config(create_app(settings, db), host="127.0.0.1", port=0, log_level="error")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run)

    def __enter__(self) -> httpx.Client:
        self._thread.start()
        while not self._server.started:
            time.sleep(0.01)
        port = self._server.servers[0].sockets[0].getsockname()[1]
        self._client = httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=30)
        return self._client

    def __exit__(self, *_: object) -> None:
        self._client.close()
        self._server.should_exit = True
        self._thread.join()


def _timed(do: Callable[[], httpx.Response | None]) -> float:
    began = time.perf_counter()
    answer = do()
    took = time.perf_counter() - began
    if answer is not None and answer.status_code != 200:
        raise SystemExit(f"not a 200: {answer.status_code} {re.sub('<[^>]+>', ' ', answer.text)[:500]}")
    return took


def _commit(db: Database) -> None:
    with db.write() as session:
        session.add(CheckRun(started_at=datetime.now(UTC), report={}))


if __name__ == "__main__":
    main()
