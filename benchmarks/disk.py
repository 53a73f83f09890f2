"""How much disk a waiting rollout takes, on PostgreSQL and on SQLite: of a plan with one gate, and of a bundled one.

Starts so many rollouts, has PostgreSQL tidy up, and divides what the database has grown by. Indexes are counted in, and
so is the mail that is still to be sent. Run: python benchmarks/disk.py [rollouts] [--write]
"""

from __future__ import annotations

import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import text

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.kit.report import numbers, reporting
from domain.budget import BudgetLine
from models import schema
from models.database import Database
from operations.import_people import import_people
from operations.start_rollout import Start, start_rollout
from plans.directory import read_directory
from plans.reading import read_plan
from tests.postgres import Postgres
from tests.sample_plans import SIGN_OFF, one_gate

PLANS = Path(__file__).parents[1] / "plans"
KEYS = (b"a secret that only benchmarks know",)
REQUESTER = "lea.brunner@example.com"
BUNDLED = "social-media-introduction.yaml"
ONE_GATE = one_gate(f"{SIGN_OFF}, quorum: any")
BOARD = {"board": ["anna.keller@example.com", "ben@example.com", "carla@example.com"]}


def main() -> None:
    """Measure both plans on both databases, and print bytes for each rollout."""
    [count] = numbers(1000)
    with reporting(__file__, __doc__) as report, tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        table = report.table(f"{count:,} rollouts of the plan", "database", "bytes each")
        with Postgres.running(Path(folder)) as server:
            for name, source in (("one gate", ONE_GATE), (BUNDLED, (PLANS / BUNDLED).read_text("utf-8"))):
                for url in (server.create(), f"sqlite:///{folder}/{name.split('.')[0]}.db"):
                    db = Database(url)
                    kind = "SQLite" if db.is_sqlite else "PostgreSQL"
                    table.row(name, kind, f"{_bytes_each(db, name, source, count):,.0f}")
                    db.close()


def _bytes_each(db: Database, name: str, source: str, count: int) -> float:
    schema.upgrade(db)
    now = datetime.now(UTC)
    import_people(db, read_directory((PLANS / "people" / "sample.yaml").read_text("utf-8"), "sample.yaml"), now)
    plan = read_plan(source, name)
    budget = [BudgetLine.model_validate({"item": "Campaign", "amount": "20000"})] if name == BUNDLED else []
    people = {} if name == BUNDLED else BOARD

    def start(title: str) -> None:
        start_rollout(db, KEYS, Start(plan, source, title, REQUESTER, budget=budget, people=people), now)

    start("The first one")  # the plan itself is kept once
    before = _size(db)
    for number in range(count):
        start(f"Rollout {number}")
    return (_size(db) - before) / count


def _size(db: Database) -> int:
    if db.is_sqlite:
        with db.read() as session:
            pages, page = (int(session.scalar(text(f"PRAGMA page_{what}")) or 0) for what in ("count", "size"))
        return pages * page
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM"))
        return int(connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one())


if __name__ == "__main__":
    main()
