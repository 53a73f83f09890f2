"""Who writes to SQLite waits in a queue of all processes, and is not passed over by one that writes without a pause."""

from __future__ import annotations

import signal
import statistics
import threading

import pytest
from sqlalchemy import text

from models.database import Database
from tests.other_process import another_process

TABLE = "CREATE TABLE counted (times INTEGER)"
COUNT = "UPDATE counted SET times = times + 1"
WRITES_WITHOUT_A_PAUSE = f"""
import sys, time
from sqlalchemy import text
from models.database import Database
db, said = Database(sys.argv[1]), False
while True:
    with db.write() as session:
        session.execute(text("{COUNT}"))
        time.sleep(0.005)
    if not said:
        print("writes", flush=True)
        said = True
"""
WRITES_ON = """
import sys, time
from models.database import Database
with Database(sys.argv[1]).write():
    print("writes", flush=True)
    time.sleep(60)
"""


@pytest.fixture(autouse=True)
def _on_sqlite(db: Database) -> None:
    if not db.is_sqlite:
        pytest.skip("PostgreSQL lets many write at once")


def test_a_process_that_writes_without_a_pause_passes_nobody_over(db: Database) -> None:
    with db.write() as session:
        session.execute(text(TABLE))
        session.execute(text("INSERT INTO counted VALUES (0)"))

    def counted() -> int:
        with db.read() as session:
            return int(session.execute(text("SELECT times FROM counted")).scalar_one())

    went_first = []
    with another_process(WRITES_WITHOUT_A_PAUSE, db.url, says="writes"):
        for _ in range(20):
            before = counted()
            with db.write() as session:
                went_first.append(session.execute(text("SELECT times FROM counted")).scalar_one() - before)
    assert statistics.median(went_first) <= 5, went_first


def test_a_process_that_dies_while_it_writes_holds_nobody_up(db: Database) -> None:
    written = threading.Event()

    def write() -> None:
        with db.write() as session:
            session.execute(text(TABLE))
        written.set()

    with another_process(WRITES_ON, db.url, says="writes") as process:
        waiting = threading.Thread(target=write)
        waiting.start()
        assert not written.wait(0.3)
        process.send_signal(signal.SIGKILL)
        assert written.wait(60)
        waiting.join()
