"""Many decisions at many gates: 5,000 gates with two approvers each, both decide, 16 clients post all of it over HTTP.

Every gate's quorum is two, and both of its decisions are posted at nearly the same moment by two of the clients. They
come by both doors: the page behind a link, with its code, and the API, with a token. One web process answers them (on
PostgreSQL two, when asked); commits are on the disk before they are answered. The clients are one process beside it,
which sends what was prepared. Afterwards every gate must have passed, with two decisions each, and the record of a
sample must verify. The raw limit in the same run: rows committed by as many clients.
Run: python benchmarks/many_decisions.py [gates] [web processes] [sqlite or postgresql] [link or api] [--write]
"""

from __future__ import annotations

import random
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # its stubs are a package of their own
from sqlalchemy import func, select

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.kit import posting
from benchmarks.kit.filled import Copies, postgres_copies, sqlite_copies
from benchmarks.kit.posting import Posted
from benchmarks.kit.report import Report, Table, numbers, reporting
from benchmarks.kit.serving import DISK, commits_per_second, durable_postgres, used, web
from benchmarks.kit.spread import duration, spread
from domain.states import GateState, RolloutState
from models import schema
from models.database import Database
from models.gates import GateRow
from models.requests import Decision, Request, requests_of
from models.rollouts import Rollout
from operations.start_rollout import Start, start_rollout
from operations.tokens import make_token
from operations.verify_record import verify_record
from plans.reading import read_plan
from tests.company import ANNA, BEN, KEYS, REQUESTER, Company
from tests.sample_plans import one_gate

CLIENTS = 16
WARM_UP_GATES = 10 * CLIENTS
"""Decided first, and not counted: a web process and its sessions learn their statements."""
SAMPLE = 100
COMMITS = 2000
GATE = f'kind: sign-off, question: "Shall we?", approvers: ["{ANNA}", "{BEN}"], quorum: 2'
TITLES = (
    "webs", "decisions", "errors", "per s", "× limit", "median", "99 %", "max", "web CPU", "database CPU", "client CPU",
)  # fmt: skip
WORDS = {"link": "the page behind a link", "api": "the API"}
DOORS = tuple(WORDS)


@dataclass(frozen=True)
class Stock:
    """A database full of open gates, what copies it, the server's process where there is one, and what decides all
    gates by each door."""

    copy: Copies
    server: Sequence[psutil.Process]
    url: str
    requests: dict[str, list[bytes]]


def main() -> None:
    """Fill each database once, and let all of it be decided by each door, each time in a fresh copy."""
    gates, webs = numbers(500, 1)
    kinds = [kind for kind in ("sqlite", "postgresql") if kind in sys.argv] or ["sqlite", "postgresql"]
    doors = [door for door in DOORS if door in sys.argv] or DOORS
    with reporting(__file__, __doc__) as report, tempfile.TemporaryDirectory(dir=DISK) as folder:
        for kind in kinds:
            with _databases(kind, Path(folder)) as (copy, server):
                stock = _fill(copy, server, gates)
                _measure(report, kind, stock, Path(folder), doors, webs if server else 1)


@contextmanager
def _databases(kind: str, folder: Path) -> Iterator[tuple[Copies, list[psutil.Process]]]:
    if kind == "sqlite":
        yield sqlite_copies(folder), []
        return
    with durable_postgres(folder) as (server, process):
        yield postgres_copies(server), [process]


def _fill(copy: Copies, server: Sequence[psutil.Process], gates: int) -> Stock:
    """Start so many rollouts with one gate each; nobody is told, since no relay runs."""
    db = Database(copy(""))
    schema.upgrade(db)
    company = Company(db, now=datetime.now(UTC))
    tokens = {person: make_token(db, person, "measured", company.now).token for person in (ANNA, BEN)}
    requests: dict[str, list[bytes]] = {door: [] for door in DOORS}
    source = one_gate(GATE)
    start = Start(read_plan(source, "plan.yaml"), source, "One of many", REQUESTER)
    for _ in range(WARM_UP_GATES + gates):
        rollout_id = start_rollout(db, KEYS, start, company.now)
        with db.read() as session:
            asked = session.scalars(requests_of(rollout_id)).all()
        digest = company.page(asked[0]).digest  # it stands for what is asked, which is the same for both
        requests["link"] += [_by_link(company, request, digest) for request in asked]
        requests["api"] += [_by_api(rollout_id, digest, tokens[request.person]) for request in asked]
    db.close()
    return Stock(copy, server, db.url, requests)


def _by_link(company: Company, request: Request, digest: str) -> bytes:
    form = {"decision": "approve", "code": company.code(request), "digest": digest}
    return posting.form_post(f"/decide/{company.token(request)}", form)


def _by_api(rollout_id: str, digest: str, token: str) -> bytes:
    body = f'{{"decision": "approve", "digest": "{digest}"}}'.encode()
    path = f"/api/v1/rollouts/{rollout_id}/gates/gate/decisions"
    return posting.request("POST", path, body, "application/json", token)


def _measure(report: Report, kind: str, stock: Stock, folder: Path, doors: Sequence[str], webs: int) -> None:
    db = Database(stock.copy(stock.url))
    limit = commits_per_second(db, COMMITS, CLIENTS)
    db.close()
    table, failures = report.table(kind, *TITLES), []
    for door in doors:
        url = stock.copy(stock.url)
        posted = _decide(table, door, stock, url, folder, webs, limit)
        failures += posted.unexpected + _wrong_in(url, len(stock.requests[door]) // 2)
    report.say(f"The raw limit: {limit:.0f} rows committed per s by {CLIENTS} clients.")
    if failures:
        raise SystemExit("\n".join(failures))
    report.say("Every gate has passed, by two decisions each; the records of a sample verify.")


def _decide(table: Table, door: str, stock: Stock, url: str, folder: Path, webs: int, limit: float) -> Posted:
    first, requests = stock.requests[door][: 2 * WARM_UP_GATES], stock.requests[door][2 * WARM_UP_GATES :]
    with ExitStack() as stack:
        running = [stack.enter_context(web(url, folder, KEYS[0])) for _ in range(webs)]
        ports, processes = [port for port, _ in running], [process for _, process in running]
        posting.post_all(ports, first, CLIENTS)
        web_used, server_used = used(processes), used(stock.server)
        posted = posting.post_all(ports, requests, CLIENTS)
        web_used, server_used = used(processes) - web_used, used(stock.server) - server_used
    took, answers = posted.took, spread(posted.seconds)
    shares = [f"{100 * spent / took:.0f} %" for spent in (web_used, server_used, posted.cpu)]
    table.row(
        f"{len(requests) // 2:,} gates by {WORDS[door]}", webs, f"{len(requests):,}", posted.errors(),
        f"{posted.per_second:.0f}", f"{posted.per_second / limit:.2f}",
        *map(duration, (answers.median, answers.late, answers.most)), *shares,
    )  # fmt: skip
    return posted


def _wrong_in(url: str, gates: int) -> list[str]:
    """What is not as it must be once everybody has decided."""
    db = Database(url)
    with db.read() as session:
        counted = {
            "gates that passed": session.scalar(select(func.count()).where(GateRow.state == GateState.PASSED)),
            "rollouts": session.scalar(select(func.count()).where(Rollout.state == RolloutState.COMPLETED)),
        }
        decisions = session.scalar(select(func.count()).select_from(Decision))
        ids = session.scalars(select(Rollout.id).order_by(Rollout.id)).all()
    wrong = [f"{count} {what} of {gates}" for what, count in counted.items() if count != gates]
    wrong += [f"{decisions} decisions of {2 * gates}"] if decisions != 2 * gates else []
    for rollout_id in random.Random(1).sample(ids, min(SAMPLE, len(ids))):
        wrong += [f"{one.rollout_id}: {one.because}" for one in verify_record(db, rollout_id) if not one.holds]
    db.close()
    return wrong


if __name__ == "__main__":
    main()
