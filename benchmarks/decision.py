"""How long a decision takes below the page: show what is asked, then decide, on SQLite with synchronous=FULL.

Prints the medians, with the fastest and the slowest, once with one rollout and once with 1,000 in the database. The
decision opens a next stage and asks its approvers, so that all of its consequences are included.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

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
DECISIONS = 60  # three approvers in each of twenty rollouts


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        db = Database(f"sqlite:///{folder}/etappe.db")
        schema.upgrade(db)
        import_people(db, read_directory((PLANS / "people" / "sample.yaml").read_text("utf-8"), "sample.yaml"), NOW)
        started = 0
        for present in (1, 1000):
            while started < present:
                start(db)
                started += 1
            _report(f"{present} rollout{'s' if present > 1 else ''} present", *_measure(db))
            started += DECISIONS // 3
        db.close()


def start(db: Database) -> str:
    """Start a rollout of the bundled plan."""
    budget = [BudgetLine.model_validate({"item": "Campaign", "amount": "20000"})]
    return start_rollout(db, KEYS, Start(PLAN, SOURCE, "A rollout", "lea.brunner@example.com", budget=budget), NOW)


def _measure(db: Database) -> tuple[list[float], list[float]]:
    shown: list[float] = []
    decided: list[float] = []
    for _ in range(DECISIONS // 3):
        rollout_id = start(db)
        with db.read() as session:
            requests = session.scalars(requests_of(rollout_id)).all()
        for request in requests:
            token, code = links.link_token(KEYS[0], request.id, 1), links.code(KEYS[0], request.id, 1)
            begun = time.perf_counter()
            page = show_request(db, token, NOW)
            shown.append(_milliseconds_since(begun))
            form = DecisionForm("approve", code, page.digest)
            begun = time.perf_counter()
            record_decision(db, KEYS, token, form, NOW)
            decided.append(_milliseconds_since(begun))
    return shown, decided


def _milliseconds_since(begun: float) -> float:
    return (time.perf_counter() - begun) * 1000


def _report(title: str, shown: list[float], decided: list[float]) -> None:
    both = [one + other for one, other in zip(shown, decided, strict=True)]
    for what, took in (("show", shown), ("decide", decided), ("show and decide", both)):
        median, fastest, slowest = statistics.median(took), min(took), max(took)
        print(f"{title}: {what:16} median {median:6.1f} ms   min {fastest:6.1f}   max {slowest:6.1f}   n {len(took)}")


if __name__ == "__main__":
    main()
