"""Decisions per second by two web processes against one, on one PostgreSQL: whole POSTs, each at a gate of its own.

Starts so many rollouts once, and gives each measurement a fresh copy of that database. PostgreSQL writes every commit
to the disk before it answers (synchronous_commit and fsync on). One and two processes take turns; medians are printed,
with minimum and maximum, and what each part takes of the processor for a decision.

Where clients, database and web processes share few cores, two web processes cannot have twice as many: so the
processor's time says how far that goes. A web process needs a core of its own; as long as it has one, and what a
decision costs is the same with two of them, they decide twice as much, until the database has used up its own cores.
The raw limit in the same run: rows committed by as many clients, each told to the relays.
Run: python benchmarks/two_of_each.py [decisions] [rounds] [--write]
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # its stubs are a package of their own

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.kit.posting import form_post, post_all
from benchmarks.kit.report import Report, numbers, reporting
from benchmarks.kit.serving import DISK, commits_per_second, durable_postgres, used, web
from models import schema
from models.database import Database
from tests.company import ANNA, KEYS, Company
from tests.postgres import Postgres
from tests.sample_plans import SIGN_OFF, one_gate

CLIENTS = 16
WARM_UP = 20 * CLIENTS
"""Each process, and each of its sessions in PostgreSQL, learns its statements first: that is not what one costs."""


@dataclass(frozen=True)
class Measured:
    """What so many decisions took: by the clock (seconds), and of the processor for each of them (milliseconds)."""

    per_second: float
    web: float
    database: float
    clients: float

    @property
    def together(self) -> float:
        """What a decision takes of the processor."""
        return self.web + self.database + self.clients


def main() -> None:
    """Measure one and two in turns, and print the medians and what follows from them."""
    count, rounds = numbers(600, 5)
    found: dict[int, list[Measured]] = {1: [], 2: []}
    with reporting(__file__, __doc__) as report:
        with tempfile.TemporaryDirectory(dir=DISK) as folder, durable_postgres(Path(folder)) as (server, process):
            forms = _prepare(server, count + WARM_UP)
            for _ in range(rounds):
                for webs in found:
                    found[webs].append(_measure(server, process, webs, forms, Path(folder)))
            db = Database(server.create(template="waiting"))
            limit = commits_per_second(db, count, CLIENTS)
            db.close()
        _tell(report, found, limit)
        _conclude(report, found)


def _prepare(server: Postgres, count: int) -> list[bytes]:
    """Start so many rollouts with one gate each in the database "waiting"; return what decides them."""
    db = Database(server.create("waiting"))
    schema.upgrade(db)
    company = Company(db, now=datetime.now(UTC))
    forms = [_form(company) for _ in range(count)]
    db.close()
    return forms


def _form(company: Company) -> bytes:
    company.start(one_gate(f"{SIGN_OFF}, quorum: any"))
    request = company.asked(ANNA)
    fields = {"decision": "approve", "code": company.code(request), "digest": company.page(request).digest}
    return form_post(f"/decide/{company.token(request)}", fields)


def _measure(server: Postgres, database: psutil.Process, webs: int, forms: Sequence[bytes], folder: Path) -> Measured:
    url = server.create(template="waiting")
    with ExitStack() as stack:
        running = [stack.enter_context(web(url, folder, KEYS[0])) for _ in range(webs)]
        ports, processes = [port for port, _ in running], [process for _, process in running]
        post_all(ports, forms[:WARM_UP], CLIENTS)
        web_used, database_used = used(processes), used([database])
        posted = post_all(ports, forms[WARM_UP:], CLIENTS).succeeded()
        web_used, database_used = used(processes) - web_used, used([database]) - database_used
    each = (1000 * seconds / len(posted.seconds) for seconds in (web_used, database_used, posted.cpu))
    return Measured(posted.per_second, *each)


def _tell(report: Report, found: dict[int, list[Measured]], limit: float) -> None:
    table = report.table(
        "decisions per second", "median", "min", "max", "× limit", "web CPU", "database CPU", "client CPU"
    )
    for webs, all_of_them in found.items():
        rates = [each.per_second for each in all_of_them]
        median = statistics.median(rates)
        spent = [f"{_median(all_of_them, part):.2f} ms" for part in ("web", "database", "clients")]
        figures = [f"{rate:.1f}" for rate in (median, min(rates), max(rates))]
        table.row(f"{webs} web process{'es' if webs > 1 else ''}", *figures, f"{median / limit:.3f}", *spent)
    ratios = [two.per_second / one.per_second for one, two in zip(found[1], found[2], strict=True)]
    figures = [f"{ratio:.2f}" for ratio in (statistics.median(ratios), min(ratios), max(ratios))]
    table.row("two against one, measured one after the other", *figures, *"––––")
    table.row(f"the raw limit: rows committed by {CLIENTS} clients", f"{limit:.0f}", *"––––––")


def _median(found: Sequence[Measured], name: str) -> float:
    return statistics.median(float(getattr(each, name)) for each in found)


def _conclude(report: Report, found: dict[int, list[Measured]]) -> None:
    """Say how far that goes, by what a decision takes of the processor: cores are what one can have more of."""
    one, two = (_median(found[webs], "together") for webs in (1, 2))
    by_one, by_two, by_database = _median(found[1], "web"), _median(found[2], "web"), _median(found[2], "database")
    cores = os.cpu_count() or 1
    report.say(f"A decision takes {two / one:.2f} times as much of the processor with two as with one.")
    report.say(
        f"Most that {cores} cores shared by all allow: {min(2.0, by_one * cores / two):.2f}; "
        f"with a core for each web process: {2 * by_one / by_two:.2f}."
    )
    report.say(
        f"One core of a web process is used up by {1000 / by_two:.0f} decisions per s, "
        f"one of the database by {1000 / by_database:.0f}."
    )


if __name__ == "__main__":
    main()
