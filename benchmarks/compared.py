"""Etappe and DBOS on one machine in one run: from an approval to the next person's mail, alone and 200 at once.

DBOS is a library for durable workflows: what somebody who does not take Etappe would build an approval with. Its
program (benchmarks/kit/dbos_approvals.py) is called without HTTP, and checks nothing; Etappe's part is that of
next_request.py. Both have a mail server of this script's, and a database on the disk.

DBOS is none of Etappe's packages, so name a Python that has it: `python3 -m venv /tmp/dbos`, `/tmp/dbos/bin/pip install
dbos==3.4.0`, then: python benchmarks/compared.py /tmp/dbos/bin/python [one at a time] [at once]
[sqlite or postgresql] [--write]
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.kit.etappe import (
    FIRST,
    KINDS,
    POSTGRESQL,
    SECOND,
    THIRD,
    Mails,
    Running,
    kinds_asked_for,
    mail_server,
    on_each_database,
)
from benchmarks.kit.report import Report, Spans, Table, numbers, reporting
from benchmarks.kit.serving import DISK, durable_postgres
from benchmarks.next_request import BURST, CLIENTS, MAIL, WARM_UP, at_once, one_by_one

PROGRAM = Path(__file__).parent / "kit" / "dbos_approvals.py"
PAUSE_SECONDS = 0.2
"""Before each approval that comes alone, so that all is quiet."""


def main() -> None:
    """Measure DBOS on each database, then Etappe, and say how they compare."""
    single, burst = numbers(40, 200)
    with reporting(__file__, __doc__) as report:
        python = next((word for word in sys.argv[1:] if word.endswith("python")), "")
        if not python:
            raise SystemExit(f"Name a Python that has dbos.\n{__doc__}")
        dbos = _on_dbos(report, python, single, burst)
        on_each_database(partial(_compare, report, dbos, single, burst))


def _on_dbos(report: Report, python: str, single: int, burst: int) -> dict[str, tuple[float, float]]:
    """Measure DBOS; return for each database the median of one at a time in seconds, and how many came in a second."""
    found = {}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=DISK)))
        for kind in kinds_asked_for():
            url = f"sqlite:///{folder}/dbos.db"
            if kind == POSTGRESQL:
                url = stack.enter_context(durable_postgres(folder))[0].create()
            with _approvals(python, url) as approvals:
                name = f"DBOS, {KINDS[kind]}"
                alone = _alone(report.spans(f"{name}, one at a time"), approvals, single)
                together = _together(report.table(f"{name}, by {CLIENTS} clients", *BURST), approvals, burst)
                found[KINDS[kind]] = (alone, together)
    return found


def _compare(
    report: Report, dbos: dict[str, tuple[float, float]], single: int, burst: int, kind: str, etappe: Running
) -> None:
    found = one_by_one(report.spans(f"Etappe, {kind}, one at a time"), kind, etappe, single)
    table = report.table(f"Etappe, {kind}, by {CLIENTS} clients", *BURST)
    rate = at_once(table, f"{burst} at once", etappe, burst, found)
    alone, together = dbos[kind]
    for_one, many = found[MAIL].median / alone, rate / together
    report.say(f"{kind}: Etappe takes {for_one:.2f} times as long as DBOS for one, and does {many:.2f} times as many.")


@dataclass(frozen=True)
class _Approvals:
    """The running program, and its mail server."""

    process: subprocess.Popen[str]
    mails: Mails

    def order(self, *order: Any) -> tuple[float, float]:
        """Have something done for each case; return when that began and ended."""
        assert self.process.stdin
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        began, ended = self.hear()
        return began, ended

    def hear(self) -> Any:
        """Wait for a line."""
        assert self.process.stdout
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit("The program with DBOS has ended; what it said stands above.")
        return json.loads(line)

    def started(self, count: int) -> list[str]:
        """Start so many, and wait until the first person of each is asked."""
        cases = [uuid4().hex for _ in range(count)]
        self.order("start", "", cases)
        self.mails.taken(cases, FIRST)
        return cases


@contextmanager
def _approvals(python: str, url: str) -> Iterator[_Approvals]:
    with mail_server() as (mails, port):
        command = [python, str(PROGRAM), url, str(port), str(CLIENTS), FIRST, SECOND, THIRD]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        approvals = _Approvals(process, mails)
        try:
            approvals.hear()
            yield approvals
        finally:
            process.kill()  # workflows that wait would keep it from ending
            process.wait()


def _alone(spans: Spans, approvals: _Approvals, count: int) -> float:
    took = []
    for case in approvals.started(WARM_UP + count):
        time.sleep(PAUSE_SECONDS)
        began, _ = approvals.order("approve", FIRST, [case])
        took.append(approvals.mails.taken([case], SECOND) - began)
    return spans.row(MAIL.replace("POST", "Approval"), took[WARM_UP:]).median


def _together(table: Table, approvals: _Approvals, count: int) -> float:
    cases: Sequence[str] = approvals.started(count)
    time.sleep(1)
    began, ended = approvals.order("approve", FIRST, cases)
    took = approvals.mails.taken(cases, SECOND) - began
    table.row(f"{count} at once", f"{ended - began:.2f} s", f"{took:.2f} s", f"{count / took:.0f}", "–", "–")
    return count / took


if __name__ == "__main__":
    main()
