"""From a decision to the next person's mail: one at a time, and 200 at once; Prefect attached, on both databases.

Starts Etappe as `etappe start` does, without a worker, in a temporary home, and a mail server of this script's that
notes when it has taken a mail. A decision is a POST over HTTP with everything: code, digest, eligibility, quorum,
record, messages, page; it passes a stage, and the mail is the one that asks for the next. Whatever is committed is on
the disk. The first few decisions after a start are not counted: templates and statements are read then. The raw limit
in the same run: one committed row and one mail over a kept connection.

With a third argument, all of it is measured again with so many other rollouts waiting: copies, in Prefect as well.
Run: python benchmarks/next_request.py [one at a time] [at once] [waiting] [sqlite or postgresql] [--write]
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.kit.etappe import FIRST, SECOND, Running, on_each_database
from benchmarks.kit.filled import analyse, copy_rollout
from benchmarks.kit.filled_prefect import copy_flow_run
from benchmarks.kit.posting import post_all
from benchmarks.kit.report import Report, Spans, Table, numbers, reporting
from benchmarks.kit.spread import Spread
from models.rollouts import Rollout
from worker import prefect_server

CLIENTS = 16
WARM_UP = 3
BURST = ("answered in", "all mails in", "mails per s", "× limit", "client CPU")
LIMIT, ANSWER, MAIL = "one commit and one mail", "POST until its answer", "POST until the next mail"
Found = dict[str, Spread]
"""By what was measured."""


def main() -> None:
    """Measure both databases, with none waiting and with as many as the third argument says."""
    single, burst, waiting = numbers(50, 200, 0)
    with reporting(__file__, __doc__) as report:
        on_each_database(partial(_compare, report, single, burst, waiting))


def _compare(report: Report, single: int, burst: int, waiting: int, kind: str, etappe: Running) -> None:
    found = [one_by_one(report.spans(f"{kind}, one at a time"), kind, etappe, single)]
    table = report.table(f"{kind}, by {CLIENTS} clients", *BURST)
    rates = [at_once(table, f"{burst} at once", etappe, burst, found[0])]
    if waiting:
        _fill(etappe, waiting)
        spans = report.spans(f"{kind}, one at a time, {waiting:,} others waiting")
        found.append(one_by_one(spans, f"{kind}, {waiting:,} waiting", etappe, single))
        table = report.table(f"{kind}, by {CLIENTS} clients, {waiting:,} others waiting", *BURST)
        rates.append(at_once(table, f"{burst} at once", etappe, burst, found[1]))
        _say_ratios(report, waiting, found, rates)


def one_by_one(spans: Spans, kind: str, etappe: Running, count: int) -> Found:
    """Decide one after the other, each when everything is quiet."""
    limit = spans.row(f"{kind}: {LIMIT}", etappe.one_commit_and_one_mail(count))
    took = [_decide(etappe, rollout_id) for rollout_id in _started(etappe, WARM_UP + count)]
    answers, mails = zip(*took[WARM_UP:], strict=True)
    return {
        LIMIT: limit,
        ANSWER: spans.row(f"{kind}: {ANSWER}", answers, limit),
        MAIL: spans.row(f"{kind}: {MAIL}", mails, limit),
    }


def _started(etappe: Running, count: int) -> list[str]:
    """Start so many rollouts, and wait until the first person of each is asked."""
    rollout_ids = [etappe.start() for _ in range(count)]
    etappe.mails.taken(rollout_ids, FIRST)
    return rollout_ids


def _decide(etappe: Running, rollout_id: str) -> tuple[float, float]:
    began, answered = etappe.decide(rollout_id)
    return answered, etappe.mails.taken([rollout_id], SECOND) - began


def at_once(table: Table, what: str, etappe: Running, count: int, found: Found) -> float:
    """Let so many decisions come by 16 clients; return how many next mails were taken in a second."""
    rollout_ids = _started(etappe, count)
    forms = [etappe.approval(rollout_id) for rollout_id in rollout_ids]
    etappe.until_quiet()
    posted = post_all([etappe.layout.web_port], forms, CLIENTS).succeeded()
    took = etappe.mails.taken(rollout_ids, SECOND) - posted.began
    of_limit = found[LIMIT].median * count / took
    share = f"{100 * posted.client_share:.0f} %"
    table.row(what, f"{posted.took:.2f} s", f"{took:.2f} s", f"{count / took:.0f}", f"{of_limit:.3f}", share)
    return count / took


def _fill(etappe: Running, waiting: int) -> None:
    """Let so many rollouts wait that are copies of one; relay and Prefect know all of them, and nothing is due."""
    [rollout_id] = _started(etappe, 1)
    etappe.until_quiet()
    with etappe.here.db.read() as session:
        flow_run_id = session.get_one(Rollout, rollout_id).flow_run_id or ""
    numbers_of_copies = range(1, waiting)
    copy_flow_run(prefect_server.database(etappe.layout.home).url(), flow_run_id, numbers_of_copies)
    copy_rollout(etappe.here.db, rollout_id, numbers_of_copies)
    analyse(etappe.here.db)
    etappe.until_quiet()


def _say_ratios(report: Report, waiting: int, found: Sequence[Found], rates: Sequence[float]) -> None:
    table = report.table(f"{waiting:,} waiting against none", "median", "99 %", "max")
    for what, none in found[0].items():
        many = found[1][what]
        pairs = ((many.median, none.median), (many.late, none.late), (many.most, none.most))
        table.row(what, *(f"{one / other:.2f} ×" for one, other in pairs))
    report.say(f"At once, mails per s: {rates[1] / rates[0]:.2f} times as many.")


if __name__ == "__main__":
    main()
