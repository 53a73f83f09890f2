"""A year of a company, played through with a simulated clock, and a report: how many mails people got, how it ended.

Two hundred people with absences, three hundred rollouts: `benchmarks/year.py [PEOPLE ROLLOUTS DAYS SEED]`. It fails
when a rule of tests/year/judge.py is broken.
"""

from __future__ import annotations

import gc
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from models import schema
from models.database import Database
from tests.year.judge import judge, report
from tests.year.year import Year

USUAL = (200, 300, 365, 1)
MONDAY = datetime(2026, 1, 5, 6, tzinfo=UTC)


def main() -> None:
    """Play, judge and print."""
    given = [int(argument) for argument in sys.argv[1:]]
    people, rollouts, days, seed = (*given, *USUAL[len(given) :])
    with tempfile.TemporaryDirectory() as folder:
        db = Database(f"sqlite:///{folder}/year.db")
        schema.upgrade(db)
        year = Year(db, Path(folder), people, rollouts, MONDAY, days, seed)
        gc.freeze()
        gc.set_threshold(100_000)
        began = time.perf_counter()
        year.play()
        print(report(year, time.perf_counter() - began))
        judge(year)
        db.close()


if __name__ == "__main__":
    main()
