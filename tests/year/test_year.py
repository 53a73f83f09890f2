"""A quarter of a small company, played through and judged: everything ends, nothing is overdue unseen, mails stay few.

The whole year of two hundred people is `make year`; the same seed plays the same year again.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from models import schema
from models.database import Database
from tests.year.judge import judge
from tests.year.year import Year

MONDAY = datetime(2026, 1, 5, 6, tzinfo=UTC)


@pytest.mark.slow
def test_a_quarter_of_a_company_ends_well(tmp_path: Path) -> None:
    db = Database(f"sqlite:///{tmp_path / 'year.db'}")
    schema.upgrade(db)
    year = Year(db, tmp_path, people=40, rollouts=20, first=MONDAY, days=90, seed=1)
    year.play()
    judge(year)
    db.close()
