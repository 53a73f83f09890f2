"""A three-stage approval as the documentation of DBOS has it: a step sends a mail, the workflow waits for an answer.

Run by benchmarks/compared.py with a Python that has dbos, of which it needs nothing but that. Nothing is checked: no
code, no eligibility, no quorum; there is no page, and no record but that of DBOS. It reads and writes lines of JSON.
"""

from __future__ import annotations

import json
import smtplib
import sys
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

from dbos import DBOS, SetWorkflowID  # type: ignore[import-not-found]

DAY_SECONDS = 86_400
WAITING = 5_000
"""How many workflows may wait at once: each has a thread of its own."""
MAIL = "\r\n".join((
    "From: approvals@example.com", "To: somebody@example.com", "Subject: Please decide", "X-Etappe-Kind: request",
    "X-Etappe-Rollout: {case}", "X-Etappe-Gate: {gate}", "", "Please decide.", "",
))  # fmt: skip

_kept = threading.local()


def main(url: str, smtp_port: str, clients: int, gates: list[str]) -> None:
    """Start what is asked for, and approve it, until there are no more lines."""

    @DBOS.step()  # type: ignore[untyped-decorator]
    def ask(case: str, gate: str) -> None:
        mail = MAIL.format(case=case, gate=gate).encode()
        _connection(int(smtp_port)).sendmail("approvals@example.com", ["somebody@example.com"], mail)

    @DBOS.workflow()  # type: ignore[untyped-decorator]
    def approval(case: str) -> None:
        for gate in gates:
            ask(case, gate)
            DBOS.recv(gate, timeout_seconds=DAY_SECONDS)

    def start(case: str) -> None:
        with SetWorkflowID(case):
            DBOS.start_workflow(approval, case)

    DBOS(
        config={"name": "approvals", "system_database_url": url, "max_executor_threads": WAITING, "log_level": "ERROR"}
    )
    DBOS.launch()
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        order, gate, cases = json.loads(line)
        do = start if order == "start" else lambda case, gate=gate: DBOS.send(case, "approve", gate)
        print(json.dumps(_timed(do, cases, clients)), flush=True)


def _connection(port: int) -> smtplib.SMTP:
    kept: smtplib.SMTP | None = getattr(_kept, "smtp", None)
    if kept is None:
        kept = _kept.smtp = smtplib.SMTP("127.0.0.1", port, local_hostname="localhost")
    return kept


def _timed(do: Callable[[str], None], cases: Iterable[str], count: int) -> tuple[float, float]:
    """Do it for each by so many clients; return when that began and ended, by `time.monotonic`."""
    with ThreadPoolExecutor(count) as clients:
        began = time.monotonic()
        list(clients.map(do, cases))
        return began, time.monotonic()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4:])
