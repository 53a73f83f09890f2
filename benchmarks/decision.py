"""How long a decision takes below the page: show what is asked, then decide, on SQLite with synchronous=FULL.

Once with one rollout and once with 1,000 in the database. One decision in three opens a next stage and asks its
approvers, so that all of its consequences are included. Run: python benchmarks/decision.py [decisions] [--write]
"""

from __future__ import annotations

import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.kit.report import Spans, numbers, reporting
from benchmarks.kit.serving import DISK
from domain import links
from domain.budget import BudgetLine
from models import schema
from models.database import Database
from models.requests import requests_of
from operations.import_people import import_people
from operations.record_decision import DecisionForm, record_decision
from operations.show_request import show_request
from operations.start_rollout import Start, start_rollout
from plans.directory import read_directory
from plans.reading import read_plan

PLANS = Path(__file__).parents[1] / "plans"
SOURCE = (PLANS / "social-media-introduction.yaml").read_text("utf-8")
PLAN = read_plan(SOURCE, "social-media-introduction.yaml")
KEYS = (b"a secret that only benchmarks know",)
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
APPROVERS = 3  # in each rollout


def main() -> None:
    """Measure and print."""
    [count] = numbers(60)
    with reporting(__file__, __doc__) as report, tempfile.TemporaryDirectory(dir=DISK) as folder:
        db = Database(f"sqlite:///{folder}/etappe.db")
        schema.upgrade(db)
        import_people(db, read_directory((PLANS / "people" / "sample.yaml").read_text("utf-8"), "sample.yaml"), NOW)
        spans, started = report.spans("SQLite"), 0
        for present in (1, 1000):
            while started < present:
                start(db)
                started += 1
            _tell(spans, f"{present:,} rollout{'s' if present > 1 else ''} present", *_measure(db, count))
            started += count // APPROVERS
        db.close()


def start(db: Database) -> str:
    """Start a rollout of the bundled plan."""
    budget = [BudgetLine.model_validate({"item": "Campaign", "amount": "20000"})]
    return start_rollout(db, KEYS, Start(PLAN, SOURCE, "A rollout", "lea.brunner@example.com", budget=budget), NOW)


def _measure(db: Database, count: int) -> tuple[list[float], list[float]]:
    shown: list[float] = []
    decided: list[float] = []
    for _ in range(count // APPROVERS):
        rollout_id = start(db)
        with db.read() as session:
            requests = session.scalars(requests_of(rollout_id)).all()
        for request in requests:
            token, code = links.link_token(KEYS[0], request.id, 1), links.code(KEYS[0], request.id, 1)
            begun = time.perf_counter()
            page = show_request(db, token, NOW)
            shown.append(time.perf_counter() - begun)
            form = DecisionForm("approve", code, page.digest)
            begun = time.perf_counter()
            record_decision(db, KEYS, token, form, NOW)
            decided.append(time.perf_counter() - begun)
    return shown, decided


def _tell(spans: Spans, title: str, shown: list[float], decided: list[float]) -> None:
    both = [one + other for one, other in zip(shown, decided, strict=True)]
    for what, took in (("show", shown), ("decide", decided), ("show and decide", both)):
        spans.row(f"{title}: {what}", took)


if __name__ == "__main__":
    main()
